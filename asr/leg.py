"""Listens to one leg: frames of any size, gaps and all, become utterances.

In: the `AudioFrame`s of one party in order, and hints from the text so far.
Out: `Utterance`s as the segmenter decides them.
Not known here: threads, clocks, the other leg, what is said.
"""

from collections.abc import Sequence

import numpy as np

from asr.endpoint import Hint
from asr.segmenter import Segmenter, SegmenterOptions
from asr.types import SAMPLE_RATE_HZ, AudioFrame, Party, Samples, Utterance
from asr.vad import WINDOW, LegDetector

_JITTER = 160  # samples (10 ms) that a frame's start may be off without meaning anything
_BRIDGED = round(0.3 * SAMPLE_RATE_HZ)  # a lost packet or two must not split a word into two utterances


class Leg:
    """Brings frames into windows, the windows past the detector, and both to the segmenter."""

    def __init__(
        self,
        *,
        call_id: str,
        party: Party,
        detector: LegDetector,
        options: SegmenterOptions,
        first_number: int = 1,
    ) -> None:
        self._detector = detector
        self._segmenter = Segmenter(call_id=call_id, party=party, options=options, first_number=first_number)
        self._rest: Samples = np.zeros(0, dtype=np.float32)
        self._is_fresh = True

    def listen(self, frames: Sequence[AudioFrame], hint: Hint | None = None) -> list[Utterance]:
        """Take the next frames; sound that was heard already is left out, short gaps become silence."""
        if hint is not None:
            self._segmenter.expect(hint)
        given: list[Utterance] = []
        pieces: list[Samples] = []
        for frame in frames:
            at = round(frame.start_s * SAMPLE_RATE_HZ)
            samples = frame.samples
            if self._is_fresh:
                self._segmenter.jump(at)
                self._is_fresh = False
            missing = at - self._expected(pieces)
            if missing > _BRIDGED:
                given += self._hear(pieces)
                pieces = []
                given += self.finish()
                self._segmenter.jump(at)
            elif missing > _JITTER:
                pieces.append(np.zeros(missing, dtype=np.float32))
            elif missing < -_JITTER:
                samples = samples[-missing:]
            pieces.append(samples)
        return given + self._hear(pieces)

    def finish(self) -> list[Utterance]:
        """Close what is open, the sound short of a whole window included."""
        given: list[Utterance] = []
        if len(self._rest):
            given = self._hear([np.zeros(WINDOW - len(self._rest), dtype=np.float32)])
        self._detector.reset()
        given = [utterance for utterance in given if utterance.is_closed]
        return given + self._segmenter.finish()

    def _expected(self, pieces: Sequence[Samples]) -> int:
        waiting = len(self._rest) + sum(len(piece) for piece in pieces)
        return self._segmenter.position + waiting

    def _hear(self, pieces: Sequence[Samples]) -> list[Utterance]:
        samples = np.concatenate([self._rest, *pieces])
        whole = len(samples) // WINDOW * WINDOW
        self._rest = samples[whole:]
        if not whole:
            return []
        return self._segmenter.feed(samples[:whole], self._detector.detect(samples[:whole]))
