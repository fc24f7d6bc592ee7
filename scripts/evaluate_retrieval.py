"""Whether the right cards come up: calls go through the very path of a live call, on media time.

In: reference calls, the finals of each, and the assistant and the search that are judged.
Out: counts per call, and one report of them, for people and for programs.
Not known here: how anything was heard, how anything is searched or decided.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from rich.table import Table

from asr.types import AudioFrame, Party, Segment
from calls.live import run_call
from calls.session import Assistant
from calls.types import Fact
from retrieval.types import Findings, Query, Suggestion
from scripts.call_data import ReferenceCall
from scripts.card_scores import CardCounts, Searched, Shown, Trace, count_call

Search: TypeAlias = Callable[[Query], Awaitable[Findings]]
OpenAssistant: TypeAlias = Callable[[str], Assistant]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """What was counted in one call."""

    call_id: str
    reference: CardCounts
    """Where every word was heard right."""
    recognised: CardCounts | None
    """With what the ears heard; None where they were not asked."""


def as_segments(call: ReferenceCall) -> tuple[Segment, ...]:
    """Make each turn one final at its end, both parties, in the order of their ends."""
    numbers: Counter[Party] = Counter()
    segments = []
    for turn in sorted(call.turns, key=lambda turn: turn.end_s):
        numbers[turn.party] += 1
        segments.append(
            Segment(
                call_id=call.call_id,
                segment_id=f"{turn.party}-{numbers[turn.party]}",
                party=turn.party,
                start_s=turn.start_s,
                end_s=turn.end_s,
                text=turn.text,
                raw_text=turn.text,
                is_final=True,
            )
        )
    return tuple(segments)


async def trace_call(
    call: ReferenceCall, segments: Sequence[Segment], *, assistant: Assistant, search: Search
) -> Trace:
    """Carry the finals of one call through `run_call` and note what was found and shown.

    The cause of a search or a suggestion is the segment that was being read, whatever they say of it.
    """
    shown: list[Shown] = []
    searched: list[Searched] = []
    caused_s = 0.0

    async def recognise(frames: AsyncIterator[AudioFrame]) -> AsyncIterator[Segment]:
        for segment in segments:
            yield segment

    def ask(segment: Segment) -> Query | None:
        nonlocal caused_s
        caused_s = segment.end_s
        return assistant.ask(segment)

    async def look(query: Query) -> Findings:
        findings = await search(query)
        found = tuple(match.article.article_id for match in findings.matches)
        searched.append(Searched(caused_s=caused_s, article_ids=found))
        return findings

    def advise(segment: Segment, query: Query | None, findings: Findings | None) -> Suggestion | None:
        suggestion = assistant.advise(segment, query, findings)
        if suggestion is not None:
            shown.append(Shown(caused_s=segment.end_s, cards=suggestion.cards))
        return suggestion

    async def record(fact: Fact) -> None:
        """Everything that counts has been noted by now."""

    async def fail(error: Exception) -> None:
        raise error

    await run_call(
        frames=_no_frames(),
        recognise=recognise,
        ask=ask,
        search=look,
        advise=advise,
        record=record,
        publish=lambda partial: None,
        failed=fail,
    )
    return Trace(call=call, shown=tuple(shown), searched=tuple(searched))


async def count_calls(
    calls: Sequence[ReferenceCall],
    heard: Mapping[str, Sequence[Segment]] | None,
    *,
    open_assistant: OpenAssistant,
    search: Search,
    on_done: Callable[[str], None] = lambda _call_id: None,
) -> list[CallCounts]:
    """Count every call, on its reference text and on what was `heard` in it, by call; None: only on text."""
    counted = []
    for call in calls:
        texts = [as_segments(call)] + ([tuple(heard[call.call_id])] if heard is not None else [])
        counts = [
            count_call(await trace_call(call, text, assistant=open_assistant(call.call_id), search=search))
            for text in texts
        ]
        counted.append(
            CallCounts(
                call_id=call.call_id,
                reference=counts[0],
                recognised=counts[1] if heard is not None else None,
            )
        )
        on_done(call.call_id)
    return counted


def pool(counts: Sequence[CallCounts]) -> CallCounts:
    """Add up the turns of all calls."""
    recognised = [each.recognised for each in counts if each.recognised is not None]
    return CallCounts(
        call_id="all",
        reference=sum((each.reference for each in counts), CardCounts()),
        recognised=sum(recognised, CardCounts()) if recognised else None,
    )


def figures(counts: CallCounts) -> dict[str, float | None]:
    """The figures on reference text, and each again with the suffix `_recognised`."""
    plain = counts.reference.figures()
    recognised = counts.recognised.figures() if counts.recognised else dict.fromkeys(plain)
    return plain | {f"{name}_recognised": value for name, value in recognised.items()}


def report(counts: Sequence[CallCounts], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Put the figures in JSON form; a share is None where there was nothing to count."""
    return {
        **figures(pool(counts)),
        "calls": [{"call_id": each.call_id, **figures(each)} for each in counts],
        "settings": dict(settings),
    }


def off_topic(counts: Sequence[CallCounts]) -> dict[str, Any]:
    """What came up in dialogues in which nothing should, in JSON form."""
    total = pool(counts).reference
    return {
        "dialogues": total.calls,
        "minutes": total.minutes,
        "new_cards": total.new_cards,
        "wrong_cards_per_min": total.figures()["wrong_cards_per_min"],
    }


def off_topic_table(counts: Sequence[CallCounts]) -> Table:
    """The same for people."""
    table = Table("figure", title="Dialogues about nothing that is known")
    table.add_column("written text", justify="right")
    for name, value in off_topic(counts).items():
        table.add_row(name, _shown(value))
    return table


def spread_table(spread: Mapping[str, Mapping[str, float]]) -> Table:
    """How far the figures of the folds lie apart."""
    table = Table("figure", title="Spread over the folds")
    for heading in ("min", "max", "sd"):
        table.add_column(heading, justify="right")
    for name, values in spread.items():
        table.add_row(name, *(_shown(values[heading]) for heading in ("min", "max", "sd")))
    return table


def tables(counts: Sequence[CallCounts]) -> list[Table]:
    """The figures over all calls, and one row per call."""
    total = pool(counts)
    summary = Table("figure", title=f"Cards, {len(counts)} calls")
    summary.add_column("reference text", justify="right")
    summary.add_column("recognised text", justify="right")
    recognised = total.recognised.figures() if total.recognised else {}
    for name, value in total.reference.figures().items():
        summary.add_row(name, _shown(value), _shown(recognised.get(name)))
    names = {"turns": "turns", "hit3": "hit3", "hit1": "hit1", "precision": "precision"}
    names |= {"false_on_silent": "false", "card_changes_per_min": "changes/min"}
    by_call = Table("call", title="By call: reference text / recognised text")
    for heading in names.values():
        by_call.add_column(heading, justify="right")
    for each in counts:
        on_text = each.reference.figures()
        on_sound = each.recognised.figures() if each.recognised else {}
        by_call.add_row(
            each.call_id,
            *(f"{_shown(on_text[name], 2)} / {_shown(on_sound.get(name), 2)}" for name in names),
        )
    return [summary, by_call]


def _shown(value: float | None, places: int = 3) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.{places}f}"


async def _no_frames() -> AsyncIterator[AudioFrame]:
    """Sound plays no part: the finals are there already."""
    return
    yield
