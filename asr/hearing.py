"""The ears of every call: one pool, one detector, the words in use, and how the text shall read.

In: frames of a call, and how far its legs were heard before. Out: its segments.
Not known here: journals, screens, who sets what may be set.
"""

from collections.abc import AsyncIterator, Callable, Mapping

from asr.stream import StreamOptions, recognise_call
from asr.types import AudioFrame, Party, Segment
from asr.vad import SpeechDetector
from asr.wording import Wording
from asr.worker import RecognitionPool


class Hearing:
    """Recognises calls; each goes on to its end as it was when it began."""

    def __init__(
        self,
        pool: RecognitionPool,
        *,
        detector: SpeechDetector,
        wording: Wording,
        options: Callable[[], StreamOptions],
    ) -> None:
        self._pool = pool
        self._detector = detector
        self._wording = wording
        self._options = options

    def recognise(
        self, _call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
    ) -> AsyncIterator[Segment]:
        """The segments of a call; `numbers` are those of the last utterance of each leg so far."""
        return recognise_call(
            frames,
            pool=self._pool,
            detector=self._detector,
            options=self._options(),
            first_numbers={party: number + 1 for party, number in numbers.items()},
            lexicon=self._wording.lexicon,
        )
