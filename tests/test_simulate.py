"""Simulated days: what is made up, how it is written, and that nobody takes it for real."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from calls.arrivals.store import ArrivalStore
from calls.forms.keeping import FormStore
from calls.journal import Journal
from calls.orders.store import OrderFilter
from calls.orders.types import OrderState
from calls.orders.workdays import workday
from calls.records import Records
from calls.types import Call, CallStarted, CallState
from insight.hall.board import Board
from insight.hall.counting import count
from insight.hall.reading import HallReader
from insight.hall.types import Day, Figures, Usual
from scripts.city_rates import read_city
from scripts.cli import app
from scripts.playing_calls import Pace, Player, play_all
from scripts.simulated_calls import Rush, SimulatedCall, calls_of
from tests.order_parts import order_desk

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = date(2026, 3, 5)
DAY = Day(day=FIRST, zone=ZONE)


def some_calls(days: int = 1, seed: int = 7, factor: float = 0.02) -> list[SimulatedCall]:
    return list(calls_of(read_city(), first=FIRST, days=days, seed=seed, zone=ZONE, factor=factor))


def test_the_same_seed_makes_the_same_calls_of_a_city() -> None:
    calls = some_calls(factor=1.0)
    assert 1_700 < len(calls) < 2_900
    assert calls == some_calls(factor=1.0)
    assert [call.matter for call in calls] != [call.matter for call in some_calls(seed=8, factor=1.0)]
    assert [call.arrived_at for call in calls] == sorted(call.arrived_at for call in calls)
    assert len({call.call_id for call in calls}) == len(calls)
    busy_until: dict[str, datetime] = {}
    for call in calls:
        if call.answered_at is None:
            assert call.ended_at > call.arrived_at
            assert call.order is None
            continue
        assert call.arrived_at < call.answered_at < call.ended_at < call.written_at
        assert busy_until.get(call.seat, call.answered_at) <= call.answered_at, "nobody talks to two at once"
        busy_until[call.seat] = call.written_at
        if (plan := call.order) is not None:
            assert call.written_at < plan.answered_at < plan.followed_up_at < plan.closed_at
            if not plan.is_answered_at_once:
                assert call.written_at < plan.dispatched_at < plan.taken_at < plan.answered_at
    given_up = sum(call.answered_at is None for call in calls) / len(calls)
    assert 0.005 < given_up < 0.15


def player_of(engine: Engine, folder: Path, journal: Journal) -> Player:
    return Player(
        journal=journal,
        records=Records(engine),
        arrivals=ArrivalStore(engine),
        forms=FormStore(engine),
        orders=order_desk(engine, folder, lambda: DAY.starts_at),
    )


def board_of(engine: Engine) -> Board:
    return Board(HallReader(engine), zone=ZONE, is_working=lambda day: workday(day).is_working)


def counted(board: Board, now: datetime) -> Figures:
    board.look(now)
    assert board.day is not None
    return count(board.rows, day=board.day, now=now, usual=Usual(), has_queue=True)


def expect(figures: Figures, calls: list[SimulatedCall]) -> None:
    """To the unit."""
    answered = [call for call in calls if call.answered_at]
    assert (figures.calls, figures.answered) == (len(calls), len(answered))
    assert (figures.abandoned, figures.ended) == (len(calls) - len(answered), len(answered))
    assert (figures.waiting, figures.talking, figures.wrapup) == (0, 0, 0)
    for name in ("matter", "district", "category"):
        counts: dict[str, int] = {}
        for call in answered:
            counts[getattr(call, name)] = counts.get(getattr(call, name), 0) + 1
        assert getattr(figures, {"category": "categories"}.get(name, f"{name}s")) == counts
    assert sum(figures.types.values()) == len(answered)
    assert figures.hours == tuple(sum(call.arrived_at.hour == hour for call in calls) for hour in range(24))


async def test_a_day_that_is_written_at_once_is_on_the_board_to_the_unit(
    engine: Engine, tmp_path: Path
) -> None:
    journal, calls = Journal(engine, lambda entries: None), some_calls()
    journal.start()
    player = player_of(engine, tmp_path, journal)
    written = 0
    async for n, todos in player.write_past(calls, DAY.ends_at):
        written += n
        assert all(at > DAY.ends_at for todo in todos for at, _ in todo.steps)
    await journal.stop()
    assert written == len(calls)
    board = board_of(engine)
    expect(counted(board, DAY.ends_at - timedelta(seconds=1)), calls)
    assert board.is_simulated
    found, total = player.orders.store.orders(OrderFilter(), limit=200)
    assert total == sum(call.order is not None for call in calls)
    closed = sum(order.state is OrderState.CLOSED for order in found)
    assert closed == sum(call.order.closed_at <= DAY.ends_at for call in calls if call.order)


async def test_a_day_that_is_played_leaves_what_real_calls_leave(engine: Engine, tmp_path: Path) -> None:
    journal = Journal(engine, lambda entries: None)
    journal.start()
    player = player_of(engine, tmp_path, journal)
    # A day and what becomes of its orders, in seconds.
    pace, calls = Pace(DAY.starts_at, speed=200_000), some_calls(factor=0.01)
    pace.begin()
    await play_all(player, calls, pace)
    await journal.stop()
    expect(counted(board_of(engine), DAY.ends_at - timedelta(seconds=1)), calls)
    found, total = player.orders.store.orders(OrderFilter(), limit=200)
    plans = {call.call_id: call.order for call in calls if call.order}
    assert total == len(plans)
    for order in found:
        assert order.call_id is not None
        assert order.state is OrderState.CLOSED
        assert (order.closed_at, order.satisfaction) == (
            plans[order.call_id].closed_at,
            plans[order.call_id].satisfaction,
        )
    view = player.records.view(f"call:{found[0].call_id}")
    assert next(line.text for line in view.segments.values()) in {call.said for call in calls}
    assert view.work_order is not None
    assert view.work_order.order is not None


def test_the_command_writes_and_says_so_and_leaves_real_calls_alone(tmp_path: Path) -> None:
    wanted = ["simulate", "--data-dir", str(tmp_path / "city"), "--day", "2026-03-05", "--history", "1"]
    wanted += ["--factor", "0.01", "--no-serve"]
    done = CliRunner().invoke(app, wanted)
    assert done.exit_code == 0, done.output
    with sqlite3.connect(tmp_path / "city" / "zhiting.db") as database:
        days = database.execute(
            "SELECT substr(call_id, 5, 8), count(*) FROM arrivals GROUP BY 1 ORDER BY 1"
        ).fetchall()
        (unmarked,) = database.execute(
            """SELECT count(*) FROM calls WHERE json_extract(meta, '$."来源"') <> '模拟'"""
        ).fetchone()
    assert [day for day, _ in days] == ["20260304", "20260305"]
    assert unmarked == 0
    again = CliRunner().invoke(app, wanted)
    assert again.exit_code == 1
    assert "已有这几天的模拟通话" in again.output
    next_day = ["--day", "2026-03-06", "--history", "0", "--factor", "0.01", "--no-serve"]
    more = CliRunner().invoke(app, [*wanted[:3], *next_day])
    assert more.exit_code == 0, more.output


def test_the_command_refuses_a_folder_with_real_calls(tmp_path: Path, engine: Engine) -> None:
    async def begin() -> None:
        journal = Journal(engine, lambda entries: None)
        journal.start()
        call = Call(call_id="c-1", state=CallState.LIVE, started_at=DAY.starts_at)
        started = CallStarted(call=replace(call, meta={"queue": "一"}))
        await journal.append(started, call_id="c-1", streams=("call:c-1",), at=DAY.starts_at)
        await journal.stop()

    asyncio.run(begin())
    engine.dispose()
    wanted = ["simulate", "--data-dir", str(tmp_path), "--day", "2026-03-05", "--history", "0"]
    wanted += ["--factor", "0.01", "--no-serve"]
    refused = CliRunner().invoke(app, wanted)
    assert refused.exit_code == 1
    assert "真实的通话" in refused.output
    with sqlite3.connect(tmp_path / "zhiting.db") as database:
        assert database.execute("SELECT count(*) FROM arrivals").fetchone() == (0,)
    assert CliRunner().invoke(app, [*wanted, "--force"]).exit_code == 0


@pytest.mark.parametrize(
    "options",
    [
        ["--host", "0.0.0.0"],
        ["--at", "25:00"],
        ["--speed", "2000"],
        ["--rush", "停水,无此区,40,09:00"],
        ["--rush", "停水"],
    ],
)
def test_options_that_cannot_be_are_misuse(options: list[str], tmp_path: Path) -> None:
    wanted = ["simulate", "--data-dir", str(tmp_path), "--factor", "0.01", *options]
    assert CliRunner().invoke(app, wanted).exit_code == 2


def test_a_rush_comes_beside_the_calls_that_come_anyway() -> None:
    rush = Rush(matter="停水", district="普陀区", callers=40, starts_at=DAY.starts_at + timedelta(hours=9))
    usual = some_calls(factor=0.1)
    calls = list(calls_of(read_city(), first=FIRST, days=1, seed=7, zone=ZONE, factor=0.1, rushes=[rush]))
    assert len(calls) == len(usual) + 40
    of_it = [call for call in calls if (call.matter, call.district) == ("停水", "普陀区")]
    within = [call for call in of_it if 9 <= call.arrived_at.hour < 13]
    assert len(within) >= 40
    said = [(call.arrived_at, call.said, call.caller) for call in usual]
    assert set(said) <= {(call.arrived_at, call.said, call.caller) for call in calls}
