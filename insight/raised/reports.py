"""What is counted, in the installation's one database: taken in from calls and orders, read again.

In: calls and orders as they change. Out: `Told` rows, how they changed, counts over them.
Not known here: what is usual, warnings. All of it blocks.

Facts and lines of orders' histories are followed by their numbers: what was changed while nobody looked is
found when somebody looks again. A row is written anew when the form says something else, and goes when there
is nothing to count any more.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine

from calls.forms.tables import wrapups
from calls.forms.types import EMPTY_FORM, Form
from calls.moments import stamp
from calls.orders.tables import orders, steps
from calls.orders.types import MatterType, OrderContent, Urgency
from calls.tables import calls, facts
from calls.types import CallEnded, WorkOrderChanged, WorkOrderDrafted, WorkOrderMade
from insight.raised.reading import CallRow, Told, told_by_call, told_by_order
from insight.raised.state import read_state, write_state
from insight.raised.tables import reports as _reports
from knowledge_base.database import writing

AT_ONCE = 200
"""Facts that are taken in in one transaction: so long may a live call's fact have to wait for the disk."""
CATEGORY = "category:"
"""Before the name of a category whose matters grow together, where a warning has its matter."""
_FOLLOWED = "followed"
_CALLS, _ORDERS = "c", "o"
"""What of the past is taken in, as a mark says it: calls and then orders, with the last one that was."""
_LATE = timedelta(days=5)
"""What became known later than that counts nowhere."""
_TELLING = (CallEnded.type, WorkOrderDrafted.type, WorkOrderChanged.type, WorkOrderMade.type)
_OVER = ("ended", "interrupted")
_FORM = TypeAdapter(Form)
_STEP: sa.ColumnClause[int] = sa.literal_column("order_steps.rowid", sa.Integer)
"""Lines of histories are only ever added, so that their numbers are in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is counted of something now, and what was before."""

    before: Told | None
    after: Told | None

    @property
    def is_correction(self) -> bool:
        """Whether something was counted that is to be counted no more, or elsewhere."""
        return self.before is not None and _counted(self.before) != _counted(self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What stands in a wrap-up of a matter, and of whom it came."""

    summary: str = ""
    name: str = ""
    number: str = ""


class Closing(Exception):
    """The house closes: what takes long is given up, and done at the next start."""


class ReportStore:
    """Any thread may call it, one at a time takes in."""

    def __init__(
        self,
        engine: Engine,
        *,
        key: bytes,
        districts: Callable[[], Sequence[str]],
        unit_name: Callable[[str], str],
    ) -> None:
        """`key`: by which numbers are hashed; `districts`: the city's; `unit_name`: of a department."""
        self._engine = engine
        self._key = key
        self._districts = districts
        self._unit_name = unit_name
        self._is_closing = threading.Event()

    def close(self) -> None:
        """Stop whoever reads much at this moment: they get `Closing`."""
        self._is_closing.set()

    def go_on(self) -> None:
        """Whoever takes long asks from time to time; raises `Closing`."""
        if self._is_closing.is_set():
            raise Closing

    def catch_up(self, now: datetime) -> list[Change]:
        """Take in what was told since the last time, at most `AT_ONCE` facts; nothing: all is taken in."""
        self.go_on()
        if not self.is_behind():
            return []
        with writing(self._engine) as connection:
            mark = read_state(connection, _FOLLOWED)
            if mark is None:
                fact, step = _newest(connection)
                write_state(connection, _FOLLOWED, f"{fact} {step} {_CALLS}".encode(), now)
                return []
            fact, step, back = _marks(mark)
            if back is not None:
                changes, back = self._take_past(connection, back, now)
                write_state(connection, _FOLLOWED, f"{fact} {step} {back or ''}".encode(), now)
                return changes
            call_ids, fact = _changed_calls(connection, fact, _newest(connection)[0])
            order_ids, step = _changed_orders(connection, step)
            changes = self._take(connection, call_ids, order_ids, lambda row: now)
            write_state(connection, _FOLLOWED, f"{fact} {step} ".encode(), now)
        return changes

    def is_behind(self) -> bool:
        """Whether something waits to be taken in."""
        with self._engine.connect() as connection:
            mark = read_state(connection, _FOLLOWED)
            if mark is None:
                return True
            fact, step, back = _marks(mark)
            return back is not None or (fact, step) != _newest(connection)

    def known_between(self, since: datetime, before: datetime) -> Iterator[Told]:
        """All that became known in that time and was not said long before, in the order of becoming known."""
        known = _reports.c.known_at
        query = sa.select(_reports).where(known >= stamp(since), known < stamp(before))
        query = query.where(_reports.c.at >= stamp(since - _LATE))  # of which there is an index
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(known, _reports.c.report_id)).yield_per(5_000):
                self.go_on()
                yield _to_told(row)

    def first_at(self) -> datetime | None:
        """When the first one was said."""
        with self._engine.connect() as connection:
            found = connection.scalar(sa.select(sa.func.min(_reports.c.at)))
        return datetime.fromisoformat(found) if found else None

    def matters(self, *, since: datetime, least: int) -> list[str]:
        """Matters that were told at least so often since then, most first."""
        is_named = _reports.c.matter != ""
        query = sa.select(_reports.c.matter).where(_reports.c.at >= stamp(since), is_named)
        query = query.group_by(_reports.c.matter)
        query = query.having(sa.func.count() >= least).order_by(sa.func.count().desc(), _reports.c.matter)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def categories(self, *, since: datetime) -> dict[str, str]:
        """Of each matter that was told since then the category that it was given most often."""
        columns = (_reports.c.matter, _reports.c.category)
        query = sa.select(*columns).where(_reports.c.at >= stamp(since), _reports.c.category != "")
        query = query.group_by(*columns).order_by(sa.func.count(), _reports.c.category)
        with self._engine.connect() as connection:
            return {row.matter: row.category for row in connection.execute(query)}

    def told(self, report_ids: Sequence[str]) -> list[Told]:
        """Some of them, newest first."""
        query = sa.select(_reports).where(_reports.c.report_id.in_(report_ids))
        with self._engine.connect() as connection:
            return [_to_told(row) for row in connection.execute(query.order_by(_reports.c.at.desc()))]

    def about(self, call_ids: Sequence[str]) -> dict[str, About]:
        """What the wrap-ups of some calls say."""
        parts = {"summary": "summary", "name": "caller_name", "number": "caller_phone"}
        said = [wrapups.c.form[its]["value"].as_string().label(name) for name, its in parts.items()]
        query = sa.select(wrapups.c.call_id, *said).where(wrapups.c.call_id.in_(call_ids))
        with self._engine.connect() as connection:
            return {
                row.call_id: About(summary=row.summary or "", name=row.name or "", number=row.number or "")
                for row in connection.execute(query)
            }

    def of_matter(
        self, matter: str, district: str | None, *, since: datetime, before: datetime | None = None
    ) -> list[Told]:
        """What was told of a matter or a whole category, in a district or (None) the city, oldest first."""
        is_it = _reports.c.matter == matter
        if matter.startswith(CATEGORY):
            is_it = _reports.c.category == matter.removeprefix(CATEGORY)
        query = sa.select(_reports).where(is_it, _reports.c.at >= stamp(since))
        if district is not None:
            query = query.where(_reports.c.district == district)
        if before is not None:
            query = query.where(_reports.c.at < stamp(before))
        with self._engine.connect() as connection:
            return [_to_told(row) for row in connection.execute(query.order_by(_reports.c.at))]

    def _take_past(
        self, connection: Connection, after: str, now: datetime
    ) -> tuple[list[Change], str | None]:
        """Take in a part of what was there before anybody followed; returns how far, None at the end."""
        stage, last = after[0], after[1:]

        def known(at: datetime) -> datetime:  # what was said long ago was known then: nothing of it is news
            return min(now, at)

        if stage == _CALLS:
            query = sa.select(wrapups.c.call_id).where(wrapups.c.call_id > last).order_by(wrapups.c.call_id)
            call_ids = list(connection.scalars(query.limit(AT_ONCE)))
            next_ = f"{_CALLS}{call_ids[-1]}" if call_ids else f"{_ORDERS}0"
            return self._take(connection, call_ids, [], known), next_
        alone = sa.select(orders.c.number, orders.c.order_id).where(
            orders.c.number > int(last), orders.c.call_id.is_(None)
        )
        rows = connection.execute(alone.order_by(orders.c.number).limit(AT_ONCE)).all()
        where = f"{_ORDERS}{rows[-1].number}" if rows else None
        return self._take(connection, [], [row.order_id for row in rows], known), where

    def _take(
        self,
        connection: Connection,
        call_ids: Sequence[str],
        order_ids: Sequence[str],
        known: Callable[[datetime], datetime],
    ) -> list[Change]:
        """Write down what calls and orders say now. `known`: when it is known, of when it was over."""
        own = dict.fromkeys(call_ids)
        alone: list[Any] = []
        for row in connection.execute(sa.select(orders).where(orders.c.order_id.in_(order_ids))):
            if row.call_id is not None and _has_call(connection, row.call_id):
                own.setdefault(row.call_id)
            else:
                alone.append(row)
        told: dict[str, Told | None] = {}
        districts = self._districts()
        for call, ended_at in _calls(connection, list(own)):
            told[call.call_id] = told_by_call(
                call,
                known_at=known(ended_at),
                key=self._key,
                districts=districts,
                unit_name=self._unit_name,
            )
        for row in alone:
            created_at = datetime.fromisoformat(row.created_at)
            one = told_by_order(
                row.order_id,
                _content(row),
                created_at=created_at,
                known_at=known(created_at),
                key=self._key,
                districts=districts,
                unit_name=self._unit_name,
            )
            told[f"order:{row.order_id}"] = one
        return list(_write(connection, told))


