"""What processes tell each other: messages as they travel, and a Redis that goes and comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from calls.bus.memory import MemoryBus, Room
from calls.bus.redis_streams import MAX_WAITING, STREAM, RedisBus
from calls.bus.types import (
    BadMessage,
    Bus,
    FactMessage,
    LagMessage,
    Message,
    NudgeMessage,
    PartialMessage,
    fact_messages,
    read,
    written,
)
from calls.types import Entry, NoteTaken, SegmentShown
from tests.call_parts import segment
from tests.redis_server import RedisServer
from tests.waiting import until_true

AT = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)


def entries(text: str = "路面积水") -> list[Entry]:
    fact = SegmentShown(segment=segment(1, text))
    return [
        Entry(stream=stream, seq=seq, at=AT, call_id="c-1", fact=fact)
        for stream, seq in (("call:c-1", 3), ("operator:027", 40))
    ]


@asynccontextmanager
async def listening(bus: Bus) -> AsyncIterator[list[Message]]:
    heard: list[Message] = []
    task = asyncio.create_task(bus.run(heard.append))
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_fact_travels_once_with_all_its_places() -> None:
    (message,) = fact_messages(entries())
    back = read(written(message, "a.1"))
    assert isinstance(back, FactMessage)
    assert back.entries() == entries()
    assert back.sender == "a.1"


def test_a_large_fact_travels_without_its_content() -> None:
    fact = NoteTaken(note_id="n", text="长" * 100_000)
    (message,) = fact_messages([Entry(stream="call:c-1", seq=1, at=AT, call_id="c-1", fact=fact)])
    back = read(written(message, "a.1"))
    assert isinstance(back, FactMessage)
    assert (back.payload, back.entries(), back.places[0].seq) == (None, [], 1)


def test_a_fact_of_another_version_is_left_to_the_database() -> None:
    (message,) = fact_messages(entries())
    assert message.model_copy(update={"type": "call.teleported"}).entries() == []


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"kind":"fact"}', b'{"v":2,"kind":"nudge"}', b"\xff\x00"]
)
def test_what_is_no_message_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises(BadMessage):
        read(text)


async def test_houses_in_one_room_hear_each_other_and_not_themselves() -> None:
    room = Room()
    one, other = MemoryBus("a", room), MemoryBus("b", room)
    async with listening(one) as heard, listening(other) as heard_too:
        await asyncio.sleep(0)
        one.publish(NudgeMessage())
        await until_true(lambda: len(heard_too) == 1)
    assert heard == []
    one.publish(NudgeMessage())  # nobody is there any more


async def test_redis_carries_to_the_others_in_order_and_drops_what_is_no_message(
    redis_server: RedisServer,
) -> None:
    one, other = RedisBus(redis_server.url, "a.1"), RedisBus(redis_server.url, "b.1")
    stranger = Redis.from_url(redis_server.url)
    async with listening(one) as own, listening(other) as heard:
        await until_true(lambda: one.stats().is_up and other.stats().is_up)
        await stranger.xadd(STREAM, {"m": "something else"})
        await stranger.xadd(STREAM, {"other": "field"})
        for message in fact_messages(entries()):
            one.publish(message)
        one.publish(PartialMessage(operator_id="027", segment=segment(2, "还在", is_final=False)))
        one.publish(LagMessage(call_id="c-1", operator_id="027", lag_s=0.5, received_s=9.0))
        await until_true(lambda: len(heard) == 3)
        assert [message.kind for message in heard] == ["fact", "partial", "lag"]
        assert other.stats().malformed == 2
        assert own == []
    await stranger.aclose()


async def test_publishing_goes_on_without_redis_and_heals_when_it_is_back(redis_server: RedisServer) -> None:
    one, other = RedisBus(redis_server.url, "a.1"), RedisBus(redis_server.url, "b.1")
    async with listening(one), listening(other) as heard:
        await until_true(lambda: one.stats().is_up and other.stats().is_up)
        await redis_server.kill()
        await until_true(lambda: not one.stats().is_up and not other.stats().is_up)
        for _ in range(2 * MAX_WAITING):
            one.publish(LagMessage(call_id="c-1", operator_id=None, lag_s=0.0, received_s=0.0))
        assert one.stats().waiting <= MAX_WAITING
        assert one.stats().lost >= MAX_WAITING
        await redis_server.start()
        await until_true(lambda: one.stats().is_up and other.stats().is_up)
        heard.clear()
        one.publish(NudgeMessage())
        await until_true(lambda: any(message.kind == "nudge" for message in heard))
    assert one.stats().outages == 1


async def test_when_too_much_waits_what_passes_is_forgotten_first() -> None:
    bus = RedisBus("redis://127.0.0.1:1/0", "a.1")  # nobody is there
    (fact,) = fact_messages(entries())
    for n in range(MAX_WAITING):
        bus.publish(fact if n % 2 else LagMessage(call_id="c", operator_id=None, lag_s=0, received_s=0))
    for _ in range(MAX_WAITING // 2):
        bus.publish(fact)
    assert {type(message) for message in bus._waiting} == {FactMessage}
    assert bus.stats().lost == MAX_WAITING // 2
    bus.publish(fact)
    assert bus.stats().waiting == MAX_WAITING
