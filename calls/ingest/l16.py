"""Carriers that send one text message and then nothing but linear sound: FreeSWITCH, jambonz, Vonage, Sinch.

In: a first message, the query of the address, binary sound. Out: signals. Pure but for the state of one
connection.
Not known here: sockets, calls, who speaks on which track.

Sources: the READMEs of mod_audio_stream (amigniter) and mod_audio_fork (drachtio), the `listen` verb of
jambonz, developer.vonage.com (WebSockets in the Voice API), developers.sinch.com (Voice Stream). None of them
has an end message, or times: sound follows sound, and an orderly close is the end.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from asr.types import Segment
from calls.ingest.json_fields import inner, number, text
from calls.ingest.messages import BadMessage
from calls.ingest.rules import CarrierRules, token_in
from calls.ingest.samples import little_endian
from calls.ingest.signals import Begin, Block, Signal
from calls.types import CallError
from retrieval.types import Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class _Habit:
    """What is peculiar to a carrier."""

    mono: tuple[str, ...]
    """The track of a single channel."""
    stereo: tuple[str, ...] = ()
    rate_hz: int | None = None
    """The rate where nothing is said of it; None: it has to be said."""


_HABITS: Mapping[str, _Habit] = {
    "freeswitch": _Habit(mono=("read",), stereo=("read", "write")),
    "audiofork": _Habit(mono=("read",), stereo=("read", "write")),
    "jambonz": _Habit(mono=("caller",), stereo=("caller", "callee"), rate_hz=8000),
    "vonage": _Habit(mono=("mixed",)),
    "sinch": _Habit(mono=("mixed",)),
}
CARRIERS = tuple(_HABITS)

_KEYS = ("callSid", "call_sid", "callId", "call_id", "uuid", "call_uuid", "conversation_uuid")
_RATES = ("sampleRate", "sample_rate", "rate", "sampling")
_MIXES = ("mixType", "mix_type", "mix")
_NO_FIELDS = (*_KEYS, *_RATES, *_MIXES, "content-type", "event", "command", "version", "codec", "callHeaders")
_MAX_TEXT = 65_536
_RATE_IN_TYPE = re.compile(r"rate=(\d{4,6})")


class L16Reader:
    """Reads one connection. Only Sinch is answered, which asks before it sends anything."""

    ends_on_close: ClassVar[bool] = True
    wants_news: ClassVar[bool] = False
    lingers: ClassVar[bool] = False
    subprotocols: ClassVar[tuple[str, ...]] = (
        "audio.jambonz.org",
        "audio.drachtio.org",
        "audiostream.drachtio.org",
    )

    def __init__(self, carrier: str, rules: CarrierRules, query: Mapping[str, str]):
        """`query` may say what the first message does not."""
        self._carrier = carrier
        self._habit = _HABITS[carrier]
        self._rules = rules
        self._query = query
        self._is_begun = False
        self._torn = b""

    def read(self, message: str | bytes) -> Sequence[Signal]:
        """Take one message. Raises `BadMessage`."""
        if isinstance(message, bytes):
            block = Block(self._in_order(message))
            # The first text is not always there: mod_audio_stream sends it only where there is metadata.
            return [block] if self._is_begun else [self._begin({}), block]
        if self._is_begun:
            return []  # keys that were pressed, metadata at the stop: nothing of it is kept
        return [self._begin(_said(message))]

    def _begin(self, said: dict[str, Any]) -> Begin:
        headers = _pairs(said.get("callHeaders"))
        query = {name: value for name, value in self._query.items() if name != "token"}
        fields = query | headers | inner(said, "metadata", "customerData", "headers") | said
        tracks = self._tracks_of(fields)
        begin = Begin(
            key=text(fields, *_KEYS),
            encoding="pcm_s16le",
            sample_rate_hz=self._rate_of(fields),
            tracks=tracks,
            fields={
                name: value
                for name, value in fields.items()
                if name not in _NO_FIELDS and not isinstance(value, dict)
            },
            token=token_in(fields),
        )
        self._is_begun = True
        return begin

    def _rate_of(self, fields: Mapping[str, Any]) -> int:
        written = text(fields, *_RATES) or ""
        rate_hz: float | None
        if found := re.fullmatch(r"(\d{1,3})k", written.strip().lower()):
            rate_hz = int(found.group(1)) * 1000
        elif found := _RATE_IN_TYPE.search(text(fields, "content-type") or ""):
            rate_hz = int(found.group(1))
        else:
            rate_hz = number(fields, *_RATES) or self._habit.rate_hz
        if rate_hz is None:
            raise BadMessage(
                "线路没有说明采样率，请在地址后加 ?rate=16000（或写进 metadata）。",
                code="asr.bad_sample_rate",
            )
        if not 8000 <= rate_hz <= 48_000:
            raise BadMessage(f"采样率 {rate_hz:.0f} Hz 不在 8000 到 48000 之间。", code="asr.bad_sample_rate")
        return round(rate_hz)

    def _tracks_of(self, fields: Mapping[str, Any]) -> tuple[str, ...]:
        if self._rules.tracks:
            return tuple(self._rules.tracks)
        match (text(fields, *_MIXES) or "mono").lower():
            case "mono":
                return self._habit.mono
            case "mixed":
                return ("mixed",)
            case "stereo" if self._habit.stereo:
                return self._habit.stereo
        raise BadMessage("mix 必须是 mono、mixed 或 stereo。")

    def _in_order(self, data: bytes) -> bytes:
        if self._rules.byte_order == "little":
            return data
        data = self._torn + data
        whole = len(data) - len(data) % 2
        self._torn = data[whole:]
        return little_endian(data[:whole])

    def opened(self, received_s: float) -> Sequence[str]:
        """Sinch is told that the call is taken."""
        return [json.dumps({"command": "answer"})] if self._carrier == "sinch" else ()

    def refused(self, error: CallError, *, is_stranger: bool) -> Sequence[str]:
        """Sinch is told that the line is busy; for FreeSWITCH and jambonz it becomes an event of theirs."""
        if self._carrier == "sinch":
            return [json.dumps({"command": "reject" if is_stranger else "busy"})]
        if self._carrier == "vonage":
            return ()
        told = {"type": "error", "data": {"error": error.code, "message": error.message}}
        return [json.dumps(told, ensure_ascii=False)]

    def told(self, news: Segment | Suggestion) -> Sequence[str]:
        """Nothing."""
        return ()

    def ended(self) -> Sequence[str]:
        """Nothing."""
        return ()


def _said(message: str) -> dict[str, Any]:
    """The first text: a JSON object, or anything, as an admin has typed it."""
    if len(message) > _MAX_TEXT:
        raise BadMessage("第一条消息超过 64 KB。")
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    return {"metadata": message} if message.strip() else {}


def _pairs(written: Any) -> dict[str, Any]:
    """Headers, as an object or as a list of key and value."""
    if isinstance(written, dict):
        return written
    if not isinstance(written, list):
        return {}
    return {
        one["key"]: one.get("value")
        for one in written
        if isinstance(one, dict) and isinstance(one.get("key"), str)
    }
