"""The text messages of our own audio socket.

In: JSON text from a carrier. Out: checked messages, or `BadMessage` with a code.
Not known here: sockets, calls, sound.
"""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from asr.types import Party
from calls.types import AudioFormat, CallError
from knowledge_base.plain_text import plain

_MIN_RATE_HZ, _MAX_RATE_HZ, _G711_RATE_HZ = 8_000, 48_000, 8_000
_MAX_META_KEYS, _MAX_META_BYTES = 64, 8_192
_YEARS = range(2000, 2200)

_FIELD_CODES = {"encoding": "asr.unknown_encoding", "sample_rate": "asr.bad_sample_rate"}


def _shown(name: str | None) -> str | None:
    """A switch may send along anything; a call is not refused for it."""
    return plain(name or "").strip() or None


Name = Annotated[str, Field(min_length=1, max_length=64)]
ShownName = Annotated[Name | None, AfterValidator(_shown)]


class BadMessage(CallError):
    """A message that is not of the protocol."""

    code = "call.bad_message"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Start(_Message):
    """The first message of a line."""

    type: Literal["start"]
    encoding: Literal["pcm_s16le", "mulaw", "alaw"]
    sample_rate: int = Field(ge=_MIN_RATE_HZ, le=_MAX_RATE_HZ)
    channels: tuple[Party, ...] = Field(min_length=1, max_length=2)
    call_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")] | None = None
    operator_id: ShownName = None
    caller: ShownName = None
    dialled: ShownName = None
    started_at: AwareDatetime | None = None
    meta: dict[Name, JsonValue] = Field(default_factory=dict, max_length=_MAX_META_KEYS)
    reconnect: bool = False
    buffered: bool = False
    """With `reconnect`: the carrier kept what did not arrive, so no time is missing."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.encoding != "pcm_s16le" and self.sample_rate != _G711_RATE_HZ:
            raise ValueError("mulaw and alaw are 8000 Hz")
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("a party may have one channel only")
        if len(self.channels) > 1 and Party.MIXED in self.channels:
            raise ValueError("mixed stands alone")
        if self.started_at is not None and self.started_at.year not in _YEARS:
            raise ValueError("started_at is no time of a telephone call")
        try:
            meta = json.dumps(self.meta, ensure_ascii=False, allow_nan=False).encode()
        except ValueError:
            raise ValueError(
                "meta holds what JSON does not know: NaN, Infinity or half a character"
            ) from None
        if len(meta) > _MAX_META_BYTES:
            raise ValueError(f"meta is longer than {_MAX_META_BYTES} bytes")
        if self.reconnect and self.call_id is None:
            raise ValueError("reconnect needs the call_id")
        return self

    @property
    def audio_format(self) -> AudioFormat:
        """How the binary messages are to be read."""
        return AudioFormat(
            encoding=self.encoding, sample_rate_hz=self.sample_rate, channels=tuple(self.channels)
        )


class Pause(_Message):
    """Media time stops: music on hold, a talk with a colleague."""

    type: Literal["pause"]


class Unpause(_Message):
    """Media time goes on."""

    type: Literal["unpause"]


class Dtmf(_Message):
    """A key was pressed on the telephone."""

    type: Literal["dtmf"]
    digit: Annotated[str, Field(pattern=r"^[0-9A-D*#]$")]


class Stop(_Message):
    """The call is over; no more sound will come."""

    type: Literal["stop"]


LineMessage = Annotated[Start | Pause | Unpause | Dtmf | Stop, Field(discriminator="type")]
_MESSAGES: TypeAdapter[LineMessage] = TypeAdapter(LineMessage)


def read_message(text: str) -> LineMessage:
    """Parse one text message. Raises `BadMessage` with the code that fits best."""
    try:
        return _MESSAGES.validate_json(text)
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        where = [str(part) for part in first["loc"][1:]]
        code = _FIELD_CODES.get(where[0] if where else "", BadMessage.code)
        if "8000 Hz" in first["msg"]:
            code = "asr.bad_sample_rate"
        place = ".".join(where) or "消息"
        raise BadMessage(f"消息格式不对（{place}：{first['msg']}）。", code=code) from None
