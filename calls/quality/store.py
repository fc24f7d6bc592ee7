"""Scores in the installation's one database: taken in after each call, read, remarked on.

In: scores, remarks, wishes. Out: `Judged` calls and `Remark`s.
Not known here: how a call is scored, who may see what. All of it blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Engine

from calls.quality.remarks import after_remark
from calls.quality.tables import progress, remarks, scores
from calls.quality.types import (
    Finding,
    Judged,
    QualityState,
    Remark,
    RemarkKind,
    Scored,
    UnknownScore,
)
from calls.tables import facts
from calls.types import Call, CallEnded, EndReason
from knowledge_base.database import writing

_FINDINGS = TypeAdapter(tuple[Finding, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFilter:
    """Which scored calls; what is empty leaves all."""

    operator_id: str | None = None
    states: Sequence[QualityState] = ()
    below: float | None = None
    since: datetime | None = None
    before: datetime | None = None


class QualityStore:
    """Any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ended(self, *, limit: int) -> tuple[list[str], int]:
        """Calls that have ended since the last ones were taken in, and how far that goes (0: none has)."""
        with self._engine.connect() as connection:
            newest = connection.scalar(sa.select(sa.func.max(facts.c.fact_id))) or 0
            # Where the newest facts were deleted, their numbers are given anew.
            since = min(connection.scalar(sa.select(progress.c.scored_to)) or 0, newest)
            query = (
                sa.select(facts.c.fact_id, facts.c.call_id, facts.c.payload)
                .where(facts.c.fact_id > since, facts.c.type == CallEnded.type)
                .order_by(facts.c.fact_id)
                .limit(limit)
            )
            rows = connection.execute(query).all()
        live = [row.call_id for row in rows if row.payload["reason"] != EndReason.RECORDED]
        return live, rows[-1].fact_id if rows else 0

    def take_in(self, found: Sequence[tuple[Call, Scored]], *, until: int) -> None:
        """Keep scores, and how far calls were looked at; a call that has one keeps it."""
        with writing(self._engine) as connection:
            for call, scored in found:
                row = {
                    "call_id": call.call_id,
                    "operator_id": call.operator_id,
                    "started_at": _text(call.started_at),
                    "seconds": call.seconds,
                    "score": scored.score,
                    "by_rules": scored.score,
                    "findings": _FINDINGS.dump_python(scored.findings, mode="json"),
                    "state": QualityState.OPEN.value,
                }
                known = connection.scalar(sa.select(scores.c.call_id).where(scores.c.call_id == call.call_id))
                if known is None:
                    connection.execute(scores.insert().values(row))
            connection.execute(sa.update(progress).values(scored_to=until))

    def judged(self, call_id: str) -> Judged:
        """One scored call. Raises `UnknownScore`."""
        with self._engine.connect() as connection:
            return _read(connection, call_id)

    def list_judged(self, which: QualityFilter, *, limit: int, offset: int = 0) -> tuple[list[Judged], int]:
        """Scored calls, newest first, and how many fit in all."""
        conditions: list[sa.ColumnElement[bool]] = []
        if which.operator_id is not None:
            conditions.append(scores.c.operator_id == which.operator_id)
        if which.states:
            conditions.append(scores.c.state.in_([state.value for state in which.states]))
        if which.below is not None:
            conditions.append(scores.c.score < which.below)
        if which.since is not None:
            conditions.append(scores.c.started_at >= _text(which.since))
        if which.before is not None:
            conditions.append(scores.c.started_at < _text(which.before))
        query = sa.select(scores).where(*conditions).order_by(scores.c.started_at.desc(), scores.c.call_id)
        with self._engine.connect() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(scores).where(*conditions))
            rows = connection.execute(query.limit(limit).offset(offset)).all()
        return [_to_judged(row) for row in rows], total or 0

    def remarks(self, call_id: str) -> list[Remark]:
        """What was said of a score, oldest first."""
        query = sa.select(remarks).where(remarks.c.call_id == call_id).order_by(remarks.c.remark_id)
        with self._engine.connect() as connection:
            return [_to_remark(row) for row in connection.execute(query)]

    def remark(
        self, call_id: str, kind: RemarkKind, *, author: str, text: str, score: float | None, now: datetime
    ) -> Judged:
        """Say something of a score. Raises `UnknownScore`, `BadRemark`."""
        with writing(self._engine) as connection:
            judged = after_remark(_read(connection, call_id), kind, text=text, score=score)
            row = {"call_id": call_id, "kind": kind.value, "author": author, "text": text.strip()}
            connection.execute(remarks.insert().values(row | {"score": score, "at": _text(now)}))
            change = sa.update(scores).where(scores.c.call_id == call_id)
            connection.execute(change.values(score=judged.score, state=judged.state.value))
        return judged


def _read(connection: sa.Connection, call_id: str) -> Judged:
    row = connection.execute(sa.select(scores).where(scores.c.call_id == call_id)).one_or_none()
    if row is None:
        raise UnknownScore
    return _to_judged(row)


def _to_judged(row: sa.Row[Any]) -> Judged:
    return Judged(
        call_id=row.call_id,
        operator_id=row.operator_id,
        started_at=datetime.fromisoformat(row.started_at),
        seconds=row.seconds,
        score=row.score,
        by_rules=row.by_rules,
        findings=_FINDINGS.validate_python(row.findings),
        state=QualityState(row.state),
    )


def _to_remark(row: sa.Row[Any]) -> Remark:
    return Remark(
        remark_id=row.remark_id,
        kind=RemarkKind(row.kind),
        author=row.author,
        text=row.text,
        score=row.score,
        at=datetime.fromisoformat(row.at),
    )


def _text(moment: datetime) -> str:
    """One width and one zone, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
