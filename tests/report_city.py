"""A small city's calls and orders of some months, made through the stores that a running house uses.

In: a database, a folder, a seed. Out: calls with wrap-ups, orders with their whole life, alarms, trial calls.
Times are the past's: the clock of the orders is set before each deed.
"""

import asyncio
import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from calls.arrivals.store import ArrivalStore
from calls.arrivals.types import Arrival
from calls.forms.types import Form, FormField, OrderMade, Source
from calls.journal import Journal
from calls.orders.types import (
    Deed,
    MatterType,
    Order,
    OrderContent,
    Part,
    Person,
    Satisfaction,
    Urgency,
    Wish,
)
from calls.safety.kinds import AlarmKind, Severity
from calls.types import (
    AlarmRaised,
    AlarmRated,
    Call,
    CallEnded,
    CallStarted,
    CallState,
    EndReason,
    Fact,
    Stream,
    WorkOrderDrafted,
    WorkOrderMade,
)
from insight.raised.store import WarningStore
from insight.raised.types import Layer, RaisedWarning, WarningState
from knowledge_base.database import migrate, open_database
from tests.order_parts import order_desk

ZONE = ZoneInfo("Asia/Shanghai")
DISTRICTS = ("定海区", "普陀区", "普陀区", "定海区", "定海区", "岱山县", "嵊泗县", "新城")
DEPARTMENT_OF = {
    "供水排水": "SZ15",
    "供电": "SZ23",
    "供气供热": "SZ45",
    "公共交通": "SZ44",
    "道路交通": "SZ05",
    "公安户政": "SZ05",
    "劳动社保": "SZ02",
    "医疗卫生": "SZ08",
    "市场消费": "SZ10",
    "市容城管": "SZ20",
    "住房物业": "SZ04",
    "房产买卖": "SZ04",
    "政务综合": "SZ43",
    "教育": "SZ12",
    "旅游海洋": "SZ13",
    "环境污染": "SZ19",
}
KINDS = ("投诉", "咨询", "咨询", "求助", "求助", "求助", "投诉", "建议", "举报")
PLACES = ("东港街道", "昌国街道", "沈家门街道", "高亭镇", "菜园镇", "千岛街道")
SAYINGS = (
    "我们{place}这边{matter}的事，从前天开始就没人来处理，老人小孩都受影响。",
    "我昨天打过一次电话了，{matter}到现在还没有解决，请你们催一催。",
    "{place}好几户人家都碰到{matter}，晚上特别严重，麻烦尽快派人看看。",
    "想问一下{matter}要找哪个部门，需要带什么材料，我电话是{phone}。",
    "{place}{matter}，{name}反映过两回，都说在办，什么时候能有个准信？",
)
BOSS = Person(name="王敏", parts=frozenset(Part))


@dataclass
class SetClock:
    """The time at which the next deed is done."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Month:
    """How many calls a month has, and what stands out in it."""

    first: date
    days: int
    n: int
    outbreak: tuple[str, str, str, int, int] | None = None
    """Category, matter, district, first day, calls."""


NOW = datetime(2026, 4, 1, 8, 30, tzinfo=ZONE)
MONTHS = [
    Month(date(2025, 3, 1), 31, 25),
    Month(date(2026, 2, 1), 28, 50),
    Month(date(2026, 3, 1), 31, 80, outbreak=("供水排水", "水质发黄", "普陀区", 17, 14)),
]


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the three months, for reading only."""
    folder = tmp_path_factory.mktemp("city")
    engine = open_database(folder / "zhiting.db")
    migrate(engine)
    asyncio.run(found_city(engine, folder, MONTHS, until=NOW))
    engine.dispose()
    return folder


def matters() -> list[tuple[str, str, float]]:
    """Category, matter and weight."""
    path = Path(__file__).parents[1] / "scripts" / "data" / "city_matters.csv"
    with path.open(encoding="utf-8") as file:
        return [(row["category"], row["matter"], float(row["per_mille"])) for row in csv.DictReader(file)]


async def found_city(
    engine: Engine, folder: Path, months: list[Month], *, until: datetime, seed: int = 7
) -> None:
    """Let it all happen, up to `until`."""
    dice = random.Random(seed)
    clock = SetClock(until)
    desk = order_desk(engine, folder, clock)
    journal = Journal(engine, lambda entries: None)
    journal.start()
    named = matters()
    number = 0
    for month in months:
        for at, category, matter, district in sorted(_events(month, named, dice)):
            if at >= until:
                continue
            number += 1
            await _call(journal, desk, clock, dice, number, at, category, matter, district, until)
    await journal.stop()
    _queue_and_warn(engine, dice, until)


