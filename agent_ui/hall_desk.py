"""The desk of the hall: looks what is new in the city's day and tells it to every board.

In: the board's rows, counts of orders, warnings, and word that something was written.
Out: numbered events as JSON text, and snapshots. Not known here: sockets, what is counted of the rows.

Bounds: the last 2,000 events are kept for boards that come back; 256 wait for one board, then a snapshot
takes their place. Looking takes at most a fifth of the time, however much happens.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from agent_ui.hall_events import (
    HallCalls,
    HallEvent,
    HallOrders,
    HallOut,
    HallSnapshot,
    HallTick,
    HallWarnings,
)
from agent_ui.settings import Settings
from calls.orders.directory import Directory
from calls.orders.workdays import workday
from insight.hall.board import Board, Change
from insight.hall.counting import count
from insight.hall.reading import HallReader
from insight.hall.types import HotMatter, OrderCounts
from insight.raised.store import WarningStore
from insight.raised.types import Layer, RaisedWarning, WarningState

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""How often it is looked without word that something was written: phases also change by time."""
LEAST_PAUSE_S = 0.2
ORDERS_EVERY_S = 2.0
COMPARE_EVERY_S = 300.0
TICK_EVERY_S = 5.0
MAX_REPLAY = 2000
MAX_WAITING = 256
_RETRY_S = 5.0
_WARNINGS_READ, _WARNINGS_SHOWN = 50, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """An event as it goes out."""

    seq: int | None
    text: str


class _Waiting:
    """What one board still has to be sent."""

    def __init__(self) -> None:
        self.told: list[_Told] = []
        self.needs_snapshot = False
        self.arrived = asyncio.Event()

    def put(self, told: _Told) -> None:
        if len(self.told) >= MAX_WAITING:
            self.start_over()
        self.told.append(told)
        self.arrived.set()

    def start_over(self) -> None:
        """What waits is forgotten; a snapshot comes in its place."""
        self.told.clear()
        self.needs_snapshot = True
        self.arrived.set()


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
        # Above every number of an earlier run, unless that one told a thousand events in each second.
        self._seq = time.time_ns() // 1_000_000
        self._kept: deque[_Told] = deque(maxlen=MAX_REPLAY)
        self._screens: set[_Waiting] = set()
        self._orders = OrderCounts()
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
        return len(self._screens)

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
                self._tell(HallTick(seq=None, at=self._clock()))
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
            if compare and change.is_anew:
                log.warning("the rows of the hall's board were read anew")
            self._looked_at = now
            self._take(change, now)

    def _take(self, change: Change, now: datetime) -> None:
        if change.is_anew:
            self._seq += 1
            self._kept.clear()
            for screen in self._screens:
                screen.start_over()
        elif change:
            self._seq += 1
            event = {
                "seq": self._seq,
                "at": now,
                "has_queue": self._board.has_queue,
                "is_simulated": self._board.is_simulated,
                "calls": change.rows,
                "gone": change.gone,
            }
            self._tell(HallCalls.model_validate(event))

    async def _look_beside(self) -> None:
        async with self._looking:
            now, day = self._clock(), self._board.day
            assert day is not None
            orders = await asyncio.to_thread(lambda: self._reader.orders(day, now, self._departments()))
            if orders != self._orders:
                self._orders = orders
                self._seq += 1
                self._tell(HallOrders.model_validate({"seq": self._seq, "at": now, "orders": orders}))
            warnings = tuple(await asyncio.to_thread(self._read_warnings))
            if warnings != self._warnings:
                self._warnings = warnings
                self._seq += 1
                self._tell(HallWarnings.model_validate({"seq": self._seq, "at": now, "warnings": warnings}))

    def _tell(self, event: HallEvent) -> None:
        told = _Told(seq=event.seq, text=event.model_dump_json())
        if told.seq is not None:
            self._kept.append(told)
        for screen in self._screens:
            screen.put(told)

    async def follow(self, since: int | None) -> AsyncGenerator[str, None]:
        """What a board is to be sent, without end: a snapshot or what it missed, then what happens."""
        screen = _Waiting()
        await self._is_ready.wait()
        missed = self._missed(since)
        self._screens.add(screen)
        try:
            if missed is None:
                screen.needs_snapshot = True
                screen.arrived.set()
            else:
                for told in missed:
                    yield told.text
            while True:
                await screen.arrived.wait()
                screen.arrived.clear()
                if screen.needs_snapshot:
                    screen.needs_snapshot = False  # it may fall behind again meanwhile
                    snapshot = await self.snapshot()
                    screen.told = [one for one in screen.told if (one.seq or 0) > snapshot.seq]
                    yield snapshot.model_dump_json(by_alias=True)
                    screen.arrived.set()
                    continue
                waiting, screen.told = screen.told, []
                for told in waiting:
                    yield told.text
        finally:
            self._screens.discard(screen)

    def _missed(self, since: int | None) -> list[_Told] | None:
        """Events after that one; None where only a snapshot can serve."""
        if since is None or since > self._seq:
            return None
        if since == self._seq:
            return []
        numbers = [told.seq for told in self._kept if told.seq is not None]
        if not numbers or since < numbers[0] - 1:
            return None
        return [told for told in self._kept if told.seq is not None and told.seq > since]

    async def snapshot(self) -> HallSnapshot:
        """All of the day as it was at the last look."""
        await self._is_ready.wait()
        async with self._looking:
            if self._snapshot is None or self._snapshot.seq != self._seq:
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
            "seq": self._seq,
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

    def is_working(day: date) -> bool:
        return workday(day).is_working

    def names() -> dict[str, str]:
        return {unit.unit_id: unit.name for unit in directory().units.values()}

    return HallDesk(
        board=Board(reader, zone=ZoneInfo(settings.timezone), is_working=is_working),
        reader=reader,
        warnings=lambda: hot_matters(warnings.open_warnings(limit=_WARNINGS_READ)),
        departments=names,
        clock=settings.now,
        speed=settings.speed,
    )


def hot_matters(warnings: Sequence[RaisedWarning]) -> list[HotMatter]:
    """What everybody may see of them: danger first, then what nobody has seen to yet, then the newest."""
    pressing = sorted(
        warnings,
        key=lambda one: (one.layer is not Layer.SAFETY, one.state is not WarningState.OPEN),
    )
    return [
        HotMatter(
            warning_id=one.warning_id,
            layer=one.layer,
            name=one.name,
            districts=one.districts,
            observed=max(one.observed, one.callers_now),
            expected=None if one.layer is Layer.SAFETY else one.expected,
            since=one.since,
            state=one.state,
        )
        for one in pressing[:_WARNINGS_SHOWN]
    ]
