"""Cuts what was said into pieces of a sentence or two, so that each says one thing and can be pointed at.

In: the final segments of a call.
Out: `Piece`s in the order in which they were said, each with its span.
Not known here: what any of it means.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asr.types import Party, Segment
from calls.wrapup.types import Span

_SENTENCE = re.compile(r"[^。！？!?；;]*[。！？!?；;]+|[^。！？!?；;]+")
_CLAUSE = re.compile(r"[^，,、]*[，,、]+|[^，,、]+")
_SHORT = 8
_LONG = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A sentence, or several short ones of one breath."""

    party: Party
    text: str
    span: Span
    sureness: float
    """Mean log probability of the segment's tokens."""

    @property
    def is_citizens(self) -> bool:
        """A mixed recording counts as the citizen."""
        return self.party is not Party.OPERATOR


def pieces_of(segments: Sequence[Segment]) -> tuple[Piece, ...]:
    """Cut every segment that holds text; what is long without a full stop is cut at commas."""
    return tuple(
        Piece(
            party=segment.party,
            text=segment.text[start:end],
            span=Span(segment_id=segment.segment_id, start=start, end=end),
            sureness=segment.avg_logprob,
        )
        for segment in segments
        for start, end in _cuts(segment.text)
        if segment.text[start:end].strip()
    )


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    begin = end = 0
    for start, stop in _parts(text):
        if end - begin >= _SHORT and stop - begin > _LONG:
            yield begin, end
            begin = start
        end = stop
        if text[end - 1] in "。！？!?；;" and end - begin >= _SHORT:
            yield begin, end
            begin = end
    if end > begin:
        yield begin, end


def _parts(text: str) -> Iterator[tuple[int, int]]:
    for sentence in _SENTENCE.finditer(text):
        if len(sentence[0]) <= _LONG:
            yield sentence.span()
        else:
            offset = sentence.start()
            for clause in _CLAUSE.finditer(sentence[0]):
                yield offset + clause.start(), offset + clause.end()