def _queue_and_warn(engine: Engine, dice: random.Random, until: datetime) -> None:
    """Half of the calls came through a queue, some gave up there; and three warnings were raised."""
    arrivals = ArrivalStore(engine)
    with engine.connect() as connection:
        query = "SELECT call_id, started_at FROM calls ORDER BY started_at"
        calls = connection.exec_driver_sql(query).all()
    for place, (call_id, started_at) in enumerate(calls[::2]):
        at = datetime.fromisoformat(started_at)
        waited = timedelta(seconds=dice.randrange(40))
        arrivals.tell(Arrival(call_id=call_id, arrived_at=at - waited, answered_at=at))
        if place % 9 == 0:
            arrivals.tell(Arrival(call_id=f"q-{place}", arrived_at=at, left_at=at + waited))
    store = WarningStore(engine)
    for days, district, is_true in ((13, "普陀区", True), (9, None, None), (40, "定海区", False)):
        raised = until - timedelta(days=days)
        warning = RaisedWarning(
            warning_id="",
            version=1,
            layer=Layer.KNOWN,
            state=WarningState.ACKNOWLEDGED,
            matter="水质发黄",
            name="水质发黄",
            category="供水排水",
            district=district,
            districts=("普陀区",),
            raised_at=raised,
            since=raised - timedelta(hours=20),
            window_h=24,
            observed=11,
            expected=1.25,
            probability=1e-6,
            false_share=0.01,
            places=4,
            callers_now=14,
            latest_at=raised,
            changed_at=raised,
            is_true=is_true,
            rated_by="王敏" if is_true is not None else "",
            rated_at=raised if is_true is not None else None,
        )
        store.add(warning, author="", day=f"{raised:%Y%m%d}")


def _events(
    month: Month, named: list[tuple[str, str, float]], dice: random.Random
) -> Iterator[tuple[datetime, str, str, str]]:
    for _ in range(month.n):
        category, matter, _ = dice.choices(named, weights=[one[2] for one in named])[0]
        yield _moment(month.first, dice.randrange(month.days), dice), category, matter, dice.choice(DISTRICTS)
    if month.outbreak is not None:
        category, matter, district, first, n = month.outbreak
        for _ in range(n):
            day = min(month.days - 1, first + min(int(dice.expovariate(0.6)), 5))
            yield _moment(month.first, day, dice), category, matter, district


def _moment(first: date, day: int, dice: random.Random) -> datetime:
    hour = dice.choice((0, 7, 8, 9, 9, 10, 10, 11, 13, 14, 14, 15, 16, 17, 19, 20, 23))
    at = time(hour, dice.randrange(60), dice.randrange(60), dice.randrange(1_000_000))
    return datetime.combine(first + timedelta(days=day), at, ZONE)


