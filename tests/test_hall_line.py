"""The line to the boards of the hall: nobody misses anything, whoever is slow, comes late or comes back."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from agent_ui.hall_desk import hot_matters, open_hall
from agent_ui.hall_events import HallSnapshot, HallTick, HallWarnings
from agent_ui.hall_line import MAX_REPLAY, MAX_WAITING, HallLine
from agent_ui.settings import Settings
from calls.arrivals.store import ArrivalStore
from calls.arrivals.types import Arrival
from calls.orders.directory import Directory
from insight.raised.types import Layer, RaisedWarning, WarningState
from scripts.hall_fold import Folded
from tests.conftest import Clock

ORDERS = {
    **dict.fromkeys(("open", "overdue", "due_soon", "made_today", "closed_today"), 0),
    **dict.fromkeys(
        ("today", "month"), dict.fromkeys(("satisfied", "neutral", "unsatisfied", "unreached"), 0)
    ),
    "overdue_departments": [],
}
USUAL = {
    "days": 0,
    "kind": "workday",
    "calls": [0.0] * 24,
    "share_answered": None,
    "categories": {},
    "districts": {},
    "matters": {},
}
AT = "2026-03-05T10:32:31+08:00"


class Talking:
    """A line with a snapshot that takes a while, and events without much in them."""

    def __init__(self) -> None:
        self.line = HallLine(self.snapshot)
        self.snapshots = 0
        self.is_slow = False

    async def snapshot(self) -> HallSnapshot:
        self.snapshots += 1
        seq = self.line.seq
        if self.is_slow:
            self.tell(MAX_WAITING + 10)
        return HallSnapshot.model_validate(
            {
                "seq": seq,
                "at": AT,
                "day": "2026-03-05",
                "from": "2026-03-05T00:00:00+08:00",
                "until": "2026-03-06T00:00:00+08:00",
                "speed": 1.0,
                "is_simulated": False,
                "has_queue": False,
                "usual": USUAL,
                "calls": [],
                "orders": ORDERS,
                "warnings": [],
            }
        )

    def tell(self, times: int = 1) -> None:
        for _ in range(times):
            event = {"seq": self.line.next_seq(), "at": AT, "warnings": []}
            self.line.tell(HallWarnings.model_validate(event))


async def take(texts: AsyncGenerator[str, None], until_seq: int, board: Folded | None = None) -> list[str]:
    """Types of events up to that number; every one follows the one before it."""
    board, types = board or Folded(), []
    async with asyncio.timeout(60):
        async for text in texts:
            event: dict[str, Any] = json.loads(text)
            board.apply(event)
            types.append(event["type"])
            if board.seq >= until_seq:
                break
    return types


async def test_a_board_that_comes_gets_a_snapshot_and_then_what_happens() -> None:
    talking = Talking()
    texts, board = talking.line.follow(None), Folded()
    assert await take(texts, talking.line.seq, board) == ["hall.snapshot"]
    talking.tell(3)
    talking.line.tell(HallTick.model_validate({"seq": None, "at": AT}))
    talking.tell()
    assert await take(texts, talking.line.seq, board) == [
        *["hall.warnings"] * 3,
        "hall.tick",
        "hall.warnings",
    ]
    assert talking.line.screens == 1
    await texts.aclose()
    assert talking.line.screens == 0


async def test_a_board_that_comes_back_gets_what_it_missed_and_no_more() -> None:
    talking = Talking()
    talking.tell(5)
    board = Folded(seq=talking.line.seq - 3)
    texts = talking.line.follow(board.seq)
    assert await take(texts, talking.line.seq, board) == ["hall.warnings"] * 3
    talking.tell()
    assert await take(texts, talking.line.seq, board) == ["hall.warnings"]
    up_to_date = talking.line.follow(talking.line.seq)
    board = Folded(seq=talking.line.seq)
    reading = asyncio.create_task(take(up_to_date, talking.line.seq + 1, board))
    while talking.line.screens < 2:  # noqa: ASYNC110 - until it listens
        await asyncio.sleep(0)
    talking.tell()
    assert await reading == ["hall.warnings"]
    talking.tell(MAX_REPLAY)
    for since in (talking.line.seq - MAX_REPLAY - 1, 0, talking.line.seq + 1):
        assert (await take(talking.line.follow(since), talking.line.seq))[0] == "hall.snapshot"


async def test_a_board_that_is_too_slow_gets_one_snapshot_and_a_new_day_is_one_as_well() -> None:
    talking = Talking()
    texts, board = talking.line.follow(None), Folded()
    await take(texts, talking.line.seq, board)
    talking.tell(MAX_WAITING * 3)
    assert (await take(texts, talking.line.seq, board))[0] == "hall.snapshot"
    assert talking.snapshots == 2
    talking.tell(5)
    talking.line.start_over()
    talking.tell(2)
    assert await take(texts, talking.line.seq, board) == ["hall.snapshot"]
    assert board.seq == talking.line.seq


async def test_what_happens_while_a_snapshot_is_made_is_not_missed() -> None:
    talking = Talking()
    talking.is_slow = True
    texts, board = talking.line.follow(None), Folded()
    assert await take(texts, 1, board) == ["hall.snapshot"]
    talking.is_slow = False
    await take(texts, talking.line.seq, board)
    assert board.seq == talking.line.seq
    assert talking.snapshots == 2


async def test_the_desk_tells_the_new_day_at_midnight(engine: Engine, clock: Clock, tmp_path: Any) -> None:
    class Later(Settings):
        def now(self) -> Any:
            return clock.now

    settings = Later(data_dir=tmp_path, _env_file=None)  # type: ignore[call-arg]
    desk = open_hall(engine, settings, lambda: Directory({}))
    looking = asyncio.create_task(desk.run())
    arrivals = ArrivalStore(engine)
    texts, board = desk.follow(None), Folded()
    async with asyncio.timeout(60):
        board.apply(json.loads(await anext(texts)))
        assert board.blocks["day"] == "2026-03-05"
        arrivals.tell(Arrival(call_id="c-1", arrived_at=clock.now, left_at=clock.now))
        desk.stir()
        while not board.rows:
            board.apply(json.loads(await anext(texts)))
        clock.advance(6 * 3600)  # 16:32 UTC is after midnight in Shanghai
        while board.blocks["day"] != "2026-03-06":
            board.apply(json.loads(await anext(texts)))
    assert board.rows == {}
    assert board.figures().calls == 0
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await texts.aclose()


def test_warnings_on_the_board_are_the_most_pressing_and_tell_no_more_than_they_may() -> None:
    def warning(number: int, layer: Layer, state: WarningState) -> RaisedWarning:
        at = datetime(2026, 3, 5, 1, number, tzinfo=UTC)
        return RaisedWarning(
            warning_id=f"w-{number}",
            version=1,
            layer=layer,
            state=state,
            matter="停水",
            name="停水",
            category="供水排水",
            district="普陀区",
            districts=("普陀区",),
            raised_at=at,
            since=at,
            window_h=6,
            observed=12,
            expected=1.5,
            probability=1e-9,
            false_share=0.01,
            places=3,
            callers_now=20,
            latest_at=at,
            changed_at=at,
        )

    seen, open_ = WarningState.ACKNOWLEDGED, WarningState.OPEN
    raised = [warning(n, Layer.KNOWN, seen if n < 6 else open_) for n in range(12)]
    shown = hot_matters([*raised, warning(20, Layer.SAFETY, open_)], ZoneInfo("Asia/Shanghai"))
    assert [one.warning_id for one in shown] == ["w-20", *(f"w-{n}" for n in range(6, 12)), "w-0"]
    assert (shown[0].expected, shown[1].expected, shown[1].observed) == (None, 1.5, 20)
    everywhere = replace(raised[0], district=None, districts=("普陀区", "新城"))
    assert hot_matters([everywhere], ZoneInfo("Asia/Shanghai"))[0].districts == ()
    assert shown[1].since.isoformat() == "2026-03-05T09:06:00+08:00"
