"""What a transcriber heard becomes what people read.

In: a hypothesis, and whose leg and which part of it it is of. Out: a `Segment`.
Not known here: sound, models, words that are put right.
"""

from dataclasses import replace

from asr.guard import is_unclear
from asr.text import readable
from asr.types import Hypothesis, Party, Segment


def segment_of(
    hypothesis: Hypothesis,
    *,
    call_id: str,
    segment_id: str,
    party: Party,
    start_s: float,
    end_s: float,
    is_final: bool,
    keep_fillers: bool,
) -> Segment:
    """Make the text readable and bring word times, which count from `start_s`, into media time."""
    words = tuple(
        replace(word, start_s=start_s + word.start_s, end_s=start_s + word.end_s) for word in hypothesis.words
    )
    return Segment(
        call_id=call_id,
        segment_id=segment_id,
        party=party,
        start_s=start_s,
        end_s=end_s,
        text=readable(hypothesis.text, is_final=is_final, keep_fillers=keep_fillers),
        raw_text=hypothesis.text,
        is_final=is_final,
        words=words,
        avg_logprob=hypothesis.avg_logprob,
        no_speech_prob=hypothesis.no_speech_prob,
        is_unclear=is_final and is_unclear(hypothesis),
    )