def _write(connection: Connection, told: dict[str, Told | None]) -> Iterator[Change]:
    query = sa.select(_reports).where(_reports.c.report_id.in_(told))
    before = {row.report_id: _to_told(row) for row in connection.execute(query)}
    for report_id, after in told.items():
        was = before.get(report_id)
        if after is None:
            if was is not None:
                connection.execute(_reports.delete().where(_reports.c.report_id == report_id))
                yield Change(before=was, after=None)
            continue
        row = asdict(after) | {"at": stamp(after.at), "known_at": stamp(after.known_at)}
        if was is None:
            connection.execute(_reports.insert().values(row))
            yield Change(before=None, after=after)
        elif _content_of(was) != _content_of(after):
            row["known_at"] = stamp(was.known_at)
            connection.execute(_reports.update().where(_reports.c.report_id == report_id).values(row))
            yield Change(before=was, after=after)


def _counted(told: Told | None) -> tuple[Any, ...] | None:
    return (told.at, told.caller, told.district, told.matter) if told is not None else None


def _content_of(told: Told) -> dict[str, Any]:
    return asdict(told) | {"known_at": None}


def _marks(mark: bytes) -> tuple[int, int, str | None]:
    """How far facts and histories were followed, and how far the past was taken in; None: all of it."""
    fact, step, back = mark.decode().split(" ", 2)
    return int(fact), int(step), back or None


