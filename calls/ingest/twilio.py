"""Twilio Media Streams and what was built alike: Telnyx, Plivo, Exotel, Talkdesk, SignalWire.

In: their JSON messages. Out: signals. Pure but for the state of one connection.
Not known here: sockets, calls, who speaks on which track.

Sources: twilio.com/docs/voice/media-streams/websocket-messages, developers.telnyx.com (media streaming),
developer.exotel.com/docs/agentstream/websocket-protocol, plivo.com/docs/voice/audio-streaming. They differ in
the spelling of keys (camel or snake case), in what stands at the top and what in `start`, in the encoding,
and in whether they say that a stream is over (Plivo just closes).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from asr.types import Segment
from calls.ingest.json_fields import from_base64, inner, number, object_in, pairs, text
from calls.ingest.messages import BadMessage
from calls.ingest.rules import CarrierRules, token_in
from calls.ingest.samples import little_endian
from calls.ingest.signals import Begin, End, Signal, Sound
from calls.types import CallError
from retrieval.types import Suggestion

CARRIERS = ("twilio", "telnyx", "plivo", "exotel", "talkdesk", "signalwire")

_ENCODINGS = {
    "audio/x-mulaw": "mulaw",
    "audio/mulaw": "mulaw",
    "mulaw": "mulaw",
    "pcmu": "mulaw",
    "g711_ulaw": "mulaw",
    "audio/x-alaw": "alaw",
    "audio/alaw": "alaw",
    "alaw": "alaw",
    "pcma": "alaw",
    "audio/x-l16": "pcm_s16le",
    "audio/l16": "pcm_s16le",
    "audio/x-raw": "pcm_s16le",
    "l16": "pcm_s16le",
    "pcm16": "pcm_s16le",
    "pcm": "pcm_s16le",
    "base64": "pcm_s16le",
}
_TRACKS: Mapping[str, tuple[str, ...]] = {
    "telnyx": ("inbound", "outbound"),  # does not say which; a track that never comes is silent
    "exotel": ("inbound",),  # does not name tracks at all
}
_DEFAULTS = {"exotel": "audio/x-raw"}
_CLOSES_ONLY = ("plivo",)
_RATE_IN_TYPE = re.compile(r"rate=(\d{4,6})")
_KEYS = ("callSid", "call_sid", "callId", "call_id", "call_control_id")
_STREAMS = ("streamSid", "stream_sid", "streamId", "stream_id")
_ACCOUNTS = ("accountSid", "account_sid", "accountId", "account_id", "user_id")
_PARAMETERS = ("customParameters", "custom_parameters", "extraHeaders", "extra_headers")
_FORMATS = ("mediaFormat", "media_format")
_MAX_CHUNK = 10**12
_MAX_MS = 10**14
"""No clock of a carrier, not even one that counts from 1970, comes so far in three thousand years."""
_IN_ALL = {
    "inbound_track": ("inbound",),
    "outbound_track": ("outbound",),
    "both_tracks": ("inbound", "outbound"),
    "both": ("inbound", "outbound"),
}


class TwilioReader:
    """Reads one stream. Nothing is ever sent back: whatever is sent would be played to the citizen."""

    wants_news: ClassVar[bool] = False
    lingers: ClassVar[bool] = False
    subprotocols: ClassVar[tuple[str, ...]] = ()

    def __init__(self, carrier: str, rules: CarrierRules):
        self.ends_on_close = carrier in _CLOSES_ONLY
        self._carrier = carrier
        self._rules = rules
        self._tracks: tuple[str, ...] = ()
        self._bytes_a_second = 8000
        self._next_s: dict[str, float] = {}
        """Where the next packet of a track begins, for carriers without timestamps."""

    def read(self, message: str | bytes) -> Sequence[Signal]:
        """Take one message. Raises `BadMessage`."""
        if isinstance(message, bytes):
            raise BadMessage("这里的消息都是文本。")
        found = object_in(message)
        match found.get("event"):
            case "start":
                return [self._begin(found)]
            case "media":
                return [self._sound(inner(found, "media"))]
            case "stop" | "closed":
                return [End()]
            case _:  # connected, dtmf, mark, and what may still be invented
                return []

    def _begin(self, found: dict[str, Any]) -> Begin:
        start = inner(found, "start")
        parameters = _parameters_in(start) or _parameters_in(found)
        media = inner(start, *_FORMATS)
        named = (text(media, "encoding") or _DEFAULTS.get(self._carrier, "audio/x-mulaw")).lower()
        encoding = _ENCODINGS.get(named.partition(";")[0].strip())
        if encoding is None:
            raise BadMessage(
                f"不支持编码 {named[:40]}，请在线路一侧改为 PCMU、PCMA 或 L16。", code="asr.unknown_encoding"
            )
        in_type = _RATE_IN_TYPE.search(named)
        rate_hz = number(media, "sampleRate", "sample_rate") or (int(in_type.group(1)) if in_type else 8000)
        if not 8000 <= rate_hz <= 48_000 or (encoding != "pcm_s16le" and rate_hz != 8000):
            raise BadMessage(f"采样率 {rate_hz:.0f} Hz 不能用于 {named[:40]}。", code="asr.bad_sample_rate")
        self._tracks = self._tracks_of(start)
        self._bytes_a_second = round(rate_hz) * (2 if encoding == "pcm_s16le" else 1)
        fields = {
            name: value
            for name, value in start.items()
            if name not in (*_KEYS, *_STREAMS, *_ACCOUNTS, *_PARAMETERS, *_FORMATS, "tracks")
        }
        fields |= parameters
        if stream := text(start, *_STREAMS) or text(found, *_STREAMS):
            fields["stream"] = stream
        return Begin(
            key=text(start, *_KEYS) or text(found, *_KEYS) or text(found, *_STREAMS),
            encoding=encoding,
            sample_rate_hz=round(rate_hz),
            tracks=self._tracks,
            fields=fields,
            token=token_in(parameters),
        )

    def _tracks_of(self, start: dict[str, Any]) -> tuple[str, ...]:
        if self._rules.tracks:
            return tuple(self._rules.tracks)
        said = start.get("tracks", start.get("track"))
        named: list[str] = []
        for one in [said] if isinstance(said, str) else said if isinstance(said, list) else []:
            if isinstance(one, str):
                named += _IN_ALL.get(one, (one,))
        # In a fixed order: a stream that is taken up again may name them the other way round.
        return tuple(sorted(set(named))) or _TRACKS.get(self._carrier, ("inbound",))

    def _sound(self, media: dict[str, Any]) -> Sound:
        track = text(media, "track") or (self._tracks[0] if self._tracks else "")
        track = _IN_ALL.get(track, (track,))[0]
        data = from_base64(media.get("payload"))
        if self._rules.byte_order == "big":
            data = little_endian(data)
        at_ms = number(media, "timestamp")
        if at_ms is not None and abs(at_ms) > _MAX_MS:
            raise BadMessage("timestamp 不是可能的时间。")
        at_s = self._next_s.get(track, 0.0) if at_ms is None else at_ms / 1000
        if track in self._tracks:
            self._next_s[track] = at_s + len(data) / self._bytes_a_second
        chunk = number(media, "chunk")
        is_counted = chunk is not None and 0 <= chunk < _MAX_CHUNK
        return Sound(track=track, at_s=at_s, data=data, number=int(chunk or 0) if is_counted else -1)

    def opened(self, received_s: float) -> Sequence[str]:
        """Nothing: Twilio waits for no answer."""
        return ()

    def refused(self, error: CallError, *, is_stranger: bool) -> Sequence[str]:
        """Nothing: the close code is all that Twilio takes note of."""
        return ()

    def told(self, news: Segment | Suggestion) -> Sequence[str]:
        """Nothing."""
        return ()

    def ended(self) -> Sequence[str]:
        """Nothing."""
        return ()


def _parameters_in(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the house told the carrier to send along: an object, one as text, or `a=1;b=2`."""
    if of_object := inner(found, *_PARAMETERS):
        return of_object
    return pairs(text(found, *_PARAMETERS) or "")
