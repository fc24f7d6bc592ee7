"""The index of calls: two full-text tables, one of texts, one of sounds; a row is a line.

In: a database with the facts; questions. Out: pages of hits.
Not known here: HTTP, who may see what, when to catch up.

Lines are taken apart before a transaction begins: the write lock, which live calls need too, is held for the
writing alone.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, Select, case, func, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from calls.facts import from_payload
from calls.search.finding import found_by
from calls.search.lines import FOLLOWED, changes_of
from calls.search.tables import index_state
from calls.search.taking_in import empty, take_in, take_out, tokens_by
from calls.search.types import Page, SearchFailed, Wish
from calls.search.words import revision, words_of
from calls.tables import facts
from calls.types import Fact
from knowledge_base.database import writing

log = logging.getLogger(__name__)

_FOLLOWED = [kind.type for kind in FOLLOWED]


class FullTextIndex:
    """A `CallIndex`. Any thread may use it, also beside another process: each fact is taken in once."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def find(self, wish: Wish) -> Page:
        """The calls in which all words stand. Raises `BadWish`, `SearchFailed`."""
        words = words_of(wish.text, wish.by)
        with _failing(), self._engine.connect() as connection:
            total, hits = found_by(connection, words, wish)
            newest = connection.scalar(select(func.max(facts.c.fact_id))) or 0
            indexed_to = connection.scalar(select(index_state.c.indexed_to)) or 0
        return Page(total=total, hits=hits, behind=max(0, newest - indexed_to))

    def catch_up(self, *, limit: int) -> int:
        """Take in at most `limit` facts; returns how many. Raises `SearchFailed`."""
        with _failing():
            with self._engine.connect() as connection:
                state = connection.execute(select(index_state)).one()
                rows = connection.execute(_after(state.indexed_to, limit)).all()
            if state.revision != revision():
                empty(lambda: writing(self._engine), revision=revision(), is_old=True)
                return self.catch_up(limit=limit)
            if not rows:
                return 0
            changes = changes_of(_facts_in(rows))
            tokens = {line.text: tokens_by(line.text) for line in changes.lines.values()}
            with writing(self._engine) as connection:
                moved = connection.execute(
                    update(index_state)
                    .where(index_state.c.indexed_to == state.indexed_to, index_state.c.revision == revision())
                    .values(indexed_to=rows[-1].fact_id)
                )
                if moved.rowcount:  # else somebody else took them in meanwhile
                    take_in(connection, changes, tokens)
        return len(rows)

    def clear(self) -> None:
        """Forget everything. Raises `SearchFailed`."""
        with _failing():
            empty(lambda: writing(self._engine), revision=revision())

    def forget(self, call_id: str) -> None:
        """Forget one call. Raises `SearchFailed`."""
        with _failing(), writing(self._engine) as connection:
            take_out(connection, call_id)


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        why = type(error.orig if isinstance(error, DBAPIError) else error).__name__
        raise SearchFailed(f"查找暂时不可用，请稍后再试（{why}）。") from error


def _after(fact_id: int, limit: int) -> Select[Any]:
    """Facts after that one; what is in them only where it matters here, as cards are long."""
    payload = case((facts.c.type.in_(_FOLLOWED), facts.c.payload)).label("payload")
    query = select(facts.c.fact_id, facts.c.call_id, facts.c.type, payload)
    return query.where(facts.c.fact_id > fact_id).order_by(facts.c.fact_id).limit(limit)


def _facts_in(rows: Sequence[Any]) -> Iterator[tuple[str, Fact]]:
    for row in rows:
        if row.payload is not None and row.call_id is not None:
            try:
                yield row.call_id, from_payload(row.type, row.payload)
            except ValueError:  # one damaged row must not keep the others out
                log.error("fact %d cannot be read and is left out of the index", row.fact_id)
