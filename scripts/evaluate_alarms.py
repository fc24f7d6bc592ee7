"""How many dangers raise an alarm, and how many alarms are raised for nothing.

In: sentences with the kind of danger in them, or none; finals of calls in the order in which they were heard.
Out: counts with an interval, and every mistake, for people and for programs.
Not known here: how calls were heard, which words are looked for.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from rich.table import Table

from asr.types import Segment
from calls.safety.finding import find_danger
from calls.safety.kinds import AlarmKind
from calls.safety.rules import Rules
from calls.safety.watch import CallWatch
from scripts.evaluate_wrapup import wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What a citizen may say; `kind` is None where there is no danger."""

    text: str
    kind: AlarmKind | None


def read_sentences() -> list[Sentence]:
    """Read the written sentences."""
    text = (files("scripts") / "data" / "alarms.csv").read_text(encoding="utf-8")
    return [
        Sentence(text=row["text"], kind=AlarmKind(row["kind"]) if row["kind"] else None)
        for row in csv.DictReader(text.splitlines())
    ]


def judge_sentences(sentences: Sequence[Sentence], rules: Rules) -> dict[str, Any]:
    """Count; an alarm of another kind than the sentence's is a miss of its own and no hit."""
    heard = [{found.kind for found in find_danger(one.text, rules)} for one in sentences]
    pairs = list(zip(sentences, heard, strict=True))
    dangers = [(one, kinds) for one, kinds in pairs if one.kind is not None]
    raised = [(one, kinds) for one, kinds in pairs if kinds]
    return {
        "sentences": len(sentences),
        "recall": _share(sum(one.kind in kinds for one, kinds in dangers), len(dangers)),
        "precision": _share(sum(one.kind in kinds for one, kinds in raised), len(raised)),
        "missed": [one.text for one, kinds in dangers if one.kind not in kinds],
        "false": [one.text for one, kinds in raised if one.kind not in kinds],
    }


def judge_calls(calls: Mapping[str, Sequence[Segment]], rules: Rules) -> dict[str, Any]:
    """What alarms would be raised in calls; whether they are right is for a person to say."""
    alarms = []
    for call_id, segments in calls.items():
        watch = CallWatch()
        for segment in segments:
            alarms += [
                {
                    "call_id": call_id,
                    "kind": danger.kind.value,
                    "severity": danger.severity.value,
                    "segment_id": danger.segment_id,
                    "words": danger.said[danger.start : danger.end],
                    "said": danger.said,
                }
                for danger in watch.hear(segment, rules)
            ]
    return {"calls": len(calls), "with_alarm": len({one["call_id"] for one in alarms}), "alarms": alarms}


def tables(told: Mapping[str, Any]) -> list[Table]:
    """The counts, and below them the alarms in calls."""
    counts = Table("", "", title="Safety alarms, written sentences")
    for name in ("recall", "precision"):
        one = told["written"][name]
        counts.add_row(name, f"{one['right']} of {one['of']} ({one['low']:.2f}–{one['high']:.2f})")
    for name in ("missed", "false"):
        for text in told["written"][name]:
            counts.add_row(name, text)
    shown = [counts]
    for form, calls in told["calls"].items():
        table = Table("call", "kind", "words", "said", title=f"{form}: {calls['calls']} calls")
        for one in calls["alarms"]:
            table.add_row(one["call_id"], one["kind"], one["words"], one["said"])
        shown.append(table)
    return shown


def _share(right: int, of: int) -> dict[str, float]:
    low, high = wilson(right, of)
    return {"right": right, "of": of, "low": round(low, 3), "high": round(high, 3)}
