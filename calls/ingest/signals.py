"""What every carrier's protocol boils down to: a beginning, sound, pauses, an end.

In: nothing. Out: frozen signals that readers of protocols make and that `calls/ingest/carrying.py` acts on.
Not known here: protocols, sockets, calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeAlias

from asr.types import Segment
from calls.types import CallError
from retrieval.types import Suggestion

MAX_GAP_S = 900.0
"""Seconds of silence that are kept at most for sound that never came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A stream says what it is."""

    key: str | None
    """By which the carrier knows the call; the same one on a new connection takes the call up again."""
    encoding: str
    sample_rate_hz: int
    tracks: tuple[str, ...]
    """The carrier's names of the channels, in the order of their samples or by their place in `Sound`."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What the carrier says of the call beside that."""
    token: str | None = None
    """A token that came in the message, for carriers that cannot set headers."""
    started_at: datetime | None = None
    continues: tuple[str, ...] = ()
    """Keys by which the call was known before."""
    is_probe: bool = False
    """Only the connection is tried; there is no call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A packet of one track, with its moment on the carrier's clock."""

    track: str
    at_s: float
    data: bytes
    number: int = -1
    """Counts the packets of the track, where the protocol does."""


@dataclass(frozen=True, slots=True)
class Block:
    """Sound of all tracks, interleaved, right after the block before."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """The carrier says that so much sound was thrown away on its side."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Media time stops, or goes on."""

    is_on: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A message to be sent back at once."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    """The call, or its stream, is over."""


Signal: TypeAlias = Begin | Sound | Block | Gap | Hold | Answer | End


class Reader(Protocol):
    """Reads one connection of one protocol, and says in its words what is to be said."""

    @property
    def ends_on_close(self) -> bool:
        """Whether an orderly close is all that is said at the end of a call."""

    wants_news: ClassVar[bool]
    """Whether transcripts and cards are sent back."""
    lingers: ClassVar[bool]
    """Whether the carrier closes, also after a refusal."""
    subprotocols: ClassVar[tuple[str, ...]]
    """Of the websocket, where the carrier insists on one."""

    def read(self, message: str | bytes) -> Sequence[Signal]:
        """Take one message. Raises `BadMessage`, after which the next one may be read."""

    def opened(self, received_s: float) -> Sequence[str]:
        """Said once the call is open; so much sound it has had on earlier connections."""

    def refused(self, error: CallError, *, is_stranger: bool) -> Sequence[str]:
        """Said where no call was opened, or it cannot go on; `is_stranger`: nobody knows who they are."""

    def told(self, news: Segment | Suggestion) -> Sequence[str]:
        """Said when something was heard or found."""

    def ended(self) -> Sequence[str]:
        """Said once all of the call is on record."""
