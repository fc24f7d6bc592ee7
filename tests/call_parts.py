"""Small builders for tests of calls: facts with little in them, and engines that follow a script."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from asr.types import AudioFrame, Party, Segment
from calls.types import Call, CallState
from retrieval.types import Card, Findings, Mark, Query, Suggestion

START = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)


def call(call_id: str = "c-1", operator_id: str | None = "027") -> Call:
    return Call(call_id=call_id, state=CallState.LIVE, started_at=START, operator_id=operator_id)


def segment(
    number: int,
    text: str,
    *,
    call_id: str = "c-1",
    party: Party = Party.CITIZEN,
    start_s: float = 0.0,
    end_s: float = 1.0,
    is_final: bool = True,
) -> Segment:
    return Segment(
        call_id=call_id,
        segment_id=f"{party}-{number}",
        party=party,
        start_s=start_s,
        end_s=end_s,
        text=text,
        raw_text=text,
        is_final=is_final,
    )


def suggestion(*article_ids: str, suggestion_id: str = "s-1", call_id: str = "c-1") -> Suggestion:
    cards = tuple(
        Card(
            slot=slot,
            is_new=True,
            article_id=article_id,
            title=f"标题{article_id}",
            excerpt="可以读出来的一句话。",
            department="市住房和城乡建设局",
            score=0.8,
            source="示例",
        )
        for slot, article_id in enumerate(article_ids)
    )
    return Suggestion(
        suggestion_id=suggestion_id,
        call_id=call_id,
        segment_id="citizen-1",
        cards=cards,
        query="路面积水",
        kb_version="v1",
        confidence=0.8,
    )


@dataclass
class ScriptedAssistant:
    """Suggests what the script says for a segment's text, and remembers what it was told."""

    script: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    marks: list[tuple[str, Mark]] = field(default_factory=list)
    recalled: list[Segment] = field(default_factory=list)
    given: int = 0

    def ask(self, segment: Segment) -> Query | None:
        if segment.text not in self.script:
            return None
        return Query(
            call_id=segment.call_id,
            segment_id=segment.segment_id,
            text=segment.text,
            turns=((segment.text, 1.0),),
        )

    def advise(self, segment: Segment, query: Query | None, findings: Findings | None) -> Suggestion | None:
        if query is None:
            return None
        self.given += 1
        return suggestion(
            *self.script[segment.text], suggestion_id=f"s-{self.given}", call_id=segment.call_id
        )

    def mark(self, article_id: str, mark: Mark) -> Suggestion | None:
        self.marks.append((article_id, mark))
        return suggestion(suggestion_id="s-marked") if mark is Mark.DISMISSED else None

    def recall(
        self,
        segments: Sequence[Segment],
        suggestion: Suggestion | None,
        marks: Sequence[tuple[str, Mark]],
    ) -> None:
        self.recalled = list(segments)


async def find_nothing(query: Query) -> Findings:
    return Findings(kb_version="v1", matches=())


async def hear_seconds(
    call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
) -> AsyncIterator[Segment]:
    """Ears that write one final for each whole second of a leg, `第n秒` by media time."""
    counts = dict(numbers)
    heard: dict[Party, float] = {}
    async for frame in frames:
        begin = heard.setdefault(frame.party, frame.start_s)
        while frame.end_s >= begin + 1.0 - 1e-6:
            counts[frame.party] = counts.get(frame.party, 0) + 1
            for is_final in (False, True):
                yield segment(
                    counts[frame.party],
                    f"第{round(begin)}秒",
                    call_id=call_id,
                    party=frame.party,
                    start_s=begin,
                    end_s=begin + 1.0,
                    is_final=is_final,
                )
            begin = heard[frame.party] = begin + 1.0
