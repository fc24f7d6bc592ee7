"""How early matters without a name are told of in messages that really came, and how well they are grouped.

In: a file of messages (title, time, user), what is known of some matters in it, a function that embeds.
Out: each warning, and for each known matter when it was told of and how well its group fits; for people and
for programs.
Not known here: how anything is grouped.

Messages are heard one by one in the order of their times, and each is followed by a look. The group of a
known matter is the one that holds most of its messages at the end.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError
from rich.table import Table

from insight.clusters.types import Embed, Said, Vectors
from insight.clusters.watch import ClusterWatch
from insight.types import EarlyWarning
from scripts.call_data import BadData

KNOWN_NAME = "known_issues.json"
_AT_ONCE = 32
_ALARMED_BY = 8


class _Message(BaseModel):
    id: str
    title: str
    time: datetime
    user: str | None = None


class Known(BaseModel):
    """A matter that is known in the messages."""

    issue: str
    ids: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of the messages."""

    said: Sequence[Said]
    warnings: Sequence[tuple[EarlyWarning, int]]
    """Each with how many messages had been heard."""
    group: dict[str, str]
    """By message: its group at the end, also of those that were forgotten."""
    matter: dict[str, str]
    """By the identifier of a warning: the same."""


def read_messages(path: Path, zone: tzinfo | None) -> list[Said]:
    """Lines of JSON, oldest first; raises `BadData`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [_Message.model_validate_json(line) for line in lines if line.strip()]
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise BadData(f"{path}: lines of JSON with id, title, time and user are needed.") from error
    if not rows:
        raise BadData(f"{path}: there is no message in it.")
    if len({row.id for row in rows}) < len(rows):
        raise BadData(f"{path}: two messages have the same id.")
    said = [
        Said(
            report_id=row.id,
            at=row.time if row.time.tzinfo else row.time.replace(tzinfo=zone),
            caller=row.user,
            text=row.title,
        )
        for row in rows
    ]
    return sorted(said, key=lambda one: one.at)


def read_known(path: Path) -> list[Known]:
    """What lies beside the messages; nothing where nothing does; raises `BadData`."""
    beside = path.with_name(KNOWN_NAME)
    if not beside.is_file():
        return []
    try:
        return [Known.model_validate(row) for row in json.loads(beside.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise BadData(f"{beside}: a list of issues with ids is needed.") from error


def run_trial(
    said: Sequence[Said], embed: Embed, usual: Sequence[str], on_done: Callable[[str], None]
) -> Trial:
    """Hear all messages, with the settings that are shipped; about a minute for four thousand."""
    vectors: dict[str, Vectors] = {}
    for at in range(0, len(said), _AT_ONCE):
        texts = [one.content for one in said[at : at + _AT_ONCE]]
        vectors.update(zip(texts, embed(texts), strict=True))
    watch = ClusterWatch(embed, usual=usual)
    watch.embed = lambda texts: np.stack([vectors[text] for text in texts])
    warnings: list[tuple[EarlyWarning, int]] = []
    group: dict[str, str] = {}
    for number, one in enumerate(said, 1):
        before = len(watch.groups.merged)
        group[one.report_id] = watch.hear(one)[0]
        warnings += [(warning, number) for warning in watch.advance(one.at)]
        if len(watch.groups.merged) != before:
            group = {report_id: watch.current(own) for report_id, own in group.items()}
        on_done(one.report_id)
    matter = {warning.matter: watch.current(warning.matter) for warning, _ in warnings}
    return Trial(said=said, warnings=warnings, group=group, matter=matter)


def report(trial: Trial, known: Sequence[Known]) -> dict[str, Any]:
    """In JSON form."""
    first, last = trial.said[0].at, trial.said[-1].at
    return {
        "messages": len(trial.said),
        "from": first.isoformat(),
        "until": last.isoformat(),
        "groups": len(set(trial.group.values())),
        "known": [_judge(trial, one) for one in known],
        "warnings": [_told(trial, warning, known) for warning, _ in trial.warnings],
    }


def tables(told: dict[str, Any]) -> list[Table]:
    """Known matters, then all warnings."""
    shown = Table(title=f"{told['messages']} messages in {told['groups']} groups")
    shown.add_column("known matter", overflow="fold")
    for heading in ("messages", f"{_ALARMED_BY}th on", "told on", "with the", "recall", "precision"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for one in told["known"]:
        shown.add_row(
            one["issue"],
            str(one["messages"]),
            _day(one["eighth_at"]),
            _day(one["raised_at"]),
            f"{one['heard']}." if one["heard"] is not None else "—",
            f"{one['recall']:.3f}",
            f"{one['precision']:.3f}",
        )
    raised = Table(title="All warnings")
    for heading in ("told on", "callers", "expected", "within"):
        raised.add_column(heading, justify="right", no_wrap=True)
    for heading in ("name", "known matter"):
        raised.add_column(heading, overflow="fold")
    for one in told["warnings"]:
        raised.add_row(
            _day(one["raised_at"]),
            str(one["observed"]),
            f"{one['expected']:.2f}",
            f"{one['window_h']} h",
            one["name"],
            one["issue"] or "",
        )
    return [shown, raised]


def _judge(trial: Trial, known: Known) -> dict[str, Any]:
    wanted = [one for one in trial.said if one.report_id in set(known.ids)]
    if not wanted:
        raise BadData(f"{known.issue}: none of its messages is in the file.")
    own, found = Counter(trial.group[one.report_id] for one in wanted).most_common(1)[0]
    size = sum(group == own for group in trial.group.values())
    raised = [(w, n) for w, n in trial.warnings if trial.matter[w.matter] == own]
    heard = None
    if raised:
        until = {one.report_id for one in trial.said[: raised[0][1]]}
        heard = sum(one.report_id in until for one in wanted)
    return {
        "issue": known.issue,
        "messages": len(wanted),
        "first_at": wanted[0].at.isoformat(),
        "eighth_at": wanted[_ALARMED_BY - 1].at.isoformat() if len(wanted) >= _ALARMED_BY else None,
        "raised_at": raised[0][0].raised_at.isoformat() if raised else None,
        "heard": heard,
        "name": raised[0][0].name if raised else None,
        "found": found,
        "group_size": size,
        "recall": round(found / len(wanted), 3),
        "precision": round(found / size, 3),
    }


def _told(trial: Trial, warning: EarlyWarning, known: Sequence[Known]) -> dict[str, Any]:
    own = trial.matter[warning.matter]
    members = {report_id for report_id, group in trial.group.items() if group == own}
    return {
        "raised_at": warning.raised_at.isoformat(),
        "matter": warning.matter,
        "name": warning.name,
        "observed": warning.observed,
        "expected": round(warning.expected, 3),
        "window_h": warning.window_h,
        "probability": warning.probability,
        "false_share": warning.false_share,
        "issue": next((one.issue for one in known if 2 * len(members & set(one.ids)) > len(members)), None),
    }


def _day(at: str | None) -> str:
    return at[:10] if at else "—"
