"""Measures how long a large city's monthly report takes, over made-up rows in a database of its own.

In: calls a month. Out: processor time of rows, report and files; the size of the database, memory.
Not known here: whether the figures are right (tests/test_reports.py asks that).

    python -m scripts.measure_reports --calls 66000
"""

import json
import random
import resource
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from calls.orders.directory import sample_directory
from insight.reports.building import build_report
from insight.reports.files import file_of
from insight.reports.periods import period_of
from insight.reports.types import Form, Kind
from knowledge_base.database import migrate, open_database

_ZONE = ZoneInfo("Asia/Shanghai")
_MONTHS = (date(2025, 3, 1), date(2026, 2, 1), date(2026, 3, 1))
_NOW = datetime(2026, 4, 1, 6, 0, tzinfo=_ZONE)
_DISTRICTS = ("定海区", "普陀区", "岱山县", "嵊泗县", "新城", "普陀山")
_SAID = "我们小区门口路面积水好几天了，没有人来管，老人小孩进出都不方便，麻烦尽快派人看看。"


def main(
    calls: Annotated[int, typer.Option(help="Calls of each of three months.")] = 66_000,
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    """Make the rows, the report and its files."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "zhiting.db"
        engine = open_database(path)
        migrate(engine)
        began = time.process_time()
        _fill(path, calls, random.Random(seed))  # noqa: S311 - made-up rows
        took = time.process_time() - began
        print(f"rows: {took:.1f} s of processor time, {path.stat().st_size / 1e6:,.0f} MB")
        units = sample_directory().units
        for kind, day in ((Kind.MONTH, date(2026, 3, 9)), (Kind.DAY, date(2026, 3, 9))):
            began = time.process_time()
            report = build_report(
                engine,
                kind=kind,
                period=period_of(kind, day, _ZONE),
                now=_NOW,
                zone=_ZONE,
                names={name: unit.name for name, unit in units.items()},
            )
            n = report.sections[0].figures[0].value
            print(f"{kind}: {time.process_time() - began:.2f} s over {n:,.0f} matters")
            for form in Form:
                began = time.process_time()
                size = len(file_of(report, form, _ZONE))
                print(f"  {form}: {time.process_time() - began:.2f} s, {size / 1000:,.0f} kB")
        print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:,.0f} MB at most")
        engine.dispose()


def _fill(path: Path, calls: int, dice: random.Random) -> None:
    connection = sqlite3.connect(path)
    topics = [(f"类别{n // 10:02}", f"事项{n:03}") for n in range(160)]
    units = [unit_id for unit_id in sample_directory().units if unit_id.startswith("SZ")]
    number = 0
    for first in _MONTHS:
        rows: dict[str, list[tuple[Any, ...]]] = {"calls": [], "wrapups": [], "orders": [], "steps": []}
        for at in _moments(first, calls, dice):
            number += 1
            category, matter = dice.choice(topics)
            unit, district = dice.choice(units), dice.choice(_DISTRICTS)
            call_id, caller = f"c-{number}", f"138{dice.randrange(10**8):08d}"
            rows["calls"].append((call_id, "ended", _text(at), _text(at), caller, dice.uniform(40, 400)))
            form = form_of(category, matter, district, unit, caller)
            rows["wrapups"].append((call_id, 0, 1, _text(at), form))
            if dice.random() < 0.7:
                rows["orders"].append(_order(number, call_id, at, category, district, unit, caller, dice))
                said = {"satisfaction": [None, dice.choice(("satisfied", "neutral", "unsatisfied"))]}
                rows["steps"].append((f"o-{number}", 6, _text(at + timedelta(days=2)), json.dumps(said)))
        connection.executemany(
            "INSERT INTO calls (call_id, state, started_at, ended_at, caller, seconds, meta)"
            " VALUES (?, ?, ?, ?, ?, ?, '{}')",
            rows["calls"],
        )
        connection.executemany(
            "INSERT INTO wrapups (call_id, version, is_final, changed_at, form) VALUES (?, ?, ?, ?, ?)",
            rows["wrapups"],
        )
        connection.executemany(f"INSERT INTO orders VALUES ({', '.join('?' * 31)})", rows["orders"])  # noqa: S608
        connection.executemany(
            "INSERT INTO order_steps (order_id, version, action, author, at, note, changes)"
            " VALUES (?, ?, 'follow_up', '', ?, '', ?)",
            rows["steps"],
        )
        connection.commit()
    connection.close()


def _moments(first: date, calls: int, dice: random.Random) -> Iterator[datetime]:
    midnight = datetime(first.year, first.month, first.day, tzinfo=_ZONE)
    for _ in range(calls):
        yield midnight + timedelta(seconds=dice.uniform(0, 28 * 86_400))


def form_of(category: str, matter: str, district: str, unit: str, caller: str) -> str:
    """A wrap-up's form, as far as reports look into it."""

    def field(value: str) -> dict[str, Any]:
        spans = [{"segment_id": f"citizen-{n}", "start": 0, "end": 9} for n in range(2)]
        return {"value": value, "drafted": value, "confidence": 0.8, "is_unsure": False, "spans": spans}

    return json.dumps(
        {
            **{"kind": field("求助"), "urgency": field("普通"), "caller_phone": field(caller)},
            **{"district": field(district), "category": field(category), "detail": field(_SAID)},
            "department_id": unit,
            "knowledge": [{"article_id": matter, "title": matter, "is_used": False}],
        },
        ensure_ascii=False,
    )


def _order(
    number: int, call_id: str, at: datetime, category: str, district: str, unit: str, caller: str, dice: Any
) -> tuple[Any, ...]:
    due, answered = at + timedelta(days=3), at + timedelta(hours=dice.lognormvariate(3.3, 0.7))
    is_open = answered > _NOW
    closed = None if is_open else _text(answered + timedelta(days=1))
    return (
        *(number, f"o-{number}", 7, "handling" if is_open else "closed", "求助", "路面积水", "普通"),
        *(_SAID, "王女士", caller, district, "", category, unit, "", _text(at), closed or _text(at)),
        *(call_id, "001", _text(at), _text(due), False, None, None, "已处理。"),
        *(None if is_open else _text(answered), None if is_open else "satisfied", closed, None, 0, 0),
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


if __name__ == "__main__":
    typer.run(main)
