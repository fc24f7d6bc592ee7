"""The figures of a report, computed once more and in another way: plain Python over the rows of the tables.

In: a database, what is reported. Out: figures, tables and charts by key, as a report should have them.
Nothing of `insight` is used here, least of all its queries.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]


@dataclass
class Wanted:
    """One thing that a citizen wanted."""

    at: datetime
    who: str
    caller: str | None
    call: dict[str, Any] | None
    order: dict[str, Any] | None
    kind: str
    urgency: str
    category: str
    topic: str
    district: str
    department: str


class Ledger:
    """All rows of the database, and what can be counted of them."""

    def __init__(self, path: Path, zone: ZoneInfo, now: datetime) -> None:
        connection = sqlite3.connect(path)
        connection.row_factory = sqlite3.Row
        self.zone, self.now = zone, now

        def rows(table: str) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]

        self.calls, self.orders, self.steps = rows("calls"), rows("orders"), rows("order_steps")
        self.forms = {row["call_id"]: json.loads(row["form"]) for row in rows("wrapups")}
        self.alarms, self.scores = rows("alarms"), rows("quality_scores")
        self.arrivals, self.warnings = rows("arrivals"), rows("warnings")
        connection.close()
        self.order = {row["order_id"]: row for row in self.orders}
        first: dict[str, dict[str, Any]] = {}
        for row in sorted(self.orders, key=lambda one: one["number"]):
            if row["call_id"] is not None:
                first.setdefault(row["call_id"], row)
        self.order_of_call = first
        self.wanted = list(self._wanted())

    def _wanted(self) -> Iterable[Wanted]:
        for call in self.calls:
            meta = json.loads(call["meta"] or "{}") or {}
            if meta.get("来源") in ("话筒试听写", "录音试听写"):
                continue
            form = self.forms.get(call["call_id"], {})
            order = self.order_of_call.get(call["call_id"])

            def value(name: str, form: dict[str, Any] = form) -> str:
                return str(form.get(name, {}).get("value", ""))

            category = (order and order["category"]) or value("category")
            titles = [one["title"] for one in form.get("knowledge", []) if one["is_used"]]
            titles += [one["title"] for one in form.get("knowledge", [])]
            rest = f"{category}（未细分）" if category else ""
            yield Wanted(
                at=_moment(call["started_at"]),
                who=call["caller"] or call["call_id"],
                caller=call["caller"] or None,
                call=call,
                order=order,
                kind=order["type"] if order else value("kind"),
                urgency=order["urgency"] if order else value("urgency"),
                category=category,
                topic=titles[0] if titles else rest,
                district=(order and order["district"]) or value("district"),
                department=(order and order["department_id"]) or form.get("department_id") or "",
            )
        known = {call["call_id"] for call in self.calls}
        for order in self.orders:
            if order["call_id"] in known or order["state"] == "merged":
                continue
            yield Wanted(
                at=_moment(order["created_at"]),
                who=order["caller_phone"] or order["order_id"],
                caller=order["caller_phone"] or None,
                call=None,
                order=order,
                kind=order["type"],
                urgency=order["urgency"],
                category=order["category"],
                topic=f"{order['category']}（未细分）" if order["category"] else "",
                district=order["district"],
                department=order["department_id"] or "",
            )

    def within(self, span: Span) -> list[Wanted]:
        return [one for one in self.wanted if span[0] <= one.at < span[1]]

    def totals(self, span: Span) -> dict[str, float | None]:
        found = self.within(span)
        seconds = [one.call["seconds"] for one in found if one.call and one.call["seconds"]]
        return {
            "matters": len(found),
            "calls": sum(one.call is not None for one in found),
            "callers": len({one.who for one in found}),
            "orders": sum(one.order is not None for one in found),
            "urgent": sum(one.urgency in ("紧急", "特急") for one in found),
            "mean_s": sum(seconds) / len(seconds) / 60 if seconds else None,
        }

    def answer_rate(self, span: Span) -> float | None:
        calls = {call["call_id"] for call in self.calls}
        came = [one for one in self.arrivals if span[0] <= _moment(one["arrived_at"]) < span[1]]
        answered = [one for one in came if one["answered_at"] or one["call_id"] in calls]
        gave_up = [one for one in came if one not in answered and one["left_at"]]
        n = len(answered) + len(gave_up)
        return 100 * len(answered) / n if n else None

    def by(self, span: Span, name_of: Callable[[Wanted], str], nameless: str) -> Counter[str]:
        return Counter(name_of(one) or nameless for one in self.within(span))

    def days(self, span: Span) -> list[int]:
        n = Counter(one.at.astimezone(self.zone).date() for one in self.within(span))
        first, last = span[0].astimezone(self.zone).date(), span[1].astimezone(self.zone).date()
        return [n[day] for day in _days(first, last)]

    def hours(self, span: Span) -> list[int]:
        n = Counter(one.at.astimezone(self.zone).hour for one in self.within(span))
        return [n[hour] for hour in range(24)]

    def topics(self, span: Span) -> dict[str, tuple[int, int]]:
        """Things wanted and people, by topic."""
        people: dict[str, set[str]] = defaultdict(set)
        n: Counter[str] = Counter()
        for one in self.within(span):
            if one.topic:
                n[one.topic] += 1
                people[one.topic].add(one.who)
        return {name: (n[name], len(people[name])) for name in n}

    def departments(self, span: Span) -> dict[str, dict[str, float]]:
        """How each department fared."""
        until = min(span[1], self.now)

        def within(text: str | None) -> bool:
            return text is not None and span[0] <= _moment(text) < until

        fared: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for order in self.orders:
            mine = fared[order["department_id"] or ""]
            due, answered = order["due_at"], order["answered_at"]
            mine["dispatched"] += within(order["dispatched_at"])
            mine["closed"] += within(order["closed_at"])
            if within(due) and order["state"] != "merged":
                mine["due"] += 1
                mine["in_time"] += answered is not None and _moment(answered) <= _moment(due)
            if within(answered) and order["dispatched_at"]:
                mine["answered"] += 1
                took = _moment(answered) - _moment(order["dispatched_at"])
                mine["hours"] += took.total_seconds() / 3600
        for step in self.steps:
            if step["action"] == "follow_up" and within(step["at"]):
                said = json.loads(step["changes"])["satisfaction"][1]
                fared[self.order[step["order_id"]]["department_id"] or ""][said] += 1
        fared.pop("", None)
        return fared

    def deeds(self, span: Span, action: str) -> int:
        return sum(
            step["action"] == action and span[0] <= _moment(step["at"]) < span[1] for step in self.steps
        )

    def is_overdue(self, order: dict[str, Any]) -> bool:
        is_there = order["state"] in ("dispatched", "handling")
        return is_there and order["due_at"] is not None and _moment(order["due_at"]) < self.now


def rates(fared: dict[str, float]) -> dict[str, float | None]:
    """Shares and means of how somebody fared."""
    asked = sum(fared.get(name, 0) for name in ("satisfied", "neutral", "unsatisfied"))
    due, answered = fared.get("due", 0), fared.get("answered", 0)
    return {
        "dispatched": fared.get("dispatched", 0),
        "closed": fared.get("closed", 0),
        "due": due,
        "in_time": 100 * fared.get("in_time", 0) / due if due else None,
        "hours": fared.get("hours", 0) / answered if answered else None,
        "asked": asked,
        "satisfied": 100 * fared.get("satisfied", 0) / asked if asked else None,
    }


def added(many: Iterable[dict[str, float]]) -> dict[str, float]:
    whole: dict[str, float] = defaultdict(float)
    for one in many:
        for name, value in one.items():
            whole[name] += value
    return whole


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _days(first: date, until: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((until - first).days)]
