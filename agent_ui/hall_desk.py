"""The desk of the hall: looks what is new in the city's day and tells it to every board.

In: the board's rows, counts of orders, warnings, and word that something was written.
Out: events and snapshots. Not known here: sockets, who missed what, what is counted of the rows.

Looking takes at most a fifth of the time, however much happens.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from agent_ui.hall_events import (
    HallCalls,
    HallOrders,
    HallOut,
    HallSnapshot,
    HallTick,
    HallWarnings,
)
from agent_ui.hall_line import HallLine
from agent_ui.settings import Settings
from calls.orders.directory import Directory
from calls.orders.workdays import workday
from insight.hall.board import Board, Change
from insight.hall.counting import count
from insight.hall.reading import HallReader
from insight.hall.types import Answers, HotMatter, OrderCounts
from insight.raised.store import WarningStore
from insight.raised.types import Layer, RaisedWarning, WarningState

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""How often it is looked without word that something was written: phases also change by time."""
LEAST_PAUSE_S = 0.2
ORDERS_EVERY_S = 2.0
MONTH_EVERY_S = 60.0
COMPARE_EVERY_S = 300.0
TICK_EVERY_S = 5.0
_RETRY_S = 5.0
_WARNINGS_READ, _WARNINGS_SHOWN = 50, 8


class HallDesk:
    """Runs on the event loop; what blocks is done in threads, one at a time."""

    def __init__(
        self,
        *,
        board: Board,
        reader: HallReader,
        warnings: Callable[[], Sequence[HotMatter]],
        departments: Callable[[], Mapping[str, str]],
        clock: Callable[[], datetime],
        speed: float = 1.0,
    ) -> None:
        """`warnings` reads those to be shown, `departments` tells names by identifier; both block."""
        self._board = board
        self._reader = reader
        self._read_warnings = warnings
        self._departments = departments
        self._clock = clock
        self._speed = speed
        self._line = HallLine(self.snapshot)
        self._orders = OrderCounts()
        self._month, self._month_at = Answers(), 0.0
        self._warnings: tuple[HotMatter, ...] = ()
        self._snapshot: HallSnapshot | None = None
        self._looked_at = clock()
        self._looking = asyncio.Lock()
        """Held while a thread reads or changes the board."""
        self._is_ready = asyncio.Event()
        self._news = asyncio.Event()

    @property
    def screens(self) -> int:
        """How many boards are connected."""
        return self._line.screens

    def stir(self) -> None:
        """Something was written: look soon."""
        self._news.set()

    async def run(self) -> None:
        """Look and tell, without end."""
        orders_at = compare_at = ticked_at = time.monotonic()
        orders_at -= ORDERS_EVERY_S
        compare_at += COMPARE_EVERY_S
        while True:
            began = time.monotonic()
            try:
                is_due = began >= compare_at
                await self._look(compare=is_due)
                compare_at = began + COMPARE_EVERY_S if is_due else compare_at
                if began >= orders_at:
                    await self._look_beside()
                    took = time.monotonic() - began
                    orders_at = began + max(ORDERS_EVERY_S, 20 * took)
            except Exception:  # the disk may be full or slow: boards show how old their data is
                log.exception("the hall's board could not be read")
                await asyncio.sleep(_RETRY_S)
                continue
            self._is_ready.set()
            if began - ticked_at >= TICK_EVERY_S:
                ticked_at = began
                self._line.tell(HallTick(seq=None, at=self._clock()))
            took = time.monotonic() - began
            await asyncio.sleep(max(LEAST_PAUSE_S, 4 * took))
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()

    async def _look(self, *, compare: bool) -> None:
        async with self._looking:
            now = self._clock()
            change = await asyncio.to_thread(self._board.compare if compare else self._board.look, now)
            self._looked_at = now
            self._take(change, now)

    def _take(self, change: Change, now: datetime) -> None:
        if change.is_anew:
            self._line.start_over()
        elif change:
            event = {
                "seq": self._line.next_seq(),
                "at": now,
                "has_queue": self._board.has_queue,
                "is_simulated": self._board.is_simulated,
                "calls": change.rows,
                "gone": change.gone,
            }
            self._line.tell(HallCalls.model_validate(event))

    async def _look_beside(self) -> None:
        async with self._looking:
            now, day = self._clock(), self._board.day
            assert day is not None
            if time.monotonic() >= self._month_at:
                self._month = await asyncio.to_thread(self._reader.month, day, now)
                self._month_at = time.monotonic() + MONTH_EVERY_S
            orders = await asyncio.to_thread(
                lambda: self._reader.orders(day, now, names=self._departments(), month=self._month)
            )
            if orders != self._orders:
                self._orders = orders
                event = {"seq": self._line.next_seq(), "at": now, "orders": orders}
                self._line.tell(HallOrders.model_validate(event))
            warnings = tuple(await asyncio.to_thread(self._read_warnings))
            if warnings != self._warnings:
                self._warnings = warnings
                event = {"seq": self._line.next_seq(), "at": now, "warnings": warnings}
                self._line.tell(HallWarnings.model_validate(event))

    async def follow(self, since: int | None) -> AsyncGenerator[str, None]:
        """What a board is to be sent, without end."""
        await self._is_ready.wait()
        async with aclosing(self._line.follow(since)) as texts:
            async for text in texts:
                yield text

    async def snapshot(self) -> HallSnapshot:
        """All of the day as it was at the last look."""
        await self._is_ready.wait()
        async with self._looking:
            if self._snapshot is None or self._snapshot.seq != self._line.seq:
                self._snapshot = await asyncio.to_thread(
                    lambda: HallSnapshot.model_validate(self._document())
                )
            return self._snapshot.model_copy(update={"at": self._looked_at})

    async def counted(self) -> HallOut:
        """The same with what is counted of it."""
        await self._is_ready.wait()
        async with self._looking:
            return await asyncio.to_thread(self._counted)

    def _counted(self) -> HallOut:
        board, day = self._board, self._board.day
        assert day is not None
        figures = count(
            board.rows, day=day, now=self._looked_at, usual=board.usual, has_queue=board.has_queue
        )
        return HallOut.model_validate(self._document() | {"figures": figures})

    def _document(self) -> dict[str, Any]:
        board, day = self._board, self._board.day
        assert day is not None
        return {
            "seq": self._line.seq,
            "at": self._looked_at,
            "day": day.day,
            "from": day.starts_at,
            "until": day.ends_at,
            "speed": self._speed,
            "is_simulated": board.is_simulated,
            "has_queue": board.has_queue,
            "usual": board.usual,
            "calls": tuple(board.rows),
            "orders": self._orders,
            "warnings": self._warnings,
        }


