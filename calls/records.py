"""The record of calls, read: entries of a stream, calls, and calls as they stand.

In: names of streams and calls. Out: `Entry`s, `Call`s and `CallView`s.
Not known here: who writes, who is looking. All of it blocks: call it from a thread.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, and_, func, or_, select

from asr.types import Party
from calls.facts import from_payload
from calls.listing import CallWish, WrapupLine, conditions_of, wrapup_lines
from calls.tables import calls, entries, facts, streams
from calls.types import (
    AudioFormat,
    Call,
    CallStarted,
    CallState,
    CallTransferred,
    EndReason,
    Entry,
    SegmentShown,
    Stream,
    SuggestionShown,
)
from calls.view import CallView

_PAGE = 1000
_MATTER_WITHIN = 100
"""Facts from the beginning of a call within which its matter is looked for."""
_SENTENCE = 6
"""Characters from which on a citizen's line says something."""


class Records:
    """Reads what the journal wrote."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def view(self, stream: str) -> CallView:
        """The newest call of a call's or operator's stream as it stands.

        A call that was handed to an operator began in another one's stream: what was told before is read in
        the stream of the call.
        """
        view = CallView()
        first = self.start_of_current_call(stream)
        view.seq = max(first - 1, 0)
        if found := self.read(stream, since=view.seq, limit=1):
            start = found[0]
            if isinstance(start.fact, CallTransferred) and start.call_id is not None:
                view = self._view_before(start.call_id, stream, start.seq)
                view.seq = start.seq - 1
        while entries := self.read(stream, since=view.seq, limit=_PAGE):
            for entry in entries:
                view.apply(entry)
        return view

    def _view_before(self, call_id: str, stream: str, seq: int) -> CallView:
        """The call as it stood just before that entry of another stream."""
        fact_id = select(entries.c.fact_id).where(entries.c.stream == stream, entries.c.seq == seq)
        own = Stream.call(call_id)
        query = select(entries.c.seq).where(
            entries.c.stream == own, entries.c.fact_id == fact_id.scalar_subquery()
        )
        with self._engine.connect() as connection:
            until = connection.scalar(query) or 0
        view = CallView()
        while view.seq < until - 1:
            for entry in self.read(own, since=view.seq, limit=min(_PAGE, until - 1 - view.seq)):
                view.apply(entry)
        return view

    def read(self, stream: str, *, since: int, limit: int) -> list[Entry]:
        """Entries of the stream with `seq` above `since`, at most `limit`, in order."""
        query = (
            select(entries.c.stream, entries.c.seq, facts)
            .join(facts, facts.c.fact_id == entries.c.fact_id)
            .where(entries.c.stream == stream, entries.c.seq > since)
            .order_by(entries.c.seq)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_to_entry(row) for row in connection.execute(query)]

    def last_seq(self, stream: str) -> int:
        """The newest `seq` of the stream, 0 where it has none."""
        with self._engine.connect() as connection:
            found = connection.scalar(select(streams.c.last_seq).where(streams.c.stream == stream))
        return found or 0

    def last_seqs(self, streams_: Sequence[str]) -> dict[str, int]:
        """The newest `seq` of each of these streams that has any."""
        found: dict[str, int] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(streams_), _PAGE):
                some = streams.c.stream.in_(streams_[start : start + _PAGE])
                rows = connection.execute(select(streams.c.stream, streams.c.last_seq).where(some))
                found |= {row.stream: row.last_seq for row in rows}
        return found

    def last_final_at(self, call_id: str) -> datetime | None:
        """When the last final of a call was written, or None."""
        query = (
            select(facts.c.at)
            .where(facts.c.call_id == call_id, facts.c.type == SegmentShown.type)
            .order_by(facts.c.fact_id.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            found = connection.scalar(query)
        return datetime.fromisoformat(found) if found else None

    def start_of_current_call(self, stream: str) -> int:
        """The `seq` with which the newest call came into the stream, 0 where there is none.

        It began there, or it was handed over to the operator whose stream this is.
        """
        began = facts.c.type == CallStarted.type
        if stream.startswith(Stream.operator("")):
            operator_id = stream.removeprefix(Stream.operator(""))
            came = facts.c.type == CallTransferred.type
            began = or_(began, and_(came, facts.c.payload["to_operator"].as_string() == operator_id))
        query = (
            select(entries.c.seq)
            .join(facts, facts.c.fact_id == entries.c.fact_id)
            .where(entries.c.stream == stream, began)
            .order_by(entries.c.seq.desc())  # read backwards: an operator's stream goes back for years
            .limit(1)
        )
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0

    def current_call(self, stream: str) -> str | None:
        """The call that started last in the stream, or None."""
        query = (
            select(facts.c.call_id)
            .join(entries, facts.c.fact_id == entries.c.fact_id)
            .where(entries.c.stream == stream, entries.c.seq == self.start_of_current_call(stream))
        )
        with self._engine.connect() as connection:
            found: str | None = connection.scalar(query)
        return found

    def was_shown(self, call_id: str, suggestion_id: str, article_id: str) -> bool:
        """Whether that suggestion of that call held a card of that article."""
        query = select(facts.c.payload).where(
            facts.c.call_id == call_id, facts.c.type == SuggestionShown.type
        )
        with self._engine.connect() as connection:
            suggestions = [payload["suggestion"] for payload in connection.scalars(query)]
        return any(
            suggestion["suggestion_id"] == suggestion_id
            and any(card["article_id"] == article_id for card in suggestion["cards"])
            for suggestion in suggestions
        )

    def matter(self, call_id: str) -> str | None:
        """What the call was about: its first card's title, else the citizen's first sentence, or None."""
        types = (SuggestionShown.type, SegmentShown.type)
        query = (
            select(facts.c.type, facts.c.payload)
            .where(facts.c.call_id == call_id, facts.c.type.in_(types))
            .order_by(facts.c.fact_id)
            .limit(_MATTER_WITHIN)
        )
        said: str | None = None
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                if row.type == SuggestionShown.type and row.payload["suggestion"]["cards"]:
                    return str(row.payload["suggestion"]["cards"][0]["title"])
                segment = row.payload.get("segment")
                is_citizen = segment is not None and segment["party"] != Party.OPERATOR
                if said is None and is_citizen and len(segment["text"]) >= _SENTENCE:
                    said = str(segment["text"])
        return said

    def call(self, call_id: str) -> Call | None:
        """The call as it stands, or None."""
        with self._engine.connect() as connection:
            row = connection.execute(select(calls).where(calls.c.call_id == call_id)).first()
        return _to_call(row) if row else None

    def with_sound(self, call_ids: Sequence[str]) -> set[str]:
        """Those of these calls that have sound, as far as their rows say."""
        query = select(calls.c.call_id, calls.c.audio_format).where(calls.c.call_id.in_(call_ids))
        with self._engine.connect() as connection:
            return {row.call_id for row in connection.execute(query) if row.audio_format}

    def audio_format(self, call_id: str) -> AudioFormat | None:
        """How the call's sound is encoded, or None where it has none."""
        with self._engine.connect() as connection:
            found = connection.scalar(select(calls.c.audio_format).where(calls.c.call_id == call_id))
        if not found:
            return None
        return AudioFormat(
            encoding=found["encoding"],
            sample_rate_hz=found["sample_rate_hz"],
            channels=tuple(found["channels"]),
        )

    def calls(
        self,
        *,
        states: Sequence[CallState] = (),
        caller: str | None = None,
        operator_id: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Call]:
        """Calls in the given states (all where empty), from that number, of that operator, newest first."""
        wish = CallWish(states=tuple(states), caller=caller, operator_id=operator_id)
        return self.calls_like(wish, limit=limit, offset=offset)[0]

    def calls_like(self, wish: CallWish, *, limit: int, offset: int = 0) -> tuple[list[Call], int]:
        """Calls that fit, newest first, and how many fit in all."""
        query = select(calls).where(*conditions_of(wish))
        order = (calls.c.started_at.desc(), calls.c.call_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(*order).limit(limit).offset(offset)).all()
            total = len(rows)
            if offset or total == limit:
                total = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
        return [_to_call(row) for row in rows], total

    def wrapups(self, call_ids: Sequence[str]) -> dict[str, WrapupLine]:
        """What each call was about, as far as its wrap-up says."""
        with self._engine.connect() as connection:
            return wrapup_lines(connection, call_ids)


def _to_entry(row: Row[Any]) -> Entry:
    return Entry(
        stream=row.stream,
        seq=row.seq,
        at=datetime.fromisoformat(row.at),
        call_id=row.call_id,
        fact=from_payload(row.type, row.payload),
    )


def _to_call(row: Row[Any]) -> Call:
    return Call(
        call_id=row.call_id,
        state=CallState(row.state),
        started_at=datetime.fromisoformat(row.started_at),
        ended_at=datetime.fromisoformat(row.ended_at) if row.ended_at else None,
        operator_id=row.operator_id,
        caller=row.caller,
        dialled=row.dialled,
        seconds=row.seconds,
        end_reason=EndReason(row.end_reason) if row.end_reason else None,
        meta=row.meta or {},
    )
