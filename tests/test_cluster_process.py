"""Two real processes on one PostgreSQL: one is killed, stopped for a while, or told to end in mid-call."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from calls.types import Stream
from tests.house import START, WAIT_S, receive, receive_until, send, sound
from tests.scripted_server import Nursery, ScriptedServer
from tests.test_cluster import durable, finals, is_final, types_and_texts
from tests.waiting import until_true

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]

AGAIN = START | {"call_id": "c-1", "operator_id": "027", "reconnect": True, "buffered": True}


def address(server: ScriptedServer, path: str) -> str:
    return f"{server.url.replace('http', 'ws')}{path}"


async def until_closed(socket: ClientConnection) -> int | None:
    """The code with which the other side closes it."""
    try:
        while True:
            await receive(socket)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def push_until_closed(line: ClientConnection) -> None:
    """Go on as a carrier does that has not noticed anything."""
    with suppress(ConnectionClosed):
        async with asyncio.timeout(WAIT_S):
            while True:
                await line.send(sound(0.1))
                await asyncio.sleep(0.1)


@asynccontextmanager
async def taken_up(server: ScriptedServer, kept_s: float = 3.0) -> AsyncIterator[ClientConnection]:
    """The line of the call, come back to that server; as carriers do, it tries again where it is refused."""
    while True:
        async with connect(address(server, "/v1/calls/audio")) as line:
            await send(line, AGAIN)
            answer = await receive(line)
            if answer["type"] == "started":
                assert answer["received_s"] == pytest.approx(kept_s)
                yield line
                return
            assert answer["code"] in ("call.storage_failed", "call.id_in_use"), answer


async def until_it_refuses(server: ScriptedServer) -> None:
    """Wait until a server that was told to stop says so, to whoever asks and to a new call."""

    async def refuses() -> bool:
        return not (await server.readyz())["ready"]

    await until_true(refuses)
    async with connect(address(server, "/v1/calls/audio")) as refused:
        await send(refused, START)
        assert (await receive(refused))["code"] == "call.refused"


def assert_each_second_once(url: str, seconds: int) -> list[str]:
    told = types_and_texts(url, Stream.call("c-1"))
    assert [one for one in told if one.startswith("第")] == [f"第{n}秒" for n in range(seconds)]
    assert told.count("call.ended") == 1
    return told


@pytest.mark.parametrize(("how", "kept_s"), [(signal.SIGKILL, 3.5), (signal.SIGSTOP, 3.0)])
async def test_a_call_goes_on_elsewhere_when_its_process_dies_or_sleeps(
    nursery: Nursery, postgres_url: str, tmp_path: Path, how: signal.Signals, kept_s: float
) -> None:
    settings = {"database_url": postgres_url, "bus": "database", "lease_s": 8}
    if how is signal.SIGKILL:  # with one folder of sound, what was not heard yet is kept as well
        settings |= {"audio_dir": str(tmp_path / "sound")}
    async with (
        nursery.server(tmp_path / "a", **settings) as one,
        nursery.server(tmp_path / "b", **settings) as other,
        connect(address(other, "/v1/screens/operators/027")) as screen,
    ):
        await receive(screen)
        async with connect(address(one, "/v1/calls/audio")) as line:
            await send(line, START | {"call_id": "c-1", "operator_id": "027"})
            await receive(line)
            await line.send(sound(kept_s))
            seen = await receive_until(screen, is_final("第2秒"))
            one.signal(how)
            if how is signal.SIGSTOP:  # what comes now is in no process's hands yet
                await line.send(sound(2))
            async with taken_up(other, kept_s) as again:
                await again.send(sound(5 - kept_s))
                seen += await receive_until(screen, is_final("第4秒"))
                if how is signal.SIGSTOP:
                    one.signal(signal.SIGCONT)
                    await push_until_closed(line)  # it notices that the call is not its own any more
                    assert (await one.readyz())["calls"] == 0
                await again.send(sound(1))
                await send(again, {"type": "stop"})
                seen += await receive_until(screen, lambda event: event["type"] == "call.ended")
    assert finals(seen) == [f"第{n}秒" for n in range(6)]
    assert durable(seen) == list(range(1, len(durable(seen)) + 1))
    told = assert_each_second_once(postgres_url, 6)
    assert told.count("call.interrupted") == told.count("call.reconnected") == 1


async def test_a_server_that_is_told_to_stop_lets_its_calls_end_and_takes_no_others(
    nursery: Nursery, postgres_url: str, tmp_path: Path
) -> None:
    settings = {"database_url": postgres_url, "bus": "database", "drain_s": 300}
    async with nursery.server(tmp_path / "a", **settings) as one:
        async with (
            connect(address(one, "/v1/screens/operators/027")) as screen,
            connect(address(one, "/v1/calls/audio")) as line,
        ):
            await send(line, START | {"call_id": "c-1", "operator_id": "027"})
            await receive(line)
            one.signal(signal.SIGTERM)
            await until_it_refuses(one)
            await line.send(sound(3))
            await receive_until(screen, is_final("第2秒"))
            await send(line, {"type": "stop"})
            assert (await receive(line))["type"] == "ended"
            await receive_until(screen, lambda event: event["type"] == "call.ended")
            assert await until_closed(screen) == 1012
        await until_true(one.is_gone)
    assert_each_second_once(postgres_url, 3)


async def test_a_server_that_is_alone_drains_too_and_takes_up_what_did_not_end_in_time(
    nursery: Nursery, tmp_path: Path
) -> None:
    async with nursery.server(tmp_path, drain_s=300) as one:
        async with connect(address(one, "/v1/calls/audio")) as line:
            await send(line, START | {"call_id": "c-0"})
            await receive(line)
            one.signal(signal.SIGTERM)
            await until_it_refuses(one)
            await line.send(sound(2))
            await send(line, {"type": "stop"})
            assert (await receive(line))["type"] == "ended"
        await until_true(one.is_gone)
    told = types_and_texts(str(tmp_path / "zhiting.db"), Stream.call("c-0"))
    assert ([one for one in told if one.startswith("第")], told[-1]) == (["第0秒", "第1秒"], "call.ended")

    async with nursery.server(tmp_path, drain_s=1) as one:
        async with connect(address(one, "/v1/calls/audio")) as line:
            await send(line, START | {"call_id": "c-1", "operator_id": "027"})
            await receive(line)
            await line.send(sound(3))
            async with connect(address(one, "/v1/screens/calls/c-1?since=1")) as screen:
                await receive_until(screen, is_final("第2秒"))
            one.signal(signal.SIGTERM)
            await until_closed(line)
        await until_true(one.is_gone)
    async with nursery.server(tmp_path) as one, taken_up(one) as again:
        await again.send(sound(2))
        await send(again, {"type": "stop"})
        assert (await receive(again))["type"] == "ended"
    told = assert_each_second_once(str(tmp_path / "zhiting.db"), 5)
    assert told.count("call.interrupted") == told.count("call.reconnected") == 1


async def test_a_server_without_time_to_drain_hands_its_call_over(
    nursery: Nursery, postgres_url: str, tmp_path: Path
) -> None:
    settings = {"database_url": postgres_url, "bus": "database", "lease_s": 120}
    async with (
        nursery.server(tmp_path / "a", **settings) as one,
        nursery.server(tmp_path / "b", **settings) as other,
    ):
        async with connect(address(one, "/v1/calls/audio")) as line:
            await send(line, START | {"call_id": "c-1", "operator_id": "027"})
            await receive(line)
            await line.send(sound(3))
            async with connect(address(other, "/v1/screens/calls/c-1?since=1")) as screen:
                await receive_until(screen, is_final("第2秒"))
            one.signal(signal.SIGTERM)
            await until_closed(line)
        async with taken_up(other) as again:
            await again.send(sound(2))
            await send(again, {"type": "stop"})
            assert (await receive(again))["type"] == "ended"
    assert_each_second_once(postgres_url, 5)
