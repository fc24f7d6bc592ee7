"""The hub with a real journal: every screen sees every fact once, in order, however it came to be there."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Engine

from agent_ui.events import CALL_LIST_EVENTS, SCREEN_EVENTS
from agent_ui.hub import MAX_WAITING, Hub
from calls.journal import Journal
from calls.records import Records
from calls.streams import streams_of
from calls.types import (
    CallEnded,
    CallStarted,
    EndReason,
    Fact,
    KbPublished,
    SegmentShown,
    Stream,
    SuggestionShown,
)
from tests.call_parts import START, call, segment, suggestion
from tests.conftest import Clock

CALL = Stream.call("c-1")


class Desk:
    """A hub, its journal, and short words for what a test does with them."""

    def __init__(self, engine: Engine, clock: Clock):
        self.hub = Hub(records=Records(engine), clock=clock)
        self.journal = Journal(engine, self.hub.tell)

    async def record(self, *facts: Fact, call_id: str = "c-1") -> None:
        for fact in facts:
            await self.journal.append(
                fact, call_id=call_id, streams=streams_of(fact, call(call_id)), at=START
            )

    async def see(self, n: int, stream: str = CALL, since: int | None = None) -> list[dict[str, Any]]:
        """The first `n` events that a new screen gets."""
        return await take(self.hub.follow(stream, since), n)


async def take(texts: AsyncIterator[str], n: int) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        async for text in texts:
            events.append(json.loads(text))
            if len(events) == n:
                break
    await texts.aclose()  # type: ignore[attr-defined]
    return events


@pytest.fixture
async def desk(engine: Engine, clock: Clock) -> AsyncIterator[Desk]:
    desk = Desk(engine, clock)
    desk.journal.start()
    yield desk
    await desk.journal.stop()


def lines(first: int, last: int) -> list[Fact]:
    return [SegmentShown(segment=segment(n, f"第{n}句")) for n in range(first, last + 1)]


async def test_a_new_screen_gets_a_snapshot_and_then_what_happens(desk: Desk) -> None:
    await desk.record(CallStarted(call=call()), *lines(1, 2), SuggestionShown(suggestion=suggestion("T001")))
    desk.hub.tell_partial(segment(3, "还没说", is_final=False), "027")
    follow = desk.hub.follow(CALL, None)
    snapshot = json.loads(await anext(follow))
    await desk.record(*lines(3, 4))
    live = await take(follow, 2)
    assert snapshot["type"] == "snapshot"
    assert [line["text"] for line in snapshot["segments"]] == ["第1句", "第2句"]
    assert [line["text"] for line in snapshot["partials"]] == ["还没说"]
    assert snapshot["cards"][0]["article_id"] == "T001"
    assert [event["segment"]["text"] for event in live] == ["第3句", "第4句"]
    assert [event["seq"] for event in live] == [snapshot["seq"] + 1, snapshot["seq"] + 2]
    for event in (snapshot, *live):
        SCREEN_EVENTS.validate_python(event)


async def test_a_screen_that_returns_gets_exactly_what_it_missed(desk: Desk) -> None:
    await desk.record(CallStarted(call=call()), *lines(1, 5))
    desk.hub.tell_partial(segment(6, "正在说", is_final=False), "027")
    events = await desk.see(4, since=3)
    assert [event["seq"] for event in events] == [4, 5, 6, None]
    assert [event["segment"]["text"] for event in events] == ["第3句", "第4句", "第5句", "正在说"]


@pytest.mark.parametrize("since", [-1, 0, 99])
async def test_a_since_that_means_nothing_gets_a_snapshot(desk: Desk, since: int) -> None:
    await desk.record(CallStarted(call=call()), *lines(1, 2))
    events = await desk.see(1, since=since)
    assert (events[0]["type"], events[0]["seq"]) == ("snapshot", 3)


async def test_joining_in_the_middle_of_a_flood_misses_and_doubles_nothing(desk: Desk) -> None:
    await desk.record(CallStarted(call=call()))
    flood = asyncio.create_task(desk.record(*lines(1, 60)))
    watchers = []
    for _ in range(10):
        await asyncio.sleep(0.005)
        watchers.append(asyncio.create_task(watch_until(desk, 61)))
    await flood
    for seqs, texts in await asyncio.gather(*watchers):
        assert texts == [f"第{n}句" for n in range(1, 61)]
        assert seqs == list(range(seqs[0], 62))


async def watch_until(desk: Desk, last_seq: int) -> tuple[list[int], list[str]]:
    seqs, texts = [], []
    follow = desk.hub.follow(CALL, None)
    async with asyncio.timeout(60):
        async for text in follow:
            event = json.loads(text)
            seqs.append(event["seq"])
            shown = event["segments"] if event["type"] == "snapshot" else [event["segment"]]
            texts += [line["text"] for line in shown]
            if event["seq"] >= last_seq:
                break
    await follow.aclose()
    return seqs, texts


async def test_a_screen_that_stops_reading_is_caught_up_by_one_snapshot(desk: Desk) -> None:
    await desk.record(CallStarted(call=call()))
    follow = desk.hub.follow(CALL, None)
    assert json.loads(await anext(follow))["type"] == "snapshot"
    await desk.record(*lines(1, MAX_WAITING + 20))
    caught_up = json.loads(await anext(follow))
    assert caught_up["type"] == "snapshot"
    assert len(caught_up["segments"]) == MAX_WAITING + 20
    await desk.record(*lines(1000, 1000))
    live = json.loads(await anext(follow))
    assert live["seq"] == caught_up["seq"] + 1
    await follow.aclose()
    assert desk.hub.screens == 0


async def test_a_final_takes_its_partial_with_it(desk: Desk) -> None:
    await desk.record(CallStarted(call=call()))
    desk.hub.tell_partial(segment(1, "喂", is_final=False), "027")
    desk.hub.tell_partial(segment(2, "听得到", is_final=False), "027")
    await desk.record(SegmentShown(segment=segment(1, "")))
    (snapshot,) = await desk.see(1)
    assert [line["text"] for line in snapshot["partials"]] == ["听得到"]
    assert snapshot["segments"] == []


async def test_the_list_of_calls(desk: Desk) -> None:
    await desk.record(CallStarted(call=call()))
    follow = desk.hub.follow(Stream.CALLS, None)
    snapshot = json.loads(await anext(follow))
    await desk.record(*lines(1, 1), CallEnded(reason=EndReason.HANGUP, seconds=8.0))
    said, ended = await take(follow, 2)
    assert [found["call_id"] for found in snapshot["calls"]] == ["c-1"]
    assert (said["type"], said["seq"], said["text"]) == ("call.line", None, "第1句")
    assert (ended["type"], ended["call_id"], ended["reason"]) == ("call.ended", "c-1", "hangup")
    for event in (snapshot, ended):
        CALL_LIST_EVENTS.validate_python(event)


async def test_every_screen_hears_of_new_knowledge_once_and_no_stream_gets_a_gap(desk: Desk) -> None:
    await desk.record(CallStarted(call=call()))
    streams = (CALL, Stream.operator("027"), Stream.CALLS)
    follows = [desk.hub.follow(stream, None) for stream in streams]
    snapshots = [json.loads(await anext(follow)) for follow in follows]
    published = KbPublished(version="v2")
    await desk.journal.append(published, call_id=None, streams=(Stream.CALLS,), at=START)
    await desk.record(CallEnded(reason=EndReason.HANGUP, seconds=8.0))
    for snapshot, follow, stream in zip(snapshots, follows, streams, strict=True):
        told, ended = await take(follow, 2)
        assert (told["type"], told["version"], ended["type"]) == ("kb.published", "v2", "call.ended")
        is_on_record = stream == Stream.CALLS
        assert told["seq"] == (snapshot["seq"] + 1 if is_on_record else None)
        assert ended["seq"] == snapshot["seq"] + (2 if is_on_record else 1)
        (CALL_LIST_EVENTS if is_on_record else SCREEN_EVENTS).validate_python(told)


async def test_an_operator_sees_only_the_own_newest_call(desk: Desk) -> None:
    await desk.record(CallStarted(call=call()), *lines(1, 1))
    await desk.journal.append(
        CallStarted(call=call("c-2", operator_id="031")),
        call_id="c-2",
        streams=[Stream.call("c-2"), Stream.operator("031")],
        at=START,
    )
    (mine,) = await desk.see(1, Stream.operator("027"))
    assert (mine["call"]["call_id"], len(mine["segments"])) == ("c-1", 1)
    (nobody,) = await desk.see(1, Stream.operator("999"))
    assert (nobody["call"], nobody["seq"]) == (None, 0)
