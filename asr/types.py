"""The types that the ears emit, in the order in which sound becomes text.

In: nothing; this module imports no other module of the project.
Out: `AudioFrame` → `Utterance` → `Hypothesis` → `Segment`, and the errors of the ears.
Not known here: sockets, files, models, calls beyond their identifier.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
"""Everything behind the door of `asr` runs at this rate."""

Samples: TypeAlias = NDArray[np.float32]
"""Shape (n,), mono, 16 kHz, range [-1, 1]."""


class Party(StrEnum):
    """One telephone leg; `MIXED` where a mono recording holds both speakers."""

    CITIZEN = "citizen"
    OPERATOR = "operator"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFrame:
    """A stretch of one leg's sound. `start_s` is media time: seconds since the call's first sample."""

    call_id: str
    party: Party
    start_s: float
    samples: Samples

    @property
    def end_s(self) -> float:
        """Media time just after the last sample."""
        return self.start_s + len(self.samples) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Speech of one leg between two pauses; open while it still grows, closed once and for all."""

    call_id: str
    party: Party
    number: int
    """Counts the utterances of this leg in this call, from 1."""
    start_s: float
    end_s: float
    samples: Samples
    is_closed: bool
    is_settled: bool = False
    """Open, but the speaker has paused: if nothing more is said, the closed one holds the same speech."""
    is_guess: bool = False
    """Settled, but after so short a pause that the speaker is likely to go on: worth the time to spare."""
    speech_end_s: float = 0.0
    """Where its last speech ends; two utterances of one number with the same end hold the same speech."""
    voiced_s: float = 0.0
    """How much of it is speech, pauses and margins left out."""
    speech_prob: float = 1.0
    """How probable it is that this part is speech, on average."""

    @property
    def segment_id(self) -> str:
        """The identity of the text that will come of it, stable from first partial to final."""
        return f"{self.party}-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A piece of text with its place in media time."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """What a transcriber heard in one utterance, as it came out of the model."""

    text: str
    avg_logprob: float
    """Mean log probability of the tokens; nearer to 0 is surer."""
    no_speech_prob: float
    words: tuple[Word, ...] = ()
    is_rejected: bool = False
    """True where every attempt looped or made no sense; `text` is then empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One replacement made in a segment's text, so that a person can see and undo it."""

    start: int
    """Index of the first replaced character in `Segment.text` (after replacement)."""
    heard: str
    written: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The text of one utterance. The same `segment_id` replaces the earlier one until `is_final`."""

    call_id: str
    segment_id: str
    party: Party
    start_s: float
    end_s: float
    text: str
    raw_text: str
    """What the model wrote, before any of our own changes."""
    is_final: bool
    words: tuple[Word, ...] = field(default=())
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    corrections: tuple[Correction, ...] = field(default=())
    is_unclear: bool = False
    """The final is a poor guess: whoever reads it had better listen."""


class AsrError(Exception):
    """What can go wrong while hearing.

    AsrError
    ├── BadAudio          the bytes are not the sound they were said to be
    └── EarsFull          more utterances are waiting than can be recognised in time
    """

    code = "asr.error"
    recoverable = False

    def __init__(self, message: str, *, code: str | None = None, recoverable: bool | None = None):
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.recoverable = type(self).recoverable if recoverable is None else recoverable


class BadAudio(AsrError):
    """The encoding is unknown, the file unreadable or a message not whole samples."""

    code = "asr.bad_audio"


class EarsFull(AsrError):
    """Recognition is at its limit; nothing already accepted is lost, nothing new is taken."""

    code = "asr.full"
    recoverable = True
