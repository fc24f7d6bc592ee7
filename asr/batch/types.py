"""The types of batch transcription, in the order in which a file becomes text.

In: nothing but the types of the ears.
Out: `Source` → `FileFacts` and `Piece`s → `Transcript`, or a `Refusal`.
Not known here: processes, where results are kept, what they look like on paper.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from asr.segmenter import SegmenterOptions
from asr.types import Hypothesis, Party, Utterance

Channels: TypeAlias = Literal["auto", "stereo", "mono"]
"""How channels become legs; `auto`: two different channels are two legs, anything else is one mixed leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningOptions:
    """How a file becomes utterances. Raises `ValueError` for values out of range."""

    channels: Channels = "auto"
    left: Party = Party.CITIZEN
    """Whose leg the left channel is."""
    segmenter: SegmenterOptions = field(default_factory=SegmenterOptions)
    """Cut as live calls are; longer utterances are not heard better (measured: docs/benchmarks.md)."""
    block_s: float = 8.0
    """Sound of each leg that is searched for speech at once."""
    look_s: float = 30.0
    """Sound from the beginning in which it is looked whether both channels carry the same."""
    max_s: float = 12 * 3600.0
    """Longer files are refused."""
    voices: Path | None = None
    """Weights by which the two speakers of a mixed leg are told apart; None: nobody asks."""

    def __post_init__(self) -> None:
        if self.left is Party.MIXED:
            raise ValueError("left must be citizen or operator.")
        if not 0.1 <= self.block_s <= 60.0 or self.look_s <= 0 or self.max_s <= 0:
            raise ValueError("block_s must lie between 0.1 and 60 s, look_s and max_s above 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to be transcribed."""

    path: Path
    name: str
    """As people know it: relative to the folder that was named."""
    digest: str
    """SHA-256 of its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What is known of a file that was read to its end."""

    seconds: float
    parties: tuple[Party, ...]
    source_channels: int
    is_alike: bool
    """Both channels carried the same sound."""
    is_truncated: bool
    """It says that it is longer than it is."""
    utterances: int
    speakers: tuple[int, ...] = ()
    """Whose voice each utterance of a mixed leg is, by its number: 1, who is heard first, or 2. Empty where
    nobody asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One utterance of a file, as it was recognised."""

    party: Party
    number: int
    start_s: float
    end_s: float
    hypothesis: Hypothesis

    @classmethod
    def of(cls, utterance: Utterance, hypothesis: Hypothesis) -> "Piece":
        """Keep what is left of an utterance when its sound is no longer needed."""
        return cls(
            party=utterance.party,
            number=utterance.number,
            start_s=utterance.start_s,
            end_s=utterance.end_s,
            hypothesis=hypothesis,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """All that was recognised in a file, ordered by time."""

    facts: FileFacts
    pieces: tuple[Piece, ...]

    @property
    def is_speechless(self) -> bool:
        """Whether nobody was understood to say anything."""
        return not any(piece.hypothesis.text for piece in self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a file has no transcript."""

    code: str
    """E.g. `asr.file_unreadable`."""
    attempts: int
