"""How well the ears hear: the character error rate of each leg of each call.

In: reference calls, and what was heard in them.
Out: counts per call and party, and one report of them, for people and for programs.
Not known here: how it was heard, where anything is stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from asr.types import Party, Segment
from scripts.call_data import ReferenceCall
from scripts.text_scores import TextErrors, compare


@dataclass(frozen=True, slots=True, kw_only=True)
class CallErrors:
    """The errors in one call, by leg."""

    call_id: str
    seconds: float
    by_party: dict[Party, TextErrors]

    @property
    def total(self) -> TextErrors:
        """Both legs together."""
        return sum(self.by_party.values(), TextErrors())


def score_call(call: ReferenceCall, segments: Iterable[Segment]) -> CallErrors:
    """Hold what was heard on each leg against what was said on it, as one text from start to end.

    Where an utterance was cut does not matter; who said it does.
    """
    ordered = sorted(segments, key=lambda segment: segment.start_s)
    return CallErrors(
        call_id=call.call_id,
        seconds=call.seconds,
        by_party={
            party: compare(
                call.text_of(party), " ".join(segment.text for segment in ordered if segment.party is party)
            )
            for party in call.parties
        },
    )


def pool_parties(scores: Iterable[CallErrors]) -> dict[Party, TextErrors]:
    """Add up the calls, party by party."""
    pooled: dict[Party, TextErrors] = {}
    for score in scores:
        for party, errors in score.by_party.items():
            pooled[party] = pooled.get(party, TextErrors()) + errors
    return pooled


def pooled(scores: Iterable[CallErrors]) -> TextErrors:
    """Add up the calls."""
    return sum((score.total for score in scores), TextErrors())


def report(
    scores: Sequence[CallErrors], *, x_realtime: float | None, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Put the figures in JSON form; a rate is None where nothing was said."""
    by_party = pool_parties(scores)
    total = sum(by_party.values(), TextErrors())
    return {
        "cer": total.rate,
        "cer_by_party": {party.value: errors.rate for party, errors in by_party.items()},
        **asdict(total),
        "seconds": sum(score.seconds for score in scores),
        "x_realtime": x_realtime,
        "calls": [
            {
                "call_id": score.call_id,
                "seconds": score.seconds,
                "cer": score.total.rate,
                "cer_by_party": {party.value: errors.rate for party, errors in score.by_party.items()},
                **asdict(score.total),
            }
            for score in scores
        ],
        "settings": dict(settings),
    }


def table(scores: Sequence[CallErrors]) -> Table:
    """One row per call, and the total; legs have columns of their own where there are several."""
    by_party = pool_parties(scores)
    parties = list(by_party) if len(by_party) > 1 else []
    shown = Table(title="Character error rate", show_footer=True)
    shown.add_column("call", footer=f"all {len(scores)}")
    headings = ("s", *parties, "CER", "chars", "wrong", "lost", "added")
    seconds = sum(score.seconds for score in scores)
    for heading, footer in zip(headings, _cells(seconds, by_party, parties), strict=True):
        shown.add_column(heading, footer=footer, justify="right", no_wrap=True)
    for score in scores:
        shown.add_row(score.call_id, *_cells(score.seconds, score.by_party, parties))
    return shown


def _cells(seconds: float, by_party: Mapping[Party, TextErrors], parties: Iterable[Party]) -> list[str]:
    total = sum(by_party.values(), TextErrors())
    return [
        f"{seconds:.0f}",
        *(_rate(by_party.get(party, TextErrors())) for party in parties),
        _rate(total),
        str(total.characters),
        str(total.substitutions),
        str(total.deletions),
        str(total.insertions),
    ]


def _rate(errors: TextErrors) -> str:
    return "–" if errors.rate is None else f"{errors.rate:.4f}"
