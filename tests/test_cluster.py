"""Two processes on one database: screens and lines may be anywhere, and nothing is lost or doubled.

Both run in this process, each with a data folder of its own, over a real PostgreSQL and a real Redis.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from calls.records import Records
from calls.types import Stream
from knowledge_base.database import open_database
from retrieval.types import Mark
from tests.house import START, House, Script, receive, receive_until, running, send, sound
from tests.redis_server import RedisServer
from tests.waiting import until_true

pytestmark = pytest.mark.filterwarnings("error")


@asynccontextmanager
async def two(
    folder: Path, url: str, bus: str, script: Script | None = None
) -> AsyncIterator[tuple[House, House]]:
    settings: dict[str, Any] = {"database_url": url, "bus": bus, "lease_s": 60.0, "resumable_s": 600.0}
    async with (
        running(folder / "a", script or Script(), **settings) as one,
        running(folder / "b", Script(), **settings) as other,
    ):
        yield one, other


def finals(events: list[dict[str, Any]]) -> list[str]:
    shown = [event for event in events if event["type"] == "segment.shown" and event["seq"]]
    return [event["segment"]["text"] for event in shown]


def durable(events: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for event in events if event["seq"] and event["type"] != "snapshot"]


def is_final(text: str) -> Any:
    return lambda event: bool(event["seq"]) and finals([event]) == [text]


async def started(line: Any, **more: Any) -> dict[str, Any]:
    await send(line, START | {"call_id": "c-1", "operator_id": "027"} | more)
    answer = await receive(line)
    assert answer["type"] == "started", answer
    return answer


async def test_a_screen_at_another_process_misses_nothing_while_redis_comes_and_goes(
    tmp_path: Path, postgres_url: str, redis_server: RedisServer
) -> None:
    async with (
        two(tmp_path, postgres_url, redis_server.url) as (one, other),
        other.socket("/v1/screens/operators/027") as screen,
        other.socket("/v1/screens/calls") as calls,
        one.socket("/v1/calls/audio") as line,
    ):
        assert (await receive(screen))["type"] == "snapshot"
        await receive(calls)
        await until_true(lambda: is_up(one))
        await until_true(lambda: is_up(other))
        await started(line)
        await line.send(sound(3))
        seen = await receive_until(screen, is_final("第2秒"))
        assert any(event["seq"] is None for event in seen), "what may still change did not come"
        await redis_server.kill()
        await line.send(sound(2))
        seen += await receive_until(screen, is_final("第4秒"))
        await redis_server.start()
        await until_true(lambda: is_up(one))
        await until_true(lambda: is_up(other))
        await line.send(sound(2))
        await send(line, {"type": "stop"})
        seen += await receive_until(screen, lambda event: event["type"] == "call.ended")
        listed = await receive_until(calls, lambda event: event["type"] == "call.ended")
        figures = (await get(other, "/readyz"))["cluster"]
    assert finals(seen) == [f"第{n}秒" for n in range(7)]
    assert durable(seen) == list(range(1, len(durable(seen)) + 1))
    assert next(event["type"] for event in listed if event["seq"]) == "call.started"
    assert figures["bus"] == "up"


async def is_up(house: House) -> bool:
    return bool((await get(house, "/readyz"))["cluster"]["bus"] == "up")


async def get(house: House, path: str) -> Any:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{house.url}{path}")).json()


@pytest.mark.parametrize("with_redis", [True, False])
async def test_what_is_done_at_another_process_is_followed_where_the_call_is(
    tmp_path: Path, postgres_url: str, redis_server: RedisServer, with_redis: bool
) -> None:
    script = Script(suggests={"第0秒": ("a-1",)})
    bus = redis_server.url if with_redis else "database"
    async with (
        two(tmp_path, postgres_url, bus, script) as (one, other),
        other.socket("/v1/screens/calls/c-1") as screen,
        one.socket("/v1/calls/audio") as line,
    ):
        await started(line)
        await line.send(sound(1))
        shown = (await receive_until(screen, lambda event: event["type"] == "suggestion.shown"))[-1]
        command = {
            "type": "suggestion.mark",
            "suggestion_id": shown["suggestion"]["suggestion_id"],
            "article_id": "a-1",
            "mark": "dismissed",
        }
        await screen.send(json.dumps(command))
        marked = await receive_until(
            screen, lambda e: e["type"] == "suggestion.shown" and not e["suggestion"]["cards"]
        )
        assert [event["type"] for event in marked if event["seq"]] == [
            "suggestion.marked",
            "suggestion.shown",
        ]
        assert script.assistants[0].marks == [("a-1", Mark.DISMISSED)]
        await screen.send(json.dumps({"type": "call.transfer", "operator_id": "028", "message": ""}))
        await receive_until(screen, lambda event: event["type"] == "call.transferred")
        await line.send(sound(2))
        await send(line, {"type": "stop"})
        await receive_until(screen, lambda event: event["type"] == "call.ended")
    with_them = types_and_texts(postgres_url, Stream.operator("028"))
    assert with_them[0] == "call.transferred"
    assert [one for one in with_them if one.startswith("第")] == ["第1秒", "第2秒"]
    assert script.assistants[0].marks == [("a-1", Mark.DISMISSED)]


def types_and_texts(url: str, stream: str) -> list[str]:
    engine = open_database(url)
    entries = Records(engine).read(stream, since=0, limit=1000)
    engine.dispose()
    return [getattr(getattr(entry.fact, "segment", None), "text", entry.fact.type) for entry in entries]


def shows_three(event: dict[str, Any]) -> bool:
    if event["type"] == "snapshot":
        return len(event["segments"]) == 3
    return bool(is_final("第2秒")(event))


async def test_a_line_that_comes_back_to_another_process_goes_on_there(
    tmp_path: Path, postgres_url: str, redis_server: RedisServer
) -> None:
    async with two(tmp_path, postgres_url, redis_server.url) as (one, other):
        async with one.socket("/v1/calls/audio") as line:
            await started(line)
            await line.send(sound(3))
            async with other.socket("/v1/screens/calls/c-1") as screen:
                await receive_until(screen, shows_three)
            async with other.socket("/v1/calls/audio") as again:  # the line at the other one is still alive
                await send(again, START | {"call_id": "c-1", "reconnect": True, "buffered": True})
                assert (await receive(again))["code"] == "call.id_in_use"
        async with other.socket("/v1/calls/audio") as again:
            answer = await started(again, reconnect=True, buffered=True)
            assert answer["received_s"] == pytest.approx(3.0)
            await again.send(sound(2))
            await send(again, {"type": "stop"})
            assert (await receive(again))["type"] == "ended"
        assert (await get(one, "/readyz"))["calls"] == 0
    told = types_and_texts(postgres_url, Stream.call("c-1"))
    assert [one for one in told if one.startswith("第")] == [f"第{n}秒" for n in range(5)]
    assert told.count("call.interrupted") == told.count("call.reconnected") == told.count("call.ended") == 1


async def test_one_process_leads_and_another_follows_it_at_once_when_it_ends(
    tmp_path: Path, postgres_url: str
) -> None:
    settings: dict[str, Any] = {"database_url": postgres_url, "bus": "database", "lease_s": 60.0}
    async with running(tmp_path / "b", **settings) as other:
        await until_true(lambda: leads(other))
        async with running(tmp_path / "a", **settings) as one:
            await until_true(lambda: sees_others(one))
            assert not await leads(one)
        async with running(tmp_path / "a", **settings) as one:
            assert await leads(other)
            third = one
            await until_true(lambda: sees_others(third))


async def leads(house: House) -> bool:
    return bool((await get(house, "/readyz"))["cluster"]["is_leader"])


async def sees_others(house: House) -> bool:
    return bool((await get(house, "/readyz"))["cluster"]["others"] == 1)
