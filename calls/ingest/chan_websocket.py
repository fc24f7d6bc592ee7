"""The words of Asterisk's chan_websocket, as far as a listener needs them.

In: text messages, plain or JSON. Out: how the sound is written and what is known of the channel; the one word
that we say. Pure.
Not known here: sockets, calls, which leg a connection brings.

Source: docs.asterisk.org, Configuration/Channel-Drivers/WebSocket. Plain: `MEDIA_START name:value …`; JSON
(from 20.18, 22.8, 23.2 by setting): `{"event": "MEDIA_START", …}`. Sound is binary, frames of the codec.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from calls.ingest.json_fields import inner, object_in, text
from calls.ingest.messages import BadMessage

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
