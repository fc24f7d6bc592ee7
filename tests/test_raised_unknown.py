"""Matters without a name, from calls to warnings: late, corrected, deleted, restarted; nobody is named."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from agent_ui.hall_desk import hot_matters
from calls.forms.types import Form, FormField
from insight.raised.desk import WarningDesk
from insight.raised.tables import reports
from insight.raised.types import Layer, RaisedWarning
from insight.raised.wording import explanation_of
from knowledge_base.database import writing
from tests.cluster_parts import CRACKED, START, USUAL, background
from tests.raised_parts import NOON, ZONE, desk_of, form_of, look, tell_call, tell_form
from tests.test_clusters import embed

SHIFT = NOON - timedelta(days=30) - START
"""Other things are told for thirty days before noon."""


class Hands:
    """A clock in the city's time."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def nameless(summary: str, *, place: str = "", category: str = "", caller_name: str = "") -> Form:
    """A wrap-up that no article speaks of."""
    form = form_of("", category=category, place=place, department="", summary=summary)
    return replace(form, knowledge=(), caller_name=FormField(value=caller_name))


def tell(
    engine: Engine,
    texts: Sequence[str],
    *,
    at: datetime,
    name: str = "c",
    category: str = "",
    caller_name: str = "",
) -> list[str]:
    ids = [f"{name}-{number}" for number in range(len(texts))]
    with writing(engine) as connection:
        for number, (call_id, text) in enumerate(zip(ids, texts, strict=True)):
            form = nameless(text, place=f"翠屏路{number}号", category=category, caller_name=caller_name)
            tell_call(
                connection, call_id, at + timedelta(minutes=5 * number), form, caller=f"139{number:08d}"
            )
    return ids


def opened(engine: Engine, clock: Hands) -> WarningDesk:
    desk = desk_of(engine, clock, embed=embed, usual=lambda: USUAL)
    desk.lookout.open()
    look(desk)
    return desk


def unknown(desk: WarningDesk) -> list[RaisedWarning]:
    return [one for one in desk.store.open_warnings() if one.layer is Layer.UNKNOWN]


@pytest.fixture
def city(engine: Engine) -> Engine:
    """Thirty days in which nothing of note was told."""
    with writing(engine) as connection:
        for one in background(30, each_day=2):
            tell_call(connection, one.report_id, one.at + SHIFT, nameless(one.text), caller=one.report_id)
    return engine


def test_a_matter_that_no_article_has_is_raised_under_a_name_of_its_own(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    standing = desk.lookout.standing[Layer.UNKNOWN]
    assert standing.days >= standing.days_needed
    ids = tell(city, CRACKED[:8], at=NOON + timedelta(minutes=1), category="住房")
    clock.now = NOON + timedelta(minutes=41)
    look(desk)
    (warning,) = unknown(desk)
    assert "翠屏雅苑" in warning.name
    assert (warning.category, warning.district) == ("住房", "普陀区")
    assert warning.observed == 8
    assert set(warning.sample_ids) == set(ids)
    assert warning.expected < 1
    assert "24 小时内，8 人反映" in explanation_of(warning, ZONE)
    assert sum(hour.callers for hour in desk.hours(warning)) == 8
    (shown,) = hot_matters([warning], ZONE)
    assert shown.name == "住房", "nothing that citizens said stands in the hall"


def test_it_goes_on_under_its_identifier_over_a_restart_until_it_is_quiet_for_two_weeks(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    tell(city, CRACKED[:6], at=NOON + timedelta(minutes=1))
    clock.now = NOON + timedelta(hours=1)
    look(desk)
    (before,) = unknown(desk)
    desk.lookout.close()
    tell(city, CRACKED[6:14], at=NOON + timedelta(days=3), name="more")
    clock.now = NOON + timedelta(days=3, hours=2)
    again = opened(city, clock)
    (after,) = unknown(again)
    assert (after.warning_id, after.matter) == (before.warning_id, before.matter)
    assert after.callers_now == 8  # six of them are the same people
    assert after.over_at is None
    clock.now = NOON + timedelta(days=17, hours=3)
    look(again)
    assert unknown(again) == []
    assert again.store.warning(before.warning_id).over_at is not None


def test_what_is_brought_in_late_is_no_burst_now(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    tell(city, CRACKED[:9], at=NOON - timedelta(days=6))
    clock.now = NOON + timedelta(hours=1)
    look(desk)
    assert unknown(desk) == []


def test_a_call_that_gets_an_article_and_one_that_is_deleted_are_forgotten(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    ids = tell(city, CRACKED[:6], at=NOON + timedelta(minutes=1))
    with writing(city) as connection:
        tell_form(connection, ids[0], NOON + timedelta(minutes=50), form_of("停水"), by="zhao")
    clock.now = NOON + timedelta(hours=1)
    look(desk)
    (warning,) = unknown(desk)
    assert set(warning.sample_ids) == set(ids[1:])
    with writing(city) as connection:
        connection.execute(reports.delete().where(reports.c.report_id.in_(ids)))
    clock.now = NOON + timedelta(hours=2, minutes=5)
    look(desk)
    assert desk.lookout.report_ids(warning) == ()


def test_what_has_no_name_is_no_stream_of_known_matters(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    tell(city, CRACKED[:9], at=NOON + timedelta(minutes=1))
    clock.now = NOON + timedelta(hours=1, minutes=1)
    look(desk)
    assert [one.layer for one in desk.store.open_warnings()] == [Layer.UNKNOWN]
    assert desk.lookout.standing[Layer.KNOWN].unlisted == 0
    assert "" not in desk.reports.matters(since=NOON - timedelta(days=90), least=1)


def test_names_numbers_and_houses_do_not_stand_in_the_name(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    texts = [f"王建国反映翠屏雅苑{n}幢因地铁施工墙体开裂电话13912345678" for n in range(1, 8)]
    tell(city, texts, at=NOON + timedelta(minutes=1), caller_name="王建国")
    clock.now = NOON + timedelta(hours=1)
    look(desk)
    (warning,) = unknown(desk)
    assert warning.name.startswith("王")
    assert not any(part in warning.name for part in ("建国", "幢", "345678"))


def test_a_state_that_cannot_be_read_is_learnt_anew(city: Engine) -> None:
    clock = Hands()
    desk = opened(city, clock)
    known = desk.lookout.standing[Layer.UNKNOWN]
    desk.lookout.close()
    with writing(city) as connection:
        change = text("UPDATE warning_state SET value = :torn WHERE name = 'finder.unknown'")
        connection.execute(change, {"torn": b"\x00\x00\x00\x01"})
    anew = opened(city, clock).lookout.standing[Layer.UNKNOWN]
    assert (anew.days, anew.matters) == (known.days, known.matters)


def test_a_city_without_history_is_told_nothing_yet(engine: Engine) -> None:
    clock = Hands()
    desk = opened(engine, clock)
    tell(engine, CRACKED[:9], at=NOON + timedelta(minutes=1))
    clock.now = NOON + timedelta(hours=1)
    look(desk)
    assert unknown(desk) == []
    assert desk.lookout.standing[Layer.UNKNOWN].is_learning
