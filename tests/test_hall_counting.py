"""What is counted for the hall, of values alone: rows, phases, the usual day."""

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from agent_ui.hall_events import HALL_EVENTS
from insight.hall.counting import count, so_far
from insight.hall.phases import TALKS_AT_MOST, WAITS_AT_MOST, WRAPUP_AT_MOST, phase_of
from insight.hall.types import CallPhase, CallRow, Day, DayKind, KnownCall, Subject, Usual
from insight.hall.usual import days_like, kind_of, usual_of

ROOT = Path(__file__).parent.parent
ZONE = ZoneInfo("Asia/Shanghai")
DAY = Day(day=date(2026, 3, 5), zone=ZONE)
NOON = datetime(2026, 3, 5, 12, tzinfo=ZONE)
GOLDEN: dict[str, Any] = json.loads((ROOT / "tests/data/hall_day.json").read_text(encoding="utf-8"))
ANSWERED = KnownCall(
    call_id="c-1", arrived_at=NOON, answered_at=NOON + timedelta(seconds=20), ended_at=None, operator_id="027"
)
OVER = replace(ANSWERED, ended_at=NOON + timedelta(minutes=3))


def golden_rows() -> list[CallRow]:
    return TypeAdapter(list[CallRow]).validate_python(GOLDEN["rows"])


def test_rows_are_counted_as_the_example_for_other_implementations_says() -> None:
    figures = count(
        reversed(golden_rows()),  # in whatever order
        day=Day(day=date.fromisoformat(GOLDEN["day"]), zone=ZoneInfo(GOLDEN["timezone"])),
        now=datetime.fromisoformat(GOLDEN["now"]),
        usual=TypeAdapter(Usual).validate_python(GOLDEN["usual"]),
        has_queue=GOLDEN["has_queue"],
    )
    counted = json.loads(json.dumps(asdict(figures)))
    assert counted == GOLDEN["figures"] | {"mean_wait_s": pytest.approx(GOLDEN["figures"]["mean_wait_s"])}
    for name in ("types", "categories", "districts", "matters"):
        assert list(counted[name]) == list(GOLDEN["figures"][name]), "most first, then by name"


def test_without_a_queue_there_is_no_rate_of_answers_and_no_usual_day_without_days() -> None:
    figures = count(golden_rows(), day=DAY, now=NOON, usual=Usual(), has_queue=False)
    assert asdict(figures).items() >= GOLDEN["without_queue"].items()
    assert (figures.usual_so_far, figures.usual_day) == (None, None)
    nothing = count([], day=DAY, now=NOON, usual=Usual(), has_queue=True)
    assert (nothing.calls, nothing.share_answered, nothing.hours) == (0, None, (0,) * 24)


@pytest.mark.parametrize(
    ("call", "next_at", "after", "phase"),
    [
        (replace(ANSWERED, answered_at=None), None, timedelta(), "waiting"),
        (replace(ANSWERED, answered_at=None), None, WAITS_AT_MOST, "abandoned"),
        (replace(ANSWERED, answered_at=None, ended_at=NOON), None, timedelta(), "abandoned"),
        (ANSWERED, None, timedelta(minutes=1), "talking"),
        (ANSWERED, None, timedelta(hours=9), "talking"),
        (replace(ANSWERED, has_sound=False), None, timedelta(minutes=1), "talking"),
        (replace(ANSWERED, has_sound=False), None, TALKS_AT_MOST * 1.1, "ended"),
        (OVER, None, timedelta(minutes=4), "wrapup"),
        (OVER, OVER.answered_at, timedelta(minutes=4), "wrapup"),
        (OVER, OVER.ended_at, timedelta(minutes=4), "ended"),
        (OVER, None, timedelta(minutes=3) + WRAPUP_AT_MOST, "ended"),
        (replace(OVER, has_order=True), None, timedelta(minutes=4), "ended"),
        (replace(OVER, is_recorded=True), None, timedelta(minutes=4), "ended"),
        (replace(OVER, has_sound=False), None, timedelta(minutes=4), "ended"),
    ],
)
def test_the_phase_of_a_call(call: KnownCall, next_at: datetime | None, after: timedelta, phase: str) -> None:
    assert phase_of(call, next_at=next_at, now=NOON + after) is CallPhase(phase)


def test_days_are_compared_with_days_of_their_kind() -> None:
    off = {date(2026, 3, 4)}

    def is_working(day: date) -> bool:
        return day.weekday() < 5 and day not in off

    assert kind_of(date(2026, 3, 4), is_working) is DayKind.HOLIDAY
    assert kind_of(date(2026, 3, 7), is_working) is DayKind.WEEKEND
    assert kind_of(date(2026, 3, 7), lambda day: True) is DayKind.WORKDAY
    first = list(days_like(date(2026, 3, 5), is_working))[:4]
    assert first == [date(2026, 3, 3), date(2026, 3, 2), date(2026, 2, 27), date(2026, 2, 26)]


def test_a_usual_day_is_the_mean_of_its_days_hour_by_hour() -> None:
    def calls(day: int, *hours: int, matter: str = "停水") -> tuple[Day, list[KnownCall]]:
        known = [
            KnownCall(
                call_id=f"{day}-{number}",
                arrived_at=datetime(2026, 3, day, hour, 30, tzinfo=ZONE).astimezone(UTC),
                answered_at=NOON if number else None,
                ended_at=NOON,
                has_queued=True,
                subject=Subject(matter=matter if number else "", category="供水排水"),
            )
            for number, hour in enumerate(hours)
        ]
        return Day(day=date(2026, 3, day), zone=ZONE), known

    usual = usual_of(DayKind.WORKDAY, [calls(3, 0, 9, 9), calls(4, 9, 23)])
    assert usual.days == 2
    assert usual.calls == (0.5, *(0.0,) * 8, 1.5, *(0.0,) * 13, 0.5)
    assert usual.matters == {"停水": (*(0.0,) * 9, 1.0, *(0.0,) * 13, 0.5)}
    assert sum(usual.categories["供水排水"]) == 2.5
    assert usual.districts == {}
    assert usual.share_answered == pytest.approx(3 / 5)
    assert usual_of(DayKind.HOLIDAY, []) == Usual(kind=DayKind.HOLIDAY)


def test_the_part_of_a_day_that_is_over() -> None:
    profile = tuple(float(hour) for hour in range(24))
    assert so_far(profile, day=DAY, now=DAY.starts_at) == 0.0
    half_past_two = datetime(2026, 3, 5, 2, 30, tzinfo=ZONE)
    assert so_far(profile, day=DAY, now=half_past_two.astimezone(UTC)) == pytest.approx(0 + 1 + 2 * 0.5)
    assert so_far(profile, day=DAY, now=DAY.ends_at) == sum(range(24))


def test_every_example_of_the_page_is_of_the_wire_and_every_event_has_one() -> None:
    page = (ROOT / "docs/hall.md").read_text(encoding="utf-8")
    block = page.split("```json\n")[1].split("```")[0]
    examples = [json.loads(line) for line in block.splitlines()]
    for example in examples:
        read = HALL_EVENTS.validate_python(example)
        assert json.loads(read.model_dump_json(by_alias=True)) == example
    mapping = HALL_EVENTS.json_schema()["discriminator"]["mapping"]
    assert {example["type"] for example in examples} == set(mapping) - {"error"}