async def _call(
    journal: Journal,
    desk,  # type: ignore[no-untyped-def]
    clock: SetClock,
    dice: random.Random,
    number: int,
    at: datetime,
    category: str,
    matter: str,
    district: str,
    until: datetime,
) -> None:
    """One citizen's call, its wrap-up, and what became of its order."""
    caller = f"139{dice.randrange(60):08d}" if dice.random() < 0.3 else f"138{dice.randrange(10**8):08d}"
    name = dice.choice(("王小明", "李建国", "陈秀英", "张伟", "刘芳"))
    call_id, seconds = f"c-{number:05d}", round(dice.uniform(40, 420), 2)
    is_trial, is_unknown, is_letter = dice.random() < 0.02, dice.random() < 0.05, dice.random() < 0.03
    kind = dice.choice(KINDS)
    urgency = dice.choices(("普通", "紧急", "特急"), weights=(90, 8, 2))[0]
    said = dice.choice(SAYINGS).format(place=dice.choice(PLACES), matter=matter, phone=caller, name=name)
    content = OrderContent(
        type=MatterType(kind),
        summary=f"{district}反映{matter}",
        urgency=Urgency(urgency),
        detail=said,
        caller_name=name,
        caller_phone=caller,
        district=district,
        category=category,
        department_id=DEPARTMENT_OF[category],
    )
    if is_letter:  # an order that no call belongs to
        clock.now = at
        order = desk.begin(content, BOSS, call_id=None, operator_id=None)
        _live(desk, clock, dice, order, at, until)
        return
    call = Call(
        call_id=call_id,
        state=CallState.LIVE,
        started_at=at,
        operator_id=f"{dice.randrange(1, 9):03d}",
        caller=None if dice.random() < 0.04 else caller,
        meta={"来源": "话筒试听写"} if is_trial else {},
    )
    end = at + timedelta(seconds=seconds)
    form = Form(engine="embedded", is_final=True)
    if not is_unknown:
        form = _form(content, said, matter)
    facts: list[tuple[datetime, Fact]] = [(at, CallStarted(call=call))]
    if dice.random() < 0.02:
        alarm = f"a-{number:05d}"
        facts.append((at, _alarm(alarm, said)))
        facts += [(end, AlarmRated(alarm_id=alarm, is_true=dice.random() < 0.7, by="王敏"))]
    facts.append((end, WorkOrderDrafted(work_order=form)))
    facts.append((end, CallEnded(reason=EndReason.HANGUP, seconds=seconds)))
    await journal.append_whole(facts, now=end, call_id=call_id, streams=(Stream.call(call_id),))
    if is_unknown or is_trial or dice.random() < 0.25:
        return
    clock.now = end
    order = desk.begin(content, BOSS, call_id=call_id, operator_id=call.operator_id)
    made = OrderMade(order_id=order.order_id, state=order.state.value, by="王敏")
    fact = WorkOrderMade(work_order=_form(content, said, matter, order=made), by="王敏")
    await journal.append_whole([(end, fact)], now=end, call_id=call_id, streams=(Stream.call(call_id),))
    _live(desk, clock, dice, order, end, until)


def _form(content: OrderContent, said: str, matter: str, order: OrderMade | None = None) -> Form:
    def field(value: str) -> FormField:
        return FormField(value=value, drafted=value, confidence=0.8)

    return Form(
        engine="embedded",
        is_final=True,
        kind=field(content.type.value),
        urgency=field(content.urgency.value),
        caller_name=field(content.caller_name),
        caller_phone=field(content.caller_phone),
        district=field(content.district),
        category=field(content.category),
        summary=field(content.summary),
        detail=field(said),
        department_id=content.department_id,
        knowledge=(Source(article_id=f"kb-{matter}", title=matter, is_used=False),),
        order=order,
    )


def _alarm(alarm_id: str, said: str) -> AlarmRaised:
    return AlarmRaised(
        alarm_id=alarm_id,
        kind=AlarmKind.GAS,
        severity=Severity.CRITICAL,
        segment_id="citizen-1",
        said=said,
        start=0,
        end=2,
        start_s=1.0,
    )


def _live(desk, clock: SetClock, dice: random.Random, order: Order, at: datetime, until: datetime) -> None:  # type: ignore[no-untyped-def]
    """An order's life, as far as it goes until then."""

    def do(deed: Deed, hours: float, **more: object) -> bool:
        nonlocal order, at
        at += timedelta(hours=hours)
        if at >= until:
            return False
        clock.now = at
        order = desk.move(order.order_id, Wish(deed=deed, **more), BOSS, expected=order.version)  # type: ignore[arg-type]
        return True

    is_stuck = dice.random() < 0.06
    if not (do(Deed.ACCEPT, 0.1) and do(Deed.DISPATCH, dice.uniform(0.1, 3))):
        return
    if dice.random() < 0.06:
        if not (do(Deed.SEND_BACK, 5, note="不属本单位") and do(Deed.DISPATCH, 2)):
            return
        if dice.random() < 0.4 and not (do(Deed.SEND_BACK, 5, note="仍不属") and do(Deed.DISPATCH, 2)):
            return
    if is_stuck or not do(Deed.TAKE, dice.uniform(0.5, 10)):
        return
    if not do(Deed.ANSWER, dice.lognormvariate(3.3, 0.7), answer="已派人处理，情况属实，问题已解决。"):
        return
    said = dice.choices(list(Satisfaction), weights=(78, 8, 7, 7))[0]
    if not do(Deed.FOLLOW_UP, dice.uniform(4, 40), satisfaction=said):
        return
    if said is Satisfaction.UNSATISFIED and dice.random() < 0.5:
        if not do(Deed.REWORK, 3, note="请重新办理"):
            return
        do(Deed.ANSWER, 20, answer="已再次处理。")
        return
    do(Deed.CLOSE, dice.uniform(1, 20))