def _newest(connection: Connection) -> tuple[int, int]:
    fact = connection.scalar(sa.select(sa.func.max(facts.c.fact_id))) or 0
    step = connection.scalar(sa.select(sa.func.max(_STEP)).select_from(steps)) or 0
    return fact, step


def _changed_calls(connection: Connection, since: int, newest: int) -> tuple[list[str], int]:
    query = sa.select(facts.c.fact_id, facts.c.call_id).where(
        facts.c.fact_id > min(since, newest), facts.c.type.in_(_TELLING)
    )
    # By their numbers, not by the index of types: that one would gather the facts of years first.
    query = query.where(facts.c.fact_id <= newest).order_by(facts.c.fact_id).limit(AT_ONCE)
    rows = connection.execute(query).all()
    found = dict.fromkeys(row.call_id for row in rows if row.call_id)
    return list(found), rows[-1].fact_id if len(rows) == AT_ONCE else newest


def _changed_orders(connection: Connection, since: int) -> tuple[list[str], int]:
    query = sa.select(_STEP.label("number"), steps.c.order_id).select_from(steps).where(since < _STEP)
    rows = connection.execute(query.order_by(_STEP).limit(AT_ONCE)).all()
    return list(dict.fromkeys(row.order_id for row in rows)), rows[-1].number if rows else since


def _has_call(connection: Connection, call_id: str) -> bool:
    return connection.scalar(sa.select(calls.c.call_id).where(calls.c.call_id == call_id)) is not None


def _calls(connection: Connection, call_ids: Sequence[str]) -> Iterator[tuple[CallRow, datetime]]:
    """Calls with their forms and the first order that was made of each, and when each was over."""
    of_calls = sa.select(orders).where(orders.c.call_id.in_(call_ids)).order_by(orders.c.number.desc())
    made = {row.call_id: row for row in connection.execute(of_calls)}
    query = sa.select(calls, wrapups.c.form).outerjoin(wrapups, wrapups.c.call_id == calls.c.call_id)
    for row in connection.execute(query.where(calls.c.call_id.in_(call_ids))):
        order = made.get(row.call_id)
        started_at = datetime.fromisoformat(row.started_at)
        call = CallRow(
            call_id=row.call_id,
            started_at=started_at,
            is_over=row.state in _OVER,
            caller=row.caller,
            meta=row.meta or {},
            form=_FORM.validate_python(row.form) if row.form else EMPTY_FORM,
            order_id=order.order_id if order is not None else None,
            order=_content(order) if order is not None else None,
        )
        ended_at = datetime.fromisoformat(row.ended_at) if row.ended_at else started_at
        yield call, max(started_at, min(ended_at, started_at + timedelta(days=1)))


def _content(row: Any) -> OrderContent:
    return OrderContent(
        type=MatterType(row.type),
        summary=row.summary,
        urgency=Urgency(row.urgency),
        caller_phone=row.caller_phone,
        district=row.district,
        address=row.address,
        category=row.category,
        department_id=row.department_id,
    )


def _to_told(row: Any) -> Told:
    values = {name: getattr(row, name) for name in Told.__dataclass_fields__}
    for name in ("at", "known_at"):
        values[name] = datetime.fromisoformat(values[name])
    return Told(**values)
