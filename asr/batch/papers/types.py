"""A transcript as it is put on paper.

In: what was recognised in a file. Out: `Paper`, readable and put right; notes on what was odd with the file.
Not known here: formats, where papers are kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from asr.batch.types import FileFacts, Piece, Transcript
from asr.lexicon import Lexicon, corrected
from asr.segments import segment_of
from asr.types import Party, Segment

PARTY_NAMES = {Party.CITIZEN: "市民", Party.OPERATOR: "坐席", Party.MIXED: "说话人"}

NOTES = {
    "asr.no_speech": "没有听到有人说话。",
    "asr.file_truncated": "文件不完整：后面缺少一段，只转写了现有的部分。",
    "asr.file_alike": "两个声道是同样的声音，按一路转写。",
    "asr.file_mixed_down": "文件有两个以上的声道，已合成一路转写。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """All that a reader of a transcript is told."""

    name: str
    """Of the recording."""
    seconds: float
    parties: tuple[Party, ...]
    segments: tuple[Segment, ...]
    """Those with text, ordered by time."""
    notes: tuple[str, ...]
    """Codes of `NOTES`."""


def paper_of(
    transcript: Transcript, *, name: str, call_id: str, lexicon: Lexicon | None, keep_fillers: bool = True
) -> Paper:
    """Make it readable, with words put right by the lexicon."""
    segments = [
        written(piece, call_id=call_id, lexicon=lexicon, keep_fillers=keep_fillers)
        for piece in transcript.pieces
    ]
    return paper_from(segments, transcript.facts, name=name)


def paper_from(segments: Iterable[Segment], facts: FileFacts, *, name: str) -> Paper:
    """Put segments, ordered by time, under what is known of their file."""
    told = tuple(segment for segment in segments if segment.text)
    odd = {
        "asr.no_speech": not told,
        "asr.file_truncated": facts.is_truncated,
        "asr.file_alike": facts.is_alike,
        "asr.file_mixed_down": facts.source_channels > 2,
    }
    return Paper(
        name=name,
        seconds=facts.seconds,
        parties=facts.parties,
        segments=told,
        notes=tuple(code for code, is_so in odd.items() if is_so),
    )


def written(piece: Piece, *, call_id: str, lexicon: Lexicon | None, keep_fillers: bool = True) -> Segment:
    """One utterance, made readable, with words put right by the lexicon."""
    segment = segment_of(
        piece.hypothesis,
        call_id=call_id,
        segment_id=f"{piece.party}-{piece.number}",
        party=piece.party,
        start_s=piece.start_s,
        end_s=piece.end_s,
        is_final=True,
        keep_fillers=keep_fillers,
    )
    return corrected(segment, lexicon)
