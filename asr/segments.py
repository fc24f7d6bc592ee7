"""What a transcriber heard becomes what people read.

In: a hypothesis, and whose leg and which part of it it is of. Out: a `Segment`.
Not known here: sound, models, words that are put right.
"""

from dataclasses import replace

from asr.guard import is_unclear
from asr.text import readable, simplified
from asr.types import Hypothesis, Party, Segment, Word


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
    return Segment(
        call_id=call_id,
        segment_id=segment_id,
        party=party,
        start_s=start_s,
        end_s=end_s,
        text=readable(hypothesis.text, is_final=is_final, keep_fillers=keep_fillers),
        raw_text=hypothesis.text,
        is_final=is_final,
        words=_placed(hypothesis.words, start_s),
        avg_logprob=hypothesis.avg_logprob,
        no_speech_prob=hypothesis.no_speech_prob,
        is_unclear=is_final and is_unclear(hypothesis),
    )


def _placed(words: tuple[Word, ...], start_s: float) -> tuple[Word, ...]:
    """Words in simplified script, which depends on their neighbours, and in media time."""
    text = simplified("".join(word.text for word in words))
    is_same_length = len(text) == sum(len(word.text) for word in words)
    placed: list[Word] = []
    at = 0
    for word in words:
        end = at + len(word.text)
        placed.append(
            replace(
                word,
                text=text[at:end] if is_same_length else simplified(word.text),
                start_s=start_s + word.start_s,
                end_s=start_s + word.end_s,
            )
        )
        at = end
    return tuple(placed)
