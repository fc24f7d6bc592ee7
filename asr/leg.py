"""Listens to the legs of one call: frames of any size, gaps and all, become utterances.

In: the `AudioFrame`s of each party in order, and hints from the text so far.
Out: `Utterance`s as the segmenter decides them, without what one leg only repeats of another.
Not known here: threads, clocks, what is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asr.crosstalk import LeakOptions, Trace, without_leaks
from asr.endpoint import Hint
from asr.segmenter import Segmenter, SegmenterOptions
from asr.types import SAMPLE_RATE_HZ, AudioFrame, Party, Samples, Utterance
from asr.vad import WINDOW, LegDetector, Probabilities

_JITTER = 160  # samples (10 ms) that a frame's start may be off without meaning anything
_BRIDGED = round(0.3 * SAMPLE_RATE_HZ)  # a lost packet or two must not split a word into two utterances


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Windows that were judged and wait to be segmented; without any, the time from which it goes on."""

    start: int  # media time in samples
    samples: Samples
    probabilities: Probabilities


_NO_SAMPLES: Samples = np.zeros(0, dtype=np.float32)


class Leg:
    """Brings frames into windows, the windows past the detector, and both to the segmenter."""

    def __init__(
        self,
        *,
        call_id: str,
        party: Party,
        detector: LegDetector,
        options: SegmenterOptions,
        leaks: LeakOptions | None = None,
        first_number: int = 1,
    ) -> None:
        self._detector = detector
        self._segmenter = Segmenter(call_id=call_id, party=party, options=options, first_number=first_number)
        self._leaks = leaks or LeakOptions()
        self._rest: Samples = _NO_SAMPLES
        self._position = 0  # media time of the first sample of the rest
        self._is_fresh = True
        self._judged: list[_Stretch] = []
        self.trace = Trace()
        """What the other legs compare their sound with."""

    def listen(self, frames: Sequence[AudioFrame], hint: Hint | None = None) -> list[Utterance]:
        """Take the next frames of a leg that has no other beside it; as `hear`, then `decide`."""
        self.hear(frames)
        return self.decide(hint)

    def hear(self, frames: Sequence[AudioFrame]) -> None:
        """Take the next frames; sound that was heard already is left out, short gaps become silence."""
        pieces: list[Samples] = []
        for frame in frames:
            at = round(frame.start_s * SAMPLE_RATE_HZ)
            samples = frame.samples
            if self._is_fresh:
                self._jump(at)
                self._is_fresh = False
            missing = at - self._position - len(self._rest) - sum(len(piece) for piece in pieces)
            if missing > _BRIDGED:
                self._judge(pieces)
                pieces = []
                self._pause()
                self._jump(at)
            elif missing > _JITTER:
                pieces.append(np.zeros(missing, dtype=np.float32))
            elif missing < -_JITTER:
                samples = samples[-missing:]
            pieces.append(samples)
        self._judge(pieces)

    def decide(self, hint: Hint | None = None, others: Sequence[Trace] = ()) -> list[Utterance]:
        """Segment what was heard, leaving out what it repeats of the other legs, which heard as much."""
        if hint is not None:
            self._segmenter.expect(hint)
        given: list[Utterance] = []
        judged, self._judged = self._judged, []
        for stretch in judged:
            if not len(stretch.samples):
                given = [one for one in given if one.is_closed] + self._segmenter.jump(stretch.start)
                continue
            cleared = without_leaks(self.trace, others, stretch.start, stretch.probabilities, self._leaks)
            given += self._segmenter.feed(stretch.samples, cleared)
        return given

    def finish(self, others: Sequence[Trace] = ()) -> list[Utterance]:
        """Close what is open, the sound short of a whole window included."""
        self._pause()
        given = [utterance for utterance in self.decide(None, others) if utterance.is_closed]
        return given + self._segmenter.finish()

    def _jump(self, position: int) -> None:
        self._position = position
        self._judged.append(_Stretch(position, _NO_SAMPLES, _NO_SAMPLES))

    def _pause(self) -> None:
        """Fill up the last window; what comes next does not follow it."""
        if len(self._rest):
            self._judge([np.zeros(WINDOW - len(self._rest), dtype=np.float32)])
        self._detector.reset()

    def _judge(self, pieces: Sequence[Samples]) -> None:
        samples = np.concatenate([self._rest, *pieces])
        whole = len(samples) // WINDOW * WINDOW
        self._rest = samples[whole:]
        if whole:
            judged = samples[:whole]
            self._judged.append(_Stretch(self._position, judged, self._detector.detect(judged)))
            self.trace.add(self._position, judged)
            self._position += whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one leg has to listen to next."""

    leg: Leg
    frames: Sequence[AudioFrame]
    hint: Hint | None = None


def listen_together(heard: Sequence[Heard]) -> list[list[Utterance]]:
    """Let all legs of a call hear first and decide then; gives the utterances of each.

    A leg that comes first could not know yet that the other one begins to speak.
    """
    for one in heard:
        one.leg.hear(one.frames)
    given = []
    for one in heard:
        others = [other.leg.trace for other in heard if other is not one]
        given.append(one.leg.decide(one.hint, others))
    return given
