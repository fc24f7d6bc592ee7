"""Transcribes one recording for somebody who waits, beside the calls of a running server.

In: a path, the server's ears for recordings, how to hear.
Out: `Segment`s as soon as they are known, in the order of time, then the whole `Paper`.
Not known here: who waits, in which form it is told.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from asr.batch.papers.types import Paper, paper_from, written
from asr.batch.recorded import HearingOptions, RecordedEars
from asr.batch.single import hear_file
from asr.batch.types import Piece
from asr.lexicon import Lexicon, corrected
from asr.refusals import sentence_of
from asr.sound_file import FileRefused
from asr.types import BadAudio, Hypothesis, Segment, Utterance


async def transcribe_awaited(
    path: Path,
    *,
    name: str,
    call_id: str,
    ears: RecordedEars,
    hearing: HearingOptions,
    words: Lexicon | None = None,
) -> AsyncGenerator[Segment | Paper]:
    """Yield the segments that have text, then the paper; close it (`aclose`) to give up early.

    `words` are put right beside those of the server. Raises `BadAudio` with one of the codes `asr.file_…`,
    and what the engine raises.
    """

    async def decode(batch: Sequence[Utterance]) -> list[Hypothesis]:
        return await ears.transcribe(
            batch,
            owner=call_id,
            beam_size=hearing.beam_size,
            word_times=hearing.word_times,
            is_awaited=True,
        )

    given = hear_file(path, call_id=call_id, listening=hearing.listening, decode=decode, sharing=ears.sharing)
    lexicon = ears.lexicon()
    segments: list[Segment] = []
    try:
        async with aclosing(given):
            async for each in given:
                if not isinstance(each, Piece):
                    yield paper_from(segments, each, name=name)
                    return
                segment = corrected(
                    written(each, call_id=call_id, lexicon=lexicon, keep_fillers=ears.keep_fillers), words
                )
                if segment.text:
                    segments.append(segment)
                    yield segment
    except FileRefused as refused:
        code = str(refused)
        raise BadAudio(sentence_of(code, max_s=hearing.listening.max_s), code=code) from None
