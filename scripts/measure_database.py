"""Measures SQLite and PostgreSQL with the same rows: commits of live calls, reading, finding, counting.

In: how many calls; the URL of an empty database of PostgreSQL. Out: figures of each, as JSON.
Not known here: which of them answers right (tests/test_database_copy.py compares reports).

    python -m scripts.measure_database --calls 20000 --postgresql postgresql://zhiting@/empty

Calls are made up as in scripts/measure_search.py, one every five minutes, each with a wrap-up.
"""

import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Engine, insert

from asr.types import Party, Segment
from calls.facts import to_payload
from calls.forms.tables import wrapups
from calls.journal import Journal
from calls.orders.directory import sample_directory
from calls.records import Records
from calls.search.follower import AT_ONCE
from calls.search.index import FullTextIndex
from calls.tables import calls as call_rows
from calls.tables import entries, facts, streams
from calls.types import Call, CallStarted, CallState, SegmentShown, Stream
from insight.hall.board import Board
from insight.hall.counting import count
from insight.hall.reading import HallReader
from insight.reports.building import build_report
from insight.reports.periods import period_of
from insight.reports.types import Kind
from knowledge_base.database import migrate, open_database, writing
from scripts.measure_reports import form_of
from scripts.measure_search import QUESTIONS, line_maker, one_call, percentiles

_ZONE = ZoneInfo("Asia/Shanghai")
_FIRST = datetime(2025, 1, 1, tzinfo=_ZONE)
_LINES = 12
_AT_ONCE = 500
_MATTERS = [(f"类别{n // 10:02}", f"事项{n:03}") for n in range(160)]
_DISTRICTS = ("定海区", "普陀区", "岱山县", "嵊泗县")
_ASKED = ("a word of three characters", "the most common character", "two words, best first", "by sound")
_FACTS_EACH = 10
"""Of a live call, one after the other as finals come."""


def main(
    calls: Annotated[int, typer.Option(min=300)] = 20_000,
    postgresql: Annotated[str, typer.Option(help="An empty database; without it SQLite alone.")] = "",
    times: Annotated[int, typer.Option(min=2, help="How often each question is asked.")] = 20,
) -> None:
    """Fill both, ask both."""
    figures: dict[str, Any] = {"calls": calls, "load": [round(load, 1) for load in os.getloadavg()]}
    with tempfile.TemporaryDirectory(prefix="zhiting-database-") as folder:
        places: dict[str, str | Path] = {"sqlite": Path(folder) / "zhiting.db"}
        places |= {"postgresql": postgresql} if postgresql else {}
        for name, place in places.items():
            engine = open_database(place)
            migrate(engine)
            figures[name] = _measure(engine, calls, times)
            engine.dispose()
            typer.echo(f"{name} done", err=True)
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=1))


def _measure(engine: Engine, calls: int, times: int) -> dict[str, Any]:
    filled_s = _seconds(lambda: fill(engine, calls))
    index = FullTextIndex(engine)
    indexed_s = _seconds(lambda: _take_in(index))
    dice = random.Random(3)  # noqa: S311 - the same calls every time
    records, reader = Records(engine), HallReader(engine)
    some = [f"c-{dice.randrange(calls)}" for _ in range(10 * times)]
    day = _FIRST + timedelta(days=1, hours=23)
    month = period_of(Kind.MONTH, _FIRST.date(), _ZONE)
    return {
        "fill_s": round(filled_s, 1),
        "index_s": round(indexed_s, 1),
        "commits_16_calls": asyncio.run(_commits(engine, 16)),
        "commits_200_calls": asyncio.run(_commits(engine, 200)),
        "read_a_call_ms": _waits([partial(records.view, Stream.call(name)) for name in some]),
        "find_ms": {name: _waits([partial(index.find, QUESTIONS[name])] * times) for name in _ASKED},
        "board_of_a_day_ms": _waits([lambda: _count(reader, day)] * times),
        "report_of_a_month_s": round(
            _seconds(
                lambda: build_report(
                    engine,
                    kind=Kind.MONTH,
                    period=month,
                    now=_FIRST + timedelta(days=40),
                    zone=_ZONE,
                    names={},
                )
            ),
            2,
        ),
    }


