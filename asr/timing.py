"""When finals were decoded, for whoever watches; without one nothing is remembered.

In: batches as they are decoded, finals as they are answered. Out: `FinalHeard`, told to one listener.
Not known here: text, what the listener does. Times are seconds of the event loop's clock, which is monotonic.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from asr.types import SAMPLE_RATE_HZ, Party, Utterance

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How one batch was decoded."""

    began_s: float
    ended_s: float
    together: int
    """Utterances in the batch."""
    ear: str = ""
    """Which ear it was, where it was on another machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalHeard:
    """A closed utterance whose text is known; it has none where the engine failed or nothing was said."""

    call_id: str
    segment_id: str
    party: Party
    sound_s: float
    closed_s: float
    """When it was closed and queued."""
    decoding: Decoding | None
    """None where nobody knows any more."""


Listener: TypeAlias = Callable[[FinalHeard], None]


class Timing(Generic[T]):
    """Belongs to one pool; a ticket stands for an utterance that somebody waits for."""

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self._decodings: WeakKeyDictionary[T, Decoding] = WeakKeyDictionary()

    def listen(self, listener: Listener) -> None:
        """Tell it of all finals from now on."""
        self.listener = listener

    def decoded(self, tickets: Iterable[T], decoding: Decoding) -> None:
        """Remember it as long as somebody holds the tickets."""
        for ticket in tickets:
            self._decodings[ticket] = decoding

    def answered(self, utterance: Utterance, ticket: T, closed_s: float) -> None:
        """A final is answered: tell the listener, if there is one."""
        if self.listener is not None:
            self.listener(
                FinalHeard(
                    call_id=utterance.call_id,
                    segment_id=utterance.segment_id,
                    party=utterance.party,
                    sound_s=len(utterance.samples) / SAMPLE_RATE_HZ,
                    closed_s=closed_s,
                    decoding=self._decodings.get(ticket),
                )
            )
