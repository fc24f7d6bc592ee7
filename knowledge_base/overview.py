"""The knowledge at a glance: how much there is in which state, and which words stand in its fields.

In: the database, a day before which whatever expires counts as expiring.
Out: an `Overview`, counted by the database itself, so that it is quick with many articles too.
Not known here: single articles, what is published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy import Engine

from knowledge_base.tables import articles as _articles
from knowledge_base.types import ArticleState

MAX_WORDS = 500
"""Words of a field that are told; beyond it the commonest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Counts; deleted articles count only among `deleted`."""

    total: int
    states: Mapping[ArticleState, int]
    expiring: int
    deleted: int
    categories: tuple[tuple[str, int], ...]
    """(word, articles), commonest first."""
    departments: tuple[tuple[str, int], ...]
    districts: tuple[tuple[str, int], ...]


def look_over(engine: Engine, *, before: date) -> Overview:
    """Count everything; `expiring` are articles that expire before that day or have expired."""
    c = _articles.c
    is_live = c.deleted_at.is_(None)
    with engine.connect() as connection:

        def count(condition: sa.ColumnElement[bool]) -> int:
            return connection.scalar(sa.select(sa.func.count()).select_from(_articles).where(condition)) or 0

        def words(column: sa.Column[str]) -> tuple[tuple[str, int], ...]:
            many = sa.func.count()
            rows = connection.execute(
                sa.select(column, many)
                .where(is_live, column != "")
                .group_by(column)
                .order_by(many.desc(), column)
                .limit(MAX_WORDS)
            ).all()
            return tuple((word, times) for word, times in rows)

        return Overview(
            total=count(is_live),
            states={state: count(is_live & (c.state == state)) for state in ArticleState},
            expiring=count(is_live & (c.expires_on < before)),
            deleted=count(c.deleted_at.is_not(None)),
            categories=words(c.category),
            departments=words(c.department),
            districts=words(c.district),
        )
