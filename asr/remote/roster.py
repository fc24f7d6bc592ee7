"""Who can be given what: the ears of all machines, as one server knows them.

In: what they say of themselves, which attempts were begun and ended. Out: the ear for the next batch.
Not known here: Ray, event loops, sound. `now` is always an argument.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from asr.remote.types import OTHER_WEIGHTS, Card, EarFigures, Pulse

_AILING = 3  # failures of the engine in a row
_RESTS_S = 30.0
_REST = Pulse(busy=0.0, pending=0, batches=0, others_calls=0, is_leaving=False)


@dataclass(slots=True, kw_only=True)
class Ear:
    """One actor."""

    name: str
    card: Card
    is_usable: bool
    """Whether it hears as this server would."""
    is_silent: bool = False
    pulse: Pulse = _REST
    attempts: set[int] = field(default_factory=set)
    """Of this server, not yet answered."""
    failures: int = 0
    """Of its engine, in a row."""
    rests_until: float = 0.0

    @property
    def machine(self) -> str:
        """Where it is."""
        return self.card.machine

    @property
    def label(self) -> str:
        """Its name without that of its life."""
        return label_of(self.name)

    @property
    def is_ready(self) -> bool:
        """Whether it may be given work."""
        return self.is_usable and not self.is_silent and not self.pulse.is_leaving

    @property
    def state(self) -> str:
        """For people and programs."""
        if not self.is_usable:
            return OTHER_WEIGHTS.removeprefix("ears.")
        if self.is_silent:
            return "silent"
        return "leaving" if self.pulse.is_leaving else "ready"

    @property
    def burden(self) -> float:
        """Work in hand for each worker, that of other servers as it last said."""
        return max(len(self.attempts), self.pulse.pending) / self.card.workers


class Roster:
    """The ears of the moment."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        self._ears: dict[str, Ear] = {}

    def __len__(self) -> int:
        """How many may be given work."""
        return len(self._ready)

    @property
    def places(self) -> int:
        """Batches that they decode at the same time."""
        return sum(ear.card.workers for ear in self._ready)

    @property
    def calls(self) -> int:
        """Calls that they carry, less those of other servers."""
        others = max((ear.pulse.others_calls for ear in self._ready), default=0)
        return max(0, sum(ear.card.calls for ear in self._ready) - others)

    def come(self, name: str, card: Card) -> Ear:
        """Take one in."""
        ear = Ear(name=name, card=card, is_usable=card.fingerprint == self._fingerprint)
        self._ears[name] = ear
        return ear

    def beat(self, name: str, pulse: Pulse) -> None:
        """It lives; unknown ones are ignored."""
        if (ear := self._ears.get(name)) is not None:
            ear.pulse, ear.is_silent = pulse, False

    def hush(self, name: str) -> set[int]:
        """It is silent: give it nothing more. Gives back what it has in hand."""
        ear = self._ears.get(name)
        if ear is None:
            return set()
        ear.is_silent = True
        return ear.attempts.copy()

    def go(self, name: str) -> set[int]:
        """It is no more. Gives back what it had in hand."""
        ear = self._ears.pop(name, None)
        return ear.attempts if ear else set()

    def go_all(self) -> set[int]:
        """Nobody can be reached."""
        attempts = set[int]().union(*(ear.attempts for ear in self._ears.values()))
        self._ears.clear()
        return attempts

    def pick(self, now: float, *, avoid: Collection[str] = (), only_idle: bool = False) -> Ear | None:
        """Choose the ear with the least work in hand; none where every place is taken.

        `avoid` are machines that are taken only where there is no other; with `only_idle` they are not
        taken at all, and neither is an ear that has more to do than it has workers.
        """
        free = [ear for ear in self._ready if len(ear.attempts) < ear.card.workers]
        well = [ear for ear in free if ear.rests_until <= now] or free
        elsewhere = [ear for ear in well if ear.machine not in avoid and ear.name not in avoid]
        if only_idle:
            return min((ear for ear in elsewhere if ear.burden < 1), key=_order, default=None)
        return min(elsewhere or well, key=_order, default=None)

    def begin(self, ear: Ear, attempt: int) -> None:
        """It was given a batch."""
        ear.attempts.add(attempt)

    def end(self, name: str, attempt: int, now: float, *, has_failed: bool = False) -> None:
        """It has answered, or is no longer waited for."""
        ear = self._ears.get(name)
        if ear is None:
            return
        ear.attempts.discard(attempt)
        ear.failures = ear.failures + 1 if has_failed else 0
        if ear.failures >= _AILING:
            ear.rests_until = now + _RESTS_S

    def rest(self, name: str, now: float) -> None:
        """It took too long: others are asked first, for a while."""
        if (ear := self._ears.get(name)) is not None:
            ear.rests_until = now + _RESTS_S

    def is_ready(self, name: str) -> bool:
        """Whether it may be given work."""
        ear = self._ears.get(name)
        return ear is not None and ear.is_ready

    def machine_of(self, name: str) -> str:
        """Where it is; empty for one that is no more."""
        ear = self._ears.get(name)
        return ear.machine if ear else ""

    def figures(self, wall: float) -> tuple[EarFigures, ...]:
        """Each ear; `wall` is Unix time."""
        return tuple(
            EarFigures(
                name=ear.label,
                state=ear.state,
                device=ear.card.device,
                workers=ear.card.workers,
                busy=ear.pulse.busy,
                pending=max(len(ear.attempts), ear.pulse.pending),
                batches=ear.pulse.batches,
                age_s=max(0.0, wall - ear.card.began_at),
            )
            for ear in sorted(self._ears.values(), key=lambda ear: ear.name)
        )

    @property
    def _ready(self) -> list[Ear]:
        return [ear for ear in self._ears.values() if ear.is_ready]


def label_of(name: str) -> str:
    """The name of an ear without that of its life: the same for the one that follows it."""
    return "/".join(name.split("/")[1:-1]) or name


def _order(ear: Ear) -> tuple[float, str]:
    return ear.burden, ear.name