def fill(engine: Engine, calls: int) -> None:
    """Write calls that are over, with their facts, streams and wrap-ups."""
    dice = random.Random(7)  # noqa: S311 - the same calls every time
    make_line, units = line_maker(dice), sorted(sample_directory().units)
    for first in range(0, calls, _AT_ONCE):
        made = [
            _made(number, make_line, dice, units) for number in range(first, min(calls, first + _AT_ONCE))
        ]
        told = [row for one in made for row in one["facts"]]
        with writing(engine) as connection:
            for table, name in ((call_rows, "calls"), (streams, "streams"), (wrapups, "wrapups")):
                connection.execute(insert(table), [one[name] for one in made])
            add = insert(facts).returning(facts.c.fact_id, sort_by_parameter_order=True)
            fact_ids = connection.scalars(add, told).all()
            places = [place for one in made for place in one["places"]]
            rows = [place | {"fact_id": fact_id} for place, fact_id in zip(places, fact_ids, strict=True)]
            connection.execute(insert(entries), rows)


def _made(number: int, make_line: Callable[[], str], dice: random.Random, units: list[str]) -> dict[str, Any]:
    """The rows of one call."""
    told = list(one_call(number, _LINES, make_line, dice))
    begun = told[0][1]
    assert isinstance(begun, CallStarted)
    call, stream = begun.call, Stream.call(begun.call.call_id)
    (category, matter), district = dice.choice(_MATTERS), dice.choice(_DISTRICTS)
    form = form_of(category, matter, district, dice.choice(units), call.caller or "")
    own = {"call_id": call.call_id}
    return {
        "calls": _row(call),
        "facts": [
            own | {"type": fact.type, "at": at.isoformat(), "payload": to_payload(fact)} for at, fact in told
        ],
        "places": [{"stream": stream, "seq": seq} for seq in range(1, len(told) + 1)],
        "streams": {"stream": stream, "last_seq": len(told)},
        "wrapups": own
        | {"version": 1, "is_final": True, "form": json.loads(form), "order_id": None}
        | {"changed_at": call.started_at.isoformat()},
    }


def _row(call: Call) -> dict[str, Any]:
    end = call.started_at + timedelta(seconds=6 * _LINES)
    return {
        "call_id": call.call_id,
        "state": CallState.ENDED,
        "started_at": call.started_at.isoformat(),
        "ended_at": end.isoformat(),
        "operator_id": call.operator_id,
        "caller": call.caller,
        "seconds": 6.0 * _LINES,
        "end_reason": "hangup",
        "meta": {},
    }


def _take_in(index: FullTextIndex) -> None:
    while index.catch_up(limit=AT_ONCE):
        pass


async def _commits(engine: Engine, at_once: int) -> dict[str, Any]:
    """Calls that each write one final after the other, as fast as they become durable."""
    journal = Journal(engine, lambda entries: None)
    journal.start()
    waits_ms: list[float] = []
    run = time.time_ns()

    async def live(number: int) -> None:
        call_id = f"live-{run}-{number}"
        call = Call(call_id=call_id, state=CallState.LIVE, started_at=_FIRST)
        names = (Stream.call(call_id), Stream.operator(f"{number:03}"))
        await journal.append(CallStarted(call=call), call_id=call_id, streams=names, at=_FIRST)
        final = Segment(
            call_id=call_id,
            segment_id="",
            party=Party.CITIZEN,
            start_s=0.0,
            end_s=5.0,
            text="我们小区门口路面积水好几天了，没有人来管。",
            raw_text="",
            is_final=True,
        )
        for line in range(1, _FACTS_EACH + 1):
            began = time.perf_counter()
            fact = SegmentShown(segment=replace(final, segment_id=f"citizen-{line}"))
            await journal.append(fact, call_id=call_id, streams=names, at=_FIRST)
            waits_ms.append(1000 * (time.perf_counter() - began))

    began = time.perf_counter()
    await asyncio.gather(*(live(number) for number in range(at_once)))
    took_s = time.perf_counter() - began
    await journal.stop()
    return {
        "facts_per_s": round(at_once * (_FACTS_EACH + 1) / took_s),
        "until_durable_ms": percentiles(waits_ms),
    }


def _count(reader: HallReader, now: datetime) -> None:
    board = Board(reader, zone=_ZONE, is_working=lambda day: day.weekday() < 5)
    board.look(now)
    assert board.day is not None
    count(board.rows, day=board.day, now=now, usual=board.usual, has_queue=board.has_queue)


def _waits(questions: Sequence[Callable[[], object]]) -> dict[str, float]:
    return percentiles([1000 * _seconds(ask) for ask in questions])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    typer.run(main)
