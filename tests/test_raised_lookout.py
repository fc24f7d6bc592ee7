"""Calls become reports, reports become warnings; late ones, corrections, restarts."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from calls.orders.desk import OrderDesk
from calls.orders.types import MatterType, OrderContent, Part, Person
from calls.tables import calls
from insight.raised.desk import WarningDesk
from insight.raised.known import DAYS_NEEDED
from insight.raised.reports import Closing
from insight.raised.tables import reports
from insight.raised.types import Layer, RaisedWarning, WarningState
from knowledge_base.database import migrate, open_database, writing
from tests.databases import both_databases
from tests.raised_parts import (
    MATTERS,
    NOON,
    ZONE,
    desk_of,
    form_of,
    look,
    tell_burst,
    tell_call,
    tell_days,
    tell_form,
)

BEFORE = NOON.replace(hour=0) - timedelta(days=20)


class Hands:
    """A clock in the city's time."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which twenty usual days are told."""
    file = tmp_path_factory.mktemp("city") / "zhiting.db"
    engine = open_database(file)
    migrate(engine)
    tell_days(engine, first=BEFORE, days=20)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return file


@pytest.fixture
def city(told: Path, tmp_path: Path) -> Iterator[Engine]:
    """A copy of it."""
    shutil.copy(told, tmp_path / "city.db")
    engine = open_database(tmp_path / "city.db")
    yield engine
    engine.dispose()


def opened(city: Engine, clock: Hands) -> WarningDesk:
    desk = desk_of(city, clock)
    desk.lookout.open()
    look(desk)
    return desk


def all_of(desk: WarningDesk) -> list[RaisedWarning]:
    return desk.store.open_warnings()