def open_hall(database: Engine, settings: Settings, directory: Callable[[], Directory]) -> HallDesk:
    """The desk over that database; let it `run`."""
    reader, warnings = HallReader(database), WarningStore(database)
    zone = ZoneInfo(settings.timezone)

    def is_working(day: date) -> bool:
        return workday(day).is_working

    def names() -> dict[str, str]:
        return {unit.unit_id: unit.name for unit in directory().units.values()}

    return HallDesk(
        board=Board(reader, zone=zone, is_working=is_working),
        reader=reader,
        warnings=lambda: hot_matters(warnings.open_warnings(limit=_WARNINGS_READ), zone),
        departments=names,
        clock=settings.now,
        speed=settings.speed,
    )


_NO_NAME = "新出现的事项"
"""On a public board stands nothing that a citizen said."""


def _is_everywhere(warning: RaisedWarning) -> bool:
    """Whether it is not one district in which the matter grows."""
    return warning.layer is Layer.KNOWN and warning.district is None


def hot_matters(warnings: Sequence[RaisedWarning], zone: tzinfo) -> list[HotMatter]:
    """What everybody may see of them: danger first, then what nobody has seen to yet, then the newest."""
    pressing = sorted(
        warnings,
        key=lambda one: (one.layer is not Layer.SAFETY, one.state is not WarningState.OPEN),
    )
    return [
        HotMatter(
            warning_id=one.warning_id,
            layer=one.layer,
            name=one.name if one.layer is not Layer.UNKNOWN else one.category or _NO_NAME,
            districts=() if _is_everywhere(one) else one.districts,
            observed=max(one.observed, one.callers_now),
            expected=None if one.layer is Layer.SAFETY else one.expected,
            since=one.since.astimezone(zone),
            state=one.state,
        )
        for one in pressing[:_WARNINGS_SHOWN]
    ]
