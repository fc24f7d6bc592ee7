"""The words of Asterisk's chan_websocket, as far as a listener needs them.

In: text messages, plain or JSON, binary sound, what stands in the address. Out: signals, and the one word
that we say. Pure but for the state of one connection.
Not known here: sockets, calls, how the legs of a call find each other.

Source: docs.asterisk.org, Configuration/Channel-Drivers/WebSocket. Plain: `MEDIA_START name:value …`; JSON
(from 20.18, 22.8, 23.2 by setting): `{"event": "MEDIA_START", …}`. Sound is binary, frames of the codec.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from asr.types import Segment
from calls.ingest.json_fields import inner, object_in, text
from calls.ingest.messages import BadMessage
from calls.ingest.signals import Begin, Block, Signal
from calls.types import CallError
from retrieval.types import Suggestion

_FORMATS = {
    "ulaw": ("mulaw", 8_000),
    "alaw": ("alaw", 8_000),
    "slin": ("pcm_s16le", 8_000),
    "slin12": ("pcm_s16le", 12_000),
    "slin16": ("pcm_s16le", 16_000),
    "slin24": ("pcm_s16le", 24_000),
    "slin32": ("pcm_s16le", 32_000),
    "slin44": ("pcm_s16le", 44_100),
    "slin48": ("pcm_s16le", 48_000),
    "slin96": ("pcm_s16le", 96_000),
    "slin192": ("pcm_s16le", 192_000),
}
_OPTIONS = ("event", "format", "optimal_frame_size", "ptime", "channel_variables", "connection_id")
_MAX_TEXT = 65_536
_PAIR = re.compile(r"([A-Za-z_]+):(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The first message: sound of that kind will follow."""

    encoding: str
    rate_hz: int
    connection: str
    """The channel driver's own name of the connection."""
    is_json: bool
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Channel, and variables of it that the dialplan let through."""


def started_in(message: str) -> Started | None:
    """What a text says of the sound that follows; None for other messages. Raises `BadMessage`."""
    if len(message) > _MAX_TEXT:
        raise BadMessage("消息超过 64 KB。")
    is_json = message.lstrip().startswith("{")
    if is_json:
        said = object_in(message)
        kind = text(said, "event")
    else:
        kind, _, rest = message.strip().partition(" ")
        said = dict(_PAIR.findall(rest))
    if kind != "MEDIA_START":
        return None
    named = text(said, "format") or ""
    if named not in _FORMATS:
        wanted = "ulaw、alaw 或 slin16"
        raise BadMessage(f"不支持格式“{named[:20]}”，请用 c({wanted})。", code="asr.unknown_encoding")
    encoding, rate_hz = _FORMATS[named]
    return Started(
        encoding=encoding,
        rate_hz=rate_hz,
        connection=text(said, "connection_id") or "",
        is_json=is_json,
        fields={name: value for name, value in said.items() if name not in _OPTIONS}
        | inner(said, "channel_variables"),
    )


def hang_up(*, is_json: bool) -> str:
    """Said to a connection that is not taken: only its own channel ends by it."""
    return json.dumps({"command": "HANGUP"}) if is_json else "HANGUP"


class AsteriskReader:
    """Reads one connection, which brings one voice."""

    ends_on_close: ClassVar[bool] = True
    wants_news: ClassVar[bool] = False
    lingers: ClassVar[bool] = False
    subprotocols: ClassVar[tuple[str, ...]] = ("media",)

    def __init__(self, query: Mapping[str, str]):
        """`query` says what the protocol does not."""
        self._query = query
        self._started: Started | None = None

    def read(self, message: str | bytes) -> Sequence[Signal]:
        """Take one message. Raises `BadMessage`."""
        if isinstance(message, bytes):
            if self._started is None:
                raise BadMessage("在 MEDIA_START 之前收到了声音。", code="call.not_started")
            return [Block(message)]
        if self._started is not None or (started := started_in(message)) is None:
            return []
        self._started = started
        return [
            Begin(
                key=started.connection or None,
                encoding=started.encoding,
                sample_rate_hz=started.rate_hz,
                tracks=("mixed",),
                fields=dict(started.fields) | dict(self._query),
            )
        ]

    def opened(self, received_s: float) -> Sequence[str]:
        """Nothing: the channel is answered by who made it."""
        return ()

    def refused(self, error: CallError, *, is_stranger: bool) -> Sequence[str]:
        """The connection's own channel is hung up, and nothing else."""
        return [hang_up(is_json=self._started is not None and self._started.is_json)]

    def told(self, news: Segment | Suggestion) -> Sequence[str]:
        """Nothing."""
        return ()

    def ended(self) -> Sequence[str]:
        """Nothing."""
        return ()
