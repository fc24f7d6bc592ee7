"""A transcript as it is put on paper.

In: what was recognised in a file. Out: `Paper`, readable and put right; notes on what was odd with the file.
Not known here: formats, where papers are kept.
"""

from dataclasses import dataclass

from asr.batch.types import Transcript
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
        corrected(
            segment_of(
                piece.hypothesis,
                call_id=call_id,
                segment_id=f"{piece.party}-{piece.number}",
                party=piece.party,
                start_s=piece.start_s,
                end_s=piece.end_s,
                is_final=True,
                keep_fillers=keep_fillers,
            ),
            lexicon,
        )
        for piece in transcript.pieces
    ]
    facts = transcript.facts
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
