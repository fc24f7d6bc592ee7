"""What operators and editors say about the knowledge: errors reported and answered, gaps settled.

In: reports with the article that they are about; questions that somebody has dealt with.
Out: the same again, open ones first.
Not known here: how gaps are found, what is changed in the articles.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from knowledge_base.database import writing
from knowledge_base.rows import to_text
from knowledge_base.tables import reports as _reports
from knowledge_base.tables import settled_gaps as _gaps
from knowledge_base.types import KnowledgeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An error that somebody found in an article."""

    report_id: int
    article_id: str
    text: str
    reporter: str
    call_id: str | None
    at: datetime
    answer: str | None
    """What was done about it; None while it is open."""
    answered_by: str | None
    answered_at: datetime | None


class Feedback:
    """Reports by number, and the questions that need no more looking at."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def report(
        self, article_id: str, *, text: str, reporter: str, call_id: str | None, now: datetime
    ) -> Report:
        """Note an error."""
        with writing(self._engine) as connection:
            key = connection.execute(
                _reports.insert().values(
                    article_id=article_id, text=text, reporter=reporter, call_id=call_id, at=to_text(now)
                )
            ).inserted_primary_key
            assert key is not None
            return _to_report(
                connection.execute(sa.select(_reports).where(_reports.c.report_id == key[0])).one()
            )

    def answer(self, report_id: int, *, answer: str, author: str, now: datetime) -> Report:
        """Answer a report, or answer it anew. Raises `KnowledgeError` (`kb.unknown_report`)."""
        is_it = _reports.c.report_id == report_id
        with writing(self._engine) as connection:
            changed = connection.execute(
                _reports.update()
                .where(is_it)
                .values(answer=answer, answered_by=author, answered_at=to_text(now))
            )
            if not changed.rowcount:
                raise KnowledgeError(f"没有编号为 {report_id} 的纠错。", code="kb.unknown_report")
            return _to_report(connection.execute(sa.select(_reports).where(is_it)).one())

    def reports(
        self,
        *,
        article_id: str | None = None,
        reporter: str | None = None,
        is_open: bool | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> tuple[tuple[Report, ...], int]:
        """Reports, open ones first, then newest first; and how many fit in all."""
        fitting = sa.select(_reports)
        if article_id is not None:
            fitting = fitting.where(_reports.c.article_id == article_id)
        if reporter is not None:
            fitting = fitting.where(_reports.c.reporter == reporter)
        if is_open is not None:
            fitting = fitting.where(
                _reports.c.answer.is_(None) if is_open else _reports.c.answer.is_not(None)
            )
        ordered = fitting.order_by(_reports.c.answer.is_not(None), _reports.c.report_id.desc())
        with self._engine.connect() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(fitting.subquery())) or 0
            rows = connection.execute(ordered.offset(offset).limit(limit)).all()
        return tuple(_to_report(row) for row in rows), total

    def settle(self, questions: Iterable[str], *, article_id: str | None, author: str, now: datetime) -> None:
        """Note that the questions were dealt with: taken into that article, or None where set aside."""
        rows = [
            {"question": question, "article_id": article_id, "author": author, "at": to_text(now)}
            for question in dict.fromkeys(questions)
        ]
        if rows:
            with writing(self._engine) as connection:
                wanted = [row["question"] for row in rows]
                connection.execute(_gaps.delete().where(_gaps.c.question.in_(wanted)))
                connection.execute(_gaps.insert(), rows)

    def reopen(self, questions: Iterable[str]) -> None:
        """Look at questions again that were set aside."""
        is_aside = _gaps.c.question.in_(list(questions)) & _gaps.c.article_id.is_(None)
        with writing(self._engine) as connection:
            connection.execute(_gaps.delete().where(is_aside))

    def settled(self) -> frozenset[str]:
        """Every question that was dealt with."""
        with self._engine.connect() as connection:
            return frozenset(connection.scalars(sa.select(_gaps.c.question)))


def _to_report(row: sa.Row[Any]) -> Report:
    return Report(
        report_id=row.report_id,
        article_id=row.article_id,
        text=row.text,
        reporter=row.reporter,
        call_id=row.call_id,
        at=datetime.fromisoformat(row.at),
        answer=row.answer,
        answered_by=row.answered_by,
        answered_at=datetime.fromisoformat(row.answered_at) if row.answered_at else None,
    )
