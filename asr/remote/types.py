"""The types of recognition on other machines, and the messages between a server and its link to Ray.

In: batches and hypotheses. Out: `Card`, `Pulse`, what is said through the link, figures.
Not known here: Ray, how work is shared out.

An *ear* is one actor: a process on some machine that holds the model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from asr.decoder import Batch
from asr.transcriber import Transcriber
from asr.types import AsrError, Hypothesis

PREFIX = "ear1/"
"""Names of ears begin so: `ear1/MACHINE/NUMBER/LIFE`. The number changes with the types below."""

NO_EARS = "asr.no_ears"
"""Code: no ear is there, text comes later."""
OTHER_WEIGHTS = "ears.other_weights"
UNREACHABLE = "ears.ray_unreachable"


class NoRay(AsrError):
    """Ray cannot be reached; the message says what to do."""

    code = UNREACHABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOptions:
    """How ears are used by a server. Raises `ValueError` for values out of range."""

    address: str
    """Of Ray's head, or `auto`."""
    fingerprint: str
    """Of the weights and all that decides the text; ears with another one are not used."""
    again_after_s: float = 2.0
    """A batch not answered after this, and once its length, goes to a second ear, too, if one is idle."""
    lost_after_s: float = 10.0
    """A batch not answered after this, and three times its length, is taken from its ear."""
    silent_s: float = 5.0
    """An ear that shows no life for so long gets nothing more until it does; its work goes to others."""
    most_losses: int = 5
    """Ears that may be lost over one batch before it is given up."""
    stop_wait_s: float = 2.0
    """How long a batch waits for an ear while the server stops."""

    def __post_init__(self) -> None:
        if min(self.again_after_s, self.lost_after_s, self.silent_s) <= 0 or self.most_losses < 1:
            raise ValueError("times must be positive, most_losses 1 at least.")

    def again_s(self, batch: Batch) -> float:
        """When a second ear is asked."""
        return self.again_after_s + batch.seconds

    def lost_s(self, batch: Batch) -> float:
        """When an ear is no longer waited for."""
        return self.lost_after_s + 3 * batch.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A model as an ear holds it."""

    transcriber: Transcriber
    fingerprint: str
    engine: str
    device: str
    workers: int
    """Batches decoded at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What an ear is told when it begins."""

    open_model: Callable[[], Opened]
    """Called on the ear's machine; takes seconds."""
    calls: int
    """How many calls it is reckoned to carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What an ear says of itself, once."""

    machine: str
    pid: int
    fingerprint: str
    engine: str
    device: str
    workers: int
    calls: int
    zhiting: str
    python: str
    began_at: float
    """Unix time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What an ear says each second."""

    busy: float
    """Share of its workers' time that was used lately, 0 to 1."""
    pending: int
    """Batches that it decodes or keeps waiting, of all servers."""
    batches: int
    """Decoded since it began."""
    others_calls: int
    """Calls that other servers have."""
    is_leaving: bool
    """It finishes what it has and takes nothing more."""


# From the server through the link.


@dataclass(frozen=True, slots=True, kw_only=True)
class Decode:
    """Decode a batch; `attempt` is never used twice."""

    attempt: int
    ear: str
    batch: Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """How many calls the server has."""

    calls: int


# And back.


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """Ray is reached."""

    ray: str
    """Its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Ray cannot be reached; the link ends and is made anew."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """An ear is there."""

    ear: str
    card: Card


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """An ear lives."""

    ear: str
    pulse: Pulse


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """An ear does not answer; it may come back."""

    ear: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """An ear is no more."""

    ear: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an ear heard."""

    attempt: int
    found: list[Hypothesis]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No answer will come."""

    attempt: int
    reason: str
    """Name of the error's type."""
    is_engine: bool
    """The ear lives, and its engine failed on the batch."""


ToLink: TypeAlias = Decode | Holding
FromLink: TypeAlias = Linked | Trouble | Came | Beat | Silent | Gone | Answered | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class EarFigures:
    """One ear, as a server sees it."""

    name: str
    """`MACHINE/NUMBER`, the same for the one that follows it."""
    state: str
    """`ready`, `silent`, `leaving` or `other_weights`."""
    device: str
    workers: int
    busy: float
    pending: int
    batches: int
    """Decoded for all servers."""
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFigures:
    """All of them."""

    ears: tuple[EarFigures, ...]
    is_linked: bool
    trouble: str | None
    """Why Ray is not reached."""
    deaf_s: float
    """For how long no ear has been there."""
    is_standing_in: bool
    """This process decodes by itself meanwhile."""
    calls: int | None
    """How many calls can be heard, beside those of other servers."""
    lost: int
    """Ears that died or fell silent since the start."""
    redone: int
    """Batches given to another ear because the first was lost."""
    doubled: int
    """Batches given to a second ear because the first was slow."""

    @property
    def ready(self) -> int:
        """Ears that take work."""
        return sum(ear.state == "ready" for ear in self.ears)

    def by_label(self) -> dict[str, EarFigures]:
        """Each by its name; of one that has just been replaced, the younger."""
        return {ear.name: ear for ear in sorted(self.ears, key=lambda ear: -ear.age_s)}
