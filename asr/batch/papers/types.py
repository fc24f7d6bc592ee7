"""A transcript as it is put on paper.

In: what was recognised in a file. Out: `Paper`, readable and put right; notes on what was odd with the file.
Not known here: formats, where papers are kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

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
    "asr.speakers_guessed": "录音只有一路，市民和坐席是按声音和说的话区分的，可能有误。",
    "asr.speakers_numbered": "录音只有一路，按声音分为两人，可能有误；听不出谁是坐席。",
    "asr.one_speaker": "录音只有一路，只听出一个人的声音，没有区分说话人。",
}
ORDINARY = frozenset({"asr.speakers_guessed"})
"""Notes for whoever reads the transcript; whoever had it made asked for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEdit:
    """What a person wrote in place of a recognised line; empty text takes it away."""

    segment_id: str
    text: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedLine:
    """A line that a person changed, and what had been recognised."""

    edit: LineEdit
    recognised: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """All that a reader of a transcript is told."""

    name: str
    """Of the recording."""
    seconds: float
    parties: tuple[Party, ...]
    segments: tuple[Segment, ...]
    """Those with text, ordered by time; those that a person changed, as they are now."""
    notes: tuple[str, ...]
    """Codes of `NOTES`."""
    edited: tuple[EditedLine, ...] = ()
    second: frozenset[str] | None = None
    """Segments by the second of two speakers of whom nobody knows who is who; None where parties say it."""

    def name_of(self, segment: Segment) -> str:
        """What to call who speaks in a segment of this paper."""
        name = PARTY_NAMES[segment.party]
        if self.second is None:
            return name
        return f"{name}{2 if segment.segment_id in self.second else 1}"


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
    return Paper(
        name=name,
        seconds=facts.seconds,
        parties=facts.parties,
        segments=told,
        notes=notes_of(facts, is_speechless=not told),
    )


def notes_of(facts: FileFacts, *, is_speechless: bool) -> tuple[str, ...]:
    """Codes of what is odd about a file."""
    odd = {
        "asr.no_speech": is_speechless,
        "asr.file_truncated": facts.is_truncated,
        "asr.file_alike": facts.is_alike,
        "asr.file_mixed_down": facts.source_channels > 2,
    }
    return tuple(code for code, is_so in odd.items() if is_so)


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


def with_edits(paper: Paper, edits: Mapping[str, LineEdit]) -> Paper:
    """The paper with a person's lines, by segment, in place of the recognised ones."""
    edited: list[EditedLine] = []
    segments: list[Segment] = []
    for segment in paper.segments:
        edit = edits.get(segment.segment_id)
        if edit is None:
            segments.append(segment)
            continue
        edited.append(EditedLine(edit=edit, recognised=segment.text))
        segments.append(replace(segment, text=edit.text, corrections=(), is_unclear=False))
    return replace(paper, segments=tuple(segments), edited=tuple(edited))
