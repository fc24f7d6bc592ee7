"""Calls and orders as they lie in the database, written down without the hours that it takes to make them.

In: a database, what a call was about. Out: rows as journal and store of orders write them.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, Engine

from calls.facts import to_payload
from calls.forms.keeping import keep
from calls.forms.types import Form, FormField, Source
from calls.moments import stamp
from calls.tables import calls, facts
from calls.types import CallEnded, EndReason, Fact, WorkOrderChanged, WorkOrderDrafted
from insight.raised.desk import WarningDesk
from knowledge_base.database import writing

ZONE = ZoneInfo("Asia/Shanghai")
DISTRICTS = ("定海区", "普陀区", "岱山县")
MATTERS = ("停水", "路灯不亮", "噪声扰民", "占道经营")
UNITS = (("SW", "市水务集团"), ("ZJ", "市住房和城乡建设局"))
NOON = datetime(2026, 6, 10, 12, 0, tzinfo=ZONE)


def form_of(
    matter: str,
    *,
    district: str = "普陀区",
    place: str = "",
    category: str = "公用事业",
    department: str = "市水务集团",
    summary: str = "",
    **more: Any,
) -> Form:
    """A wrap-up that one article speaks of."""
    return Form(
        is_final=True,
        kind=FormField(value="求助", drafted="求助"),
        category=FormField(value=category, drafted=category),
        district=FormField(value=district, drafted=district),
        place=FormField(value=place, drafted=place),
        department=FormField(value=department, drafted=department),
        summary=FormField(value=summary or f"反映{matter}", drafted=summary or f"反映{matter}"),
        knowledge=(Source(article_id=matter, title=matter, is_used=False),),
        **more,
    )


def tell_call(
    connection: Connection,
    call_id: str,
    at: datetime,
    form: Form,
    *,
    caller: str | None = None,
    meta: dict[str, Any] | None = None,
    state: str = "ended",
) -> None:
    """A call that began then and was written down when it was over."""
    row = {
        "call_id": call_id,
        "state": state,
        "started_at": stamp(at),
        "ended_at": stamp(at + timedelta(minutes=3)) if state == "ended" else None,
        "operator_id": "8001",
        "caller": caller,
        "seconds": 180.0,
        "meta": meta or {},
    }
    connection.execute(calls.insert().values(row))
    tell_form(connection, call_id, at + timedelta(minutes=3), form)
    if state == "ended":
        note(connection, call_id, CallEnded(reason=EndReason.HANGUP, seconds=180.0), at)


def tell_form(connection: Connection, call_id: str, at: datetime, form: Form, *, by: str = "") -> None:
    """What stands in the form from now on."""
    fact: WorkOrderDrafted | WorkOrderChanged = WorkOrderDrafted(work_order=form)
    if by:
        fact = WorkOrderChanged(work_order=form, changes=(), by=by)
    keep(connection, call_id, at, fact)
    note(connection, call_id, fact, at)


def note(connection: Connection, call_id: str, fact: Fact, at: datetime) -> None:
    """A fact of the call."""
    row = {"call_id": call_id, "type": fact.type, "at": at.isoformat(), "payload": to_payload(fact)}
    connection.execute(facts.insert().values(row))


def tell_days(engine: Engine, *, first: datetime, days: int, a_day: float = 3.0, seed: int = 5) -> int:
    """Calls by chance about all matters in all districts; returns how many."""
    rng = np.random.default_rng(seed)
    n = 0
    with writing(engine) as connection:
        for day in range(days):
            for matter in MATTERS:
                for district in DISTRICTS:
                    for _ in range(rng.poisson(a_day)):
                        at = first + timedelta(days=day, minutes=float(rng.uniform(7 * 60, 20 * 60)))
                        form = form_of(matter, district=district)
                        tell_call(connection, f"usual-{n}", at, form, caller=f"1380000{n:04d}")
                        n += 1
    return n


def tell_burst(
    engine: Engine,
    *,
    at: datetime,
    n: int,
    matter: str = "停水",
    district: str = "普陀区",
    every: timedelta = timedelta(minutes=5),
    name: str = "burst",
    **more: Any,
) -> list[str]:
    """Callers one after the other, each from a place of their own."""
    ids = [f"{name}-{number}" for number in range(n)]
    with writing(engine) as connection:
        for number, call_id in enumerate(ids):
            form = form_of(matter, district=district, place=f"东港街道{number}号")
            tell_call(connection, call_id, at + number * every, form, caller=f"1390000{number:04d}", **more)
    return ids


def desk_of(engine: Engine, clock: Callable[[], datetime], **more: Any) -> WarningDesk:
    """The desk over a city of three districts and four matters."""

    def matters() -> Sequence[str]:
        return MATTERS

    return WarningDesk.open(
        engine,
        matters=more.pop("matters", matters),
        districts=lambda: DISTRICTS,
        units=lambda: UNITS,
        clock=clock,
        zone=ZONE,
        **more,
    )


def look(desk: WarningDesk) -> None:
    """Take in all that is new, and look."""
    while desk.lookout.look():
        pass
