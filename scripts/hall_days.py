"""Days of the hall as its board would be told them, made of a seed without a server.

In: a first day, how many, a seed. Out: for each day its rows at any moment, and what changed between two.
Not known here: who plays them, what the board makes of them. `zhiting simulate` plays days to a real server.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib.resources import files
from itertools import groupby

from insight.hall.types import CallPhase, CallRow, Day
from scripts.city_rates import read_city
from scripts.simulate_city import ZONE, reports, simulate

_TYPES = {"咨询": 0.5, "求助": 0.26, "投诉": 0.18, "建议": 0.04, "举报": 0.02}
_PATIENCE_S = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A call with everything that will become of it."""

    whole: CallRow
    """As it stands in the end."""
    writes_until: datetime

    def at(self, now: datetime) -> CallRow | None:
        """As it stands at a moment; None before it came in."""
        row = self.whole
        if now < row.arrived_at:
            return None
        bare = replace(row, answered_at=None, ended_at=None, type="", category="", matter="", district="")
        if row.answered_at is None:
            is_over = row.ended_at is not None and now >= row.ended_at
            return row if is_over else replace(bare, state=CallPhase.WAITING)
        if now < row.answered_at:
            return replace(bare, state=CallPhase.WAITING)
        if row.ended_at is None or now < row.ended_at:
            return replace(bare, state=CallPhase.TALKING, answered_at=row.answered_at)
        return replace(row, state=CallPhase.WRAPUP) if now < self.writes_until else row


def make_days(first: date, days: int, seed: int) -> Iterator[tuple[Day, list[Course]]]:
    """Each day with its calls in the order in which they come in; calls that midnight parts end before it."""
    chance = random.Random(seed)  # noqa: S311 - made-up days
    told = sorted(
        (one for _, one in reports(read_city(), simulate(read_city(), first=first, days=days, seed=seed), 0)),
        key=lambda one: one.at,
    )
    category_of = _categories()
    for its_date, some in groupby(told, key=lambda one: one.at.date()):
        day = Day(day=its_date, zone=ZONE)
        yield (
            day,
            [
                _course(
                    CallRow(
                        call_key=f"{int(one.report_id):016x}",
                        state=CallPhase.ENDED,
                        arrived_at=one.at + timedelta(seconds=chance.uniform(0, 59)),
                        type=chance.choices(list(_TYPES), list(_TYPES.values()))[0],
                        category=category_of[one.matter],
                        matter=one.matter,
                        district=one.district,
                        is_urgent=chance.random() < 0.02,
                    ),
                    day,
                    chance,
                )
                for one in some
            ],
        )


def between(courses: Sequence[Course], before: datetime, now: datetime) -> list[CallRow]:
    """Rows that stand differently at the later moment."""
    pairs = ((one.at(before), one.at(now)) for one in courses)
    return [after for earlier, after in pairs if after is not None and after != earlier]


def rows_at(courses: Sequence[Course], now: datetime) -> list[CallRow]:
    """All rows of a moment."""
    return [row for one in courses if (row := one.at(now)) is not None]


def _course(row: CallRow, day: Day, chance: random.Random) -> Course:
    last = day.ends_at - timedelta(seconds=1)
    waits_s = chance.expovariate(1 / 12)
    arrived = min(row.arrived_at, last)
    if waits_s > _PATIENCE_S or chance.random() < 0.02:
        left = min(arrived + timedelta(seconds=min(waits_s, _PATIENCE_S)), last)
        bare = CallRow(
            call_key=row.call_key,
            state=CallPhase.ABANDONED,
            arrived_at=arrived,
            answered_at=None,
            ended_at=left,
        )
        return Course(whole=bare, writes_until=left)
    answered = min(arrived + timedelta(seconds=waits_s), last)
    ended = min(answered + timedelta(seconds=chance.uniform(60, 360)), last)
    whole = replace(row, arrived_at=arrived, answered_at=answered, ended_at=ended)
    return Course(whole=whole, writes_until=min(ended + timedelta(seconds=chance.uniform(20, 120)), last))


def _categories() -> dict[str, str]:
    text = (files("scripts") / "data" / "city_matters.csv").read_text(encoding="utf-8")
    return {row["matter"]: row["category"] for row in csv.DictReader(text.splitlines())}
