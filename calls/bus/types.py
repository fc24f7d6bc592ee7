"""What processes of one house tell each other, and what carries it.

In: facts with their places in streams, partials, figures of running calls. Out: messages as versioned JSON.
Not known here: what carries them, who listens, what a screen shows.

Nothing depends on a message: what became durable is in the database, and whoever missed it reads it there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from asr.types import Segment
from calls.facts import from_payload, to_payload
from calls.types import Entry

MAX_PAYLOAD_BYTES = 65_536
"""A larger fact is told without its content: readers take it from the database."""


class BadMessage(Exception):
    """Somebody wrote what is no message of ours."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    sender: str = ""


class Place(BaseModel):
    """Where a fact stands in one stream."""

    model_config = ConfigDict(frozen=True)

    stream: str
    seq: int


class FactMessage(_Message):
    """A fact has become durable. Without `payload` only its places are told."""

    kind: Literal["fact"] = "fact"
    places: tuple[Place, ...]
    call_id: str | None
    at: datetime
    type: str
    payload: dict[str, Any] | None = None

    def entries(self) -> list[Entry]:
        """The fact in every stream; empty where its content was too large, or is not of this version."""
        if self.payload is None:
            return []
        try:
            fact = from_payload(self.type, self.payload)
        except (KeyError, ValidationError):  # a newer program runs beside this one
            return []
        return [
            Entry(stream=place.stream, seq=place.seq, at=self.at, call_id=self.call_id, fact=fact)
            for place in self.places
        ]


class PartialMessage(_Message):
    """Text that may still change."""

    kind: Literal["partial"] = "partial"
    operator_id: str | None
    segment: Segment


class LagMessage(_Message):
    """How a running call fares at the process that holds it."""

    kind: Literal["lag"] = "lag"
    call_id: str
    operator_id: str | None
    lag_s: float
    received_s: float


class NudgeMessage(_Message):
    """Somebody holds, wants or has let go of a call: look into the database now."""

    kind: Literal["nudge"] = "nudge"


class PaperMessage(_Message):
    """A small file that all share was changed: look into the database now."""

    kind: Literal["paper"] = "paper"


Message: TypeAlias = FactMessage | PartialMessage | LagMessage | NudgeMessage | PaperMessage
_ANY: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def fact_messages(entries: Sequence[Entry]) -> list[FactMessage]:
    """One message for each fact that was written, whatever the streams that it stands in."""
    by_fact: dict[int, list[Entry]] = {}
    for entry in entries:
        by_fact.setdefault(id(entry.fact), []).append(entry)
    return [
        FactMessage(
            places=tuple(Place(stream=entry.stream, seq=entry.seq) for entry in same),
            call_id=same[0].call_id,
            at=same[0].at,
            type=same[0].fact.type,
            payload=to_payload(same[0].fact),
        )
        for same in by_fact.values()
    ]


def written(message: Message, sender: str) -> bytes:
    """The message as it travels."""
    signed = message.model_copy(update={"sender": sender})
    text = signed.model_dump_json().encode()
    if len(text) > MAX_PAYLOAD_BYTES and isinstance(signed, FactMessage):
        text = signed.model_copy(update={"payload": None}).model_dump_json().encode()
    return text


def read(text: bytes) -> Message:
    """What `written` wrote. Raises `BadMessage`."""
    try:
        return _ANY.validate_json(text)
    except ValidationError as error:
        raise BadMessage(error.error_count()) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class BusStats:
    """How the bus fares."""

    name: str
    """What carries it; empty where this process is alone."""
    is_up: bool
    waiting: int = 0
    sent: int = 0
    received: int = 0
    lost: int = 0
    """Messages that were not sent: the others read what they need from the database."""
    malformed: int = 0
    outages: int = 0


class Bus(Protocol):
    """Carries messages between processes. All methods are called on the event loop."""

    def publish(self, message: Message) -> None:
        """Hand a message on; never waits, never fails."""

    async def run(self, deliver: Callable[[Message], None]) -> None:
        """Hand over what the others tell, without end."""

    async def flush(self) -> None:
        """Let what waits be sent, as far as that is a matter of moments."""

    def stats(self) -> BusStats:
        """The figures of the moment."""
