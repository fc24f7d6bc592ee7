"""Asks the tables of the index: which calls hold all words, and which of their lines to show.

In: a connection, words, a wish. Out: the number of calls found, and hits of the page asked for.
Not known here: how lines come into the tables, who may see what.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, union_all

from calls.search.full_text import FullText, full_text_of
from calls.search.lines import note_of
from calls.search.tables import indexed_calls, indexed_lines, is_of
from calls.search.taking_in import sortable
from calls.search.types import FoundLine, Hit, Order, Source, Voice, Wish
from calls.search.words import Word, merged, places_of


def found_by(connection: Connection, words: Sequence[Word], wish: Wish) -> tuple[int, tuple[Hit, ...]]:
    """How many calls were found, and the page of them."""
    query = _query(full_text_of(connection), words, wish)
    rows = connection.execute(query.limit(wish.limit).offset(wish.offset)).all()
    if not rows and wish.offset:
        first = connection.execute(query.limit(1)).first()
        return (first.total if first else 0), ()
    hits = (_hit(connection, row, words, wish) for row in rows)
    return (rows[0].total if rows else 0), tuple(hit for hit in hits if hit is not None)


def _query(full_text: FullText, words: Sequence[Word], wish: Wish) -> Select[Any]:
    """The calls in which every word stands, in the order wished for."""
    parts = [full_text.calls_with([word], wish.voice) for word in words]
    each = union_all(*parts).subquery()
    in_all = (
        select(each.c.call_no, func.sum(each.c.lines).label("lines"))
        .group_by(each.c.call_no)
        .having(func.count() == len(parts))
        .cte("in_all")
        .prefix_with("MATERIALIZED")
    )
    query = (
        select(indexed_calls, func.count().over().label("total"))
        .join(in_all, in_all.c.call_no == indexed_calls.c.call_no)
        .where(*_conditions(wish))
    )
    if wish.order is Order.BEST:
        if len(words) > 1 and len({word.by for word in words}) == 1:
            together = full_text.calls_with(words, wish.voice).cte("together").prefix_with("MATERIALIZED")
            query = query.outerjoin(together, together.c.call_no == indexed_calls.c.call_no)
            query = query.order_by(func.coalesce(together.c.lines, 0).desc())
        query = query.order_by(in_all.c.lines.desc())
    return query.order_by(indexed_calls.c.started_at.desc(), indexed_calls.c.call_id)


def _conditions(wish: Wish) -> Iterator[ColumnElement[bool]]:
    if wish.caller is not None and wish.caller.startswith("*"):
        yield indexed_calls.c.caller.endswith(wish.caller[1:], autoescape=True)
    elif wish.caller is not None:
        yield indexed_calls.c.caller == wish.caller
    for seat in (wish.operator_id, wish.seat):
        if seat is not None:
            yield indexed_calls.c.operator_id == seat
    if wish.source is not None:
        yield indexed_calls.c.is_recording.is_(wish.source is Source.RECORDING)
    if wish.since is not None:
        yield indexed_calls.c.started_at >= sortable(wish.since)
    if wish.before is not None:
        yield indexed_calls.c.started_at < sortable(wish.before)


def _hit(connection: Connection, call: Any, words: Sequence[Word], wish: Wish) -> Hit | None:
    """Look in a call's lines for what the index says is there; that is where the marks come from."""
    query = select(indexed_lines).where(is_of(call.call_no))
    if wish.voice is not None:
        query = query.where(indexed_lines.c.voice == wish.voice.value)
    found = []
    for line in connection.execute(
        query.order_by(indexed_lines.c.start_s.nulls_first(), indexed_lines.c.line_no)
    ):
        places = places_of(line.text, words)
        if any(places):
            found.append((sum(map(bool, places)), line, places))
    if not found:
        return None
    _, line, places = max(found, key=lambda one: one[0])
    note_id = note_of(line.key)
    return Hit(
        call_id=call.call_id,
        started_at=datetime.fromisoformat(call.started_at),
        operator_id=call.operator_id,
        caller=call.caller,
        source=Source.RECORDING if call.is_recording else Source.LIVE,
        line=FoundLine(
            segment_id=None if note_id else line.key,
            note_id=note_id,
            voice=Voice(line.voice),
            start_s=line.start_s,
            text=line.text,
            marks=merged(place for some in places for place in some),
        ),
        lines=len(found),
    )
