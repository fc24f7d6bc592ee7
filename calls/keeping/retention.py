"""Finds what has been kept long enough, and lets it go.

In: a policy, the present moment. Out: what is due; what was deleted.
Not known here: how a call is deleted (calls/keeping/deletion.py), when somebody asks. All of it blocks.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from calls.arrivals.store import ArrivalStore
from calls.keeping.deletion import Deleter, has_sound
from calls.keeping.holds import holds_of
from calls.keeping.types import CallHeld, Deletion, Due, Policy, What
from calls.tables import calls, facts
from calls.types import UnknownCall

BY = "保存期限"
"""Who deletes what has been kept long enough."""
_PAGE = 500
_SETTLES_WITHIN = timedelta(days=2)
_ORPHAN_AFTER = timedelta(days=1)
_KINDS = ("work_order.drafted", "work_order.changed", "work_order.made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The policy at work."""

    engine: Engine
    deleter: Deleter
    policy: Callable[[], Policy]
    """How long things are kept now: asked at the beginning of a round."""

    def due(self, now: datetime) -> Iterator[Due]:
        """What is due, oldest first; also what is held."""
        return self._due(self.policy(), now)

    def _due(self, policy: Policy, now: datetime) -> Iterator[Due]:
        terms = (policy.usual, *policy.by_kind.values())
        every = [days for term in terms for days in (term.audio_days, term.transcript_days)]
        least = min(filter(None, every), default=0)
        if not least:
            return
        before = _sortable(now - timedelta(days=least))
        after = ("", "")
        while rows := self._page(before, after):
            after = (rows[-1].ended_at, rows[-1].call_id)
            yield from self._due_of(rows, policy, now)

    def run(self, now: datetime, *, on_deleted: Callable[[Deletion], None] = lambda _: None) -> int:
        """Delete what is due and not held; returns how much that was.

        Every call is deleted by itself, and live calls have half of the time in between.
        """
        deleted, policy = 0, self.policy()
        for due in list(self._due(policy, now)):
            if due.is_held:
                continue
            began = time.monotonic()
            try:
                reason = f"保存满 {due.days} 天"
                on_deleted(self.deleter.delete(due.call_id, due.what, who=BY, reason=reason, now=now))
                deleted += 1
            except (CallHeld, UnknownCall):  # held, or deleted by somebody, since it was looked at
                continue
            time.sleep(min(1.0, time.monotonic() - began))
        self.deleter.sweep(before=now - _ORPHAN_AFTER)
        if days := policy.usual.transcript_days:
            ArrivalStore(self.engine).forget(before=now - timedelta(days=days))
        newest, _ = self.deleter.deletions(limit=1)
        if newest and newest[0].at > now - _SETTLES_WITHIN:  # also what a stop kept from being settled
            self.deleter.settle()
        return deleted

    def _page(self, before: str, after: tuple[str, str]) -> Sequence[Any]:
        ended_at, call_id = after
        query = (
            select(calls.c.call_id, calls.c.ended_at, calls.c.meta, has_sound().label("has_sound"))
            .where(calls.c.ended_at <= before)
            .where(
                (calls.c.ended_at > ended_at) | ((calls.c.ended_at == ended_at) & (calls.c.call_id > call_id))
            )
            .order_by(calls.c.ended_at, calls.c.call_id)
            .limit(_PAGE)
        )
        with self.engine.connect() as connection:
            return connection.execute(query).all()

    def _due_of(self, rows: Sequence[Any], policy: Policy, now: datetime) -> Iterator[Due]:
        with self.engine.connect() as connection:
            held = holds_of(connection, [row.call_id for row in rows])
        kinds = self._kinds([row.call_id for row in rows]) if policy.by_kind else {}
        for row in rows:
            kind = kinds.get(row.call_id) or str((row.meta or {}).get("类型", ""))
            term = policy.of(kind)
            ended_at = datetime.fromisoformat(row.ended_at)

            age = now - ended_at
            if _is_over(term.transcript_days, age):
                what, days = What.CALL, term.transcript_days
            elif _is_over(term.audio_days, age) and row.has_sound:
                what, days = What.AUDIO, term.audio_days
            else:
                continue
            hold = held.get(row.call_id)
            yield Due(
                call_id=row.call_id,
                what=what,
                kind=kind,
                ended_at=ended_at,
                days=days,
                is_held=hold is not None and hold.holds(now),
            )

    def _kinds(self, call_ids: Sequence[str]) -> dict[str, str]:
        """What kind of call it was, by its wrap-up as it stands."""
        kind = facts.c.payload["work_order"]["kind"]["value"].as_string().label("kind")
        query = (
            select(facts.c.call_id, kind)
            .where(facts.c.call_id.in_(call_ids), facts.c.type.in_(_KINDS))
            .order_by(facts.c.fact_id)
        )
        with self.engine.connect() as connection:
            return {row.call_id: row.kind for row in connection.execute(query) if row.kind}


def _is_over(days: int, age: timedelta) -> bool:
    return days > 0 and age >= timedelta(days=days)


def _sortable(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