def test_a_burst_is_raised_at_the_full_hour_with_all_that_explains_it(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    assert desk.lookout.standing[Layer.KNOWN].days >= DAYS_NEEDED
    ids = tell_burst(city, at=NOON + timedelta(minutes=2), n=10)
    clock.now = NOON + timedelta(minutes=59)
    look(desk)
    assert all_of(desk) == []  # the hour is still open
    clock.now = NOON + timedelta(minutes=60, seconds=5)
    look(desk)
    (warning,) = all_of(desk)
    assert (warning.layer, warning.state) == (Layer.KNOWN, WarningState.OPEN)
    assert (warning.matter, warning.district) == ("停水", "普陀区")
    assert warning.category == "公用事业"
    assert warning.departments == ("市水务集团",)
    assert warning.department_ids == ("SW",)
    assert warning.observed >= 10
    assert warning.places == 10
    assert 0 < warning.expected < 5
    assert warning.probability < 0.001
    assert warning.raised_at == NOON + timedelta(hours=1)
    assert set(warning.sample_ids) <= set(ids)
    assert warning.warning_id == "Y20260610-0001"
    hours = desk.hours(warning)
    assert next(hour for hour in hours if hour.at == NOON).callers == 10
    assert all(hour.expected is not None for hour in hours)


def test_it_is_kept_up_to_date_told_once_and_over_after_a_day(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    tell_burst(city, at=NOON + timedelta(minutes=2), n=10)
    clock.now = NOON + timedelta(hours=1, seconds=5)
    look(desk)
    (first,) = all_of(desk)
    tell_burst(city, at=NOON + timedelta(minutes=62), n=25, every=timedelta(minutes=1), name="more")
    clock.now = NOON + timedelta(hours=2, seconds=5)
    look(desk)
    (now,) = all_of(desk)
    assert now.warning_id == first.warning_id
    assert now.callers_now == first.callers_now + 15  # ten of the callers call again
    assert now.version == first.version
    assert [step.action for step in desk.store.steps(now.warning_id)] == ["raised", "grown"]
    clock.now = NOON + timedelta(hours=27)
    look(desk)
    assert all_of(desk) == []
    over = desk.store.warning(now.warning_id)
    assert over.over_at is not None
    assert over.state is WarningState.OPEN  # somebody still has to say what it was
    assert [step.action for step in desk.store.steps(now.warning_id)] == ["raised", "grown", "over"]


def test_what_is_brought_in_late_is_no_burst_now(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    tell_burst(city, at=NOON - timedelta(hours=30), n=30, every=timedelta(minutes=1))
    clock.now = NOON + timedelta(hours=1, seconds=5)
    look(desk)
    assert all_of(desk) == []


def test_a_corrected_form_takes_a_call_out_of_a_burst_and_into_another(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    ids = tell_burst(city, at=NOON + timedelta(minutes=2), n=10)
    look(desk)
    with writing(city) as connection:
        for call_id in ids:
            corrected = form_of("噪声扰民", district="定海区")
            tell_form(connection, call_id, NOON + timedelta(minutes=58), corrected, by="zhao")
    clock.now = NOON + timedelta(hours=1, seconds=5)
    look(desk)
    assert [(one.matter, one.district) for one in all_of(desk)] == [("噪声扰民", "定海区")]


@pytest.mark.parametrize("minutes", [30, 90])
def test_a_restart_forgets_nothing_and_tells_what_it_missed(city: Engine, minutes: int) -> None:
    clock = Hands()
    before = opened(city, clock)
    tell_burst(city, at=NOON + timedelta(minutes=2), n=5)
    clock.now = NOON + timedelta(minutes=28)
    look(before)
    before.lookout.close()
    tell_burst(city, at=NOON + timedelta(minutes=29), n=5, name="meanwhile", every=timedelta(minutes=1))
    with writing(city) as connection:  # other callers than before
        connection.execute(sa.update(calls).where(calls.c.call_id.startswith("mean")).values(caller=None))
    clock.now = NOON + timedelta(minutes=minutes)
    after = opened(city, clock)
    standing = after.lookout.standing[Layer.KNOWN]
    assert standing.days == before.lookout.standing[Layer.KNOWN].days
    clock.now = NOON + timedelta(hours=2, seconds=5)
    look(after)
    (warning,) = all_of(after)
    assert (warning.matter, warning.callers_now) == ("停水", 10)
    clock.now = NOON + timedelta(hours=3, seconds=5)
    look(opened(city, clock))
    assert len(all_of(after)) == 1


def test_a_damaged_state_is_learnt_anew(city: Engine) -> None:
    clock = Hands()
    opened(city, clock).lookout.close()
    with writing(city) as connection:
        connection.exec_driver_sql("UPDATE warning_state SET value = x'00000001' WHERE name LIKE 'finder.%'")
    assert opened(city, clock).lookout.standing[Layer.KNOWN].days >= DAYS_NEEDED


def test_a_city_without_history_is_told_nothing_yet(engine: Engine) -> None:
    clock = Hands()
    desk = opened(engine, clock)
    tell_burst(engine, at=NOON + timedelta(minutes=2), n=10)
    clock.now = NOON + timedelta(hours=1, seconds=5)
    look(desk)
    assert all_of(desk) == []
    assert desk.lookout.standing[Layer.KNOWN].is_learning


def test_a_matter_that_no_article_has_is_counted_once_it_comes_often(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    tell_burst(city, at=NOON + timedelta(minutes=2), n=10, matter="海水倒灌")
    clock.now = NOON + timedelta(hours=1, seconds=5)
    look(desk)
    assert [one.matter for one in all_of(desk)] == ["海水倒灌"]


@both_databases
def test_trials_and_calls_that_go_on_are_not_counted_recordings_at_their_own_time(engine: Engine) -> None:
    clock = Hands()
    desk = opened(engine, clock)
    form = form_of("停水")
    with writing(engine) as connection:
        tell_call(connection, "trial", NOON, form, meta={"来源": "话筒试听写"})
        tell_call(connection, "running", NOON, form, state="live")
        tell_call(connection, "recorded", NOON - timedelta(days=3), form, meta={"来源": "录音转写"})
        tell_call(connection, "unclear", NOON, form_of("停水", category="", district="不知道"))
    look(desk)
    told = {
        one.report_id: one for one in desk.reports.of_matter("停水", None, since=NOON - timedelta(days=9))
    }
    assert set(told) == {"recorded", "unclear"}
    assert told["recorded"].at == NOON - timedelta(days=3)
    assert told["recorded"].known_at == NOON
    assert told["unclear"].district == "区县不明"


def test_a_number_is_kept_as_a_hash_that_is_another_one_elsewhere(engine: Engine) -> None:
    clock = Hands()
    desk = opened(engine, clock)
    with writing(engine) as connection:
        tell_call(connection, "a", NOON, form_of("停水"), caller="13900000001")
        tell_call(connection, "b", NOON, form_of("停水"), caller="13900000001")
    look(desk)
    with engine.connect() as connection:
        kept = list(connection.scalars(sa.select(reports.c.caller)))
    assert len(set(kept)) == 1
    assert "139" not in str(kept)[:5]


@both_databases
def test_the_order_of_a_call_has_the_last_word_and_one_without_a_call_counts(
    engine: Engine, orders: OrderDesk
) -> None:
    clock = Hands()
    desk = opened(engine, clock)
    with writing(engine) as connection:
        tell_call(connection, "c1", NOON, form_of("停水"), caller="13900000001")
    look(desk)
    person = Person(name="zhao", parts=frozenset(Part))
    content = OrderContent(
        type=MatterType.HELP, summary="路灯", district="定海", category="市容", department_id="DH"
    )
    orders.begin(content, person, call_id="c1", operator_id="8001")
    alone = orders.begin(content, person, call_id=None, operator_id=None)
    look(desk)
    found = desk.reports.of_matter("市容（其他）", "定海区", since=NOON - timedelta(days=400))
    assert {one.report_id for one in found} == {"c1", f"order:{alone.order_id}"}
    assert desk.reports.of_matter("停水", None, since=NOON - timedelta(days=1)) == []


@pytest.fixture
def orders(engine: Engine, tmp_path: Path) -> OrderDesk:
    return OrderDesk.open(
        engine,
        tmp_path,
        str(ZONE),
        embed=lambda text: np.eye(8, dtype=np.float32)[len(text) % 8],
        model="scripted",
        lore=lambda: None,
        clock=lambda: NOON,
    )


@both_databases
def test_the_past_is_taken_in_by_parts_calls_and_orders(engine: Engine, orders: OrderDesk) -> None:
    tell_burst(engine, at=NOON - timedelta(days=2), n=450, every=timedelta(seconds=20))
    person = Person(name="zhao", parts=frozenset(Part))
    content = OrderContent(type=MatterType.HELP, summary="路灯", district="定海区", category="市容")
    for _ in range(3):
        orders.begin(content, person, call_id=None, operator_id=None)
    desk = opened(engine, Hands())
    since = NOON - timedelta(days=9)
    told = desk.reports.of_matter("停水", "普陀区", since=since)
    assert len(told) == 450
    assert told[0].known_at == told[0].at + timedelta(minutes=3)  # it was known then, not now
    assert len(desk.reports.of_matter("市容（其他）", "定海区", since=since)) == 3
    assert not desk.reports.is_behind()


def test_a_house_that_closes_does_not_wait_for_the_learning(city: Engine) -> None:
    desk = desk_of(city, Hands())
    desk.lookout.close()
    with pytest.raises(Closing):
        desk.lookout.open()
    again = opened(city, Hands())
    assert again.lookout.standing[Layer.KNOWN].days >= DAYS_NEEDED


def test_matters_of_a_category_that_grow_together_are_told_as_one(engine: Engine) -> None:
    tell_days(engine, first=BEFORE, days=20, a_day=1.0)
    clock = Hands()
    desk = opened(engine, clock)
    for place, matter in enumerate(MATTERS):  # too few of each to be told of alone
        at = NOON + timedelta(minutes=2 + place)
        tell_burst(engine, at=at, n=4, matter=matter, name=f"part-{place}", every=timedelta(minutes=10))
    with writing(engine) as connection:  # other callers for each
        connection.execute(sa.update(calls).where(calls.c.call_id.startswith("part")).values(caller=None))
    clock.now = NOON + timedelta(hours=1, seconds=5)
    look(desk)
    (warning,) = [one for one in all_of(desk) if one.matter.startswith("category:")]
    assert (warning.name, warning.district) == ("公用事业（多个事项）", "普陀区")
    assert warning.callers_now >= 16
    assert all(hour.expected is not None for hour in desk.hours(warning))
    look(opened(engine, clock))  # it is kept and known again
    assert desk.store.warning(warning.warning_id).over_at is None


def test_what_the_disk_does_not_take_is_raised_as_soon_as_it_does(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    tell_burst(city, at=NOON + timedelta(minutes=2), n=10)
    look(desk)
    clock.now = NOON + timedelta(hours=1, seconds=5)
    with city.connect() as connection:  # a table that cannot be written
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON warnings BEGIN SELECT raise(ABORT, 'full'); END"
        )
        connection.commit()
    with pytest.raises(sa.exc.IntegrityError):
        look(desk)
    with city.connect() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
        connection.commit()
    look(desk)
    assert [one.matter for one in all_of(desk)] == ["停水"]
