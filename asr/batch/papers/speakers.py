"""Says on a paper who of the two on a mixed leg said what.

In: a `Paper` whose segments are all of one leg, and whose voice each utterance is.
Out: the paper with citizen and operator where what they say tells these apart, else with numbered speakers.
Not known here: how voices are told apart.
"""

from collections.abc import Sequence
from dataclasses import replace

from asr.batch.papers.roles import Said, operator_of
from asr.batch.papers.types import Paper
from asr.types import Party, Segment


def with_speakers(paper: Paper, speakers: Sequence[int]) -> Paper:
    """`speakers` holds 1 or 2 for each utterance of the leg, by number; empty leaves the paper as it is."""
    if not speakers or not paper.segments:
        return paper
    said = [speakers[_number(segment) - 1] for segment in paper.segments]
    if len(set(said)) == 1:
        return replace(paper, notes=(*paper.notes, "asr.one_speaker"))
    operator = operator_of(
        [Said(speaker=one, text=segment.text) for one, segment in zip(said, paper.segments, strict=True)]
    )
    if operator is None:
        second = (segment.segment_id for one, segment in zip(said, paper.segments, strict=True) if one == 2)
        return replace(paper, second=frozenset(second), notes=(*paper.notes, "asr.speakers_numbered"))
    segments = tuple(
        replace(segment, party=Party.OPERATOR if one == operator else Party.CITIZEN)
        for one, segment in zip(said, paper.segments, strict=True)
    )
    return replace(
        paper,
        parties=(Party.CITIZEN, Party.OPERATOR),
        segments=segments,
        notes=(*paper.notes, "asr.speakers_guessed"),
    )


def _number(segment: Segment) -> int:
    """Of the utterance: see `Utterance.segment_id`."""
    return int(segment.segment_id.rpartition("-")[2])
