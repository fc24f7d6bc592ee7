"""The program of docs/integration.md that follows a seat does what the page says, also after a restart."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.house import START, House, receive, receive_until, running, send, sound
from tests.real_server import free_port

PAGE = Path(__file__).parents[1] / "docs" / "integration.md"
TOKEN = "a-token-long-enough"


def program() -> dict[str, Any]:
    """What the page's example defines, without its last line, which runs it."""
    found = re.search(r"```python\n(.*?)\nasyncio\.run", PAGE.read_text(), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(compile(found.group(1), str(PAGE), "exec"), names)
    return names


async def say_a_second(house: House, caller: str) -> None:
    async with house.socket("/v1/calls/audio") as line:
        await send(line, START | {"operator_id": "027", "caller": caller})
        await receive(line)
        await line.send(sound(1.0))
        await send(line, {"type": "stop"})
        await receive_until(line, lambda event: event["type"] == "ended")


async def until_printed(count: int, capsys: pytest.CaptureFixture[str], seen: list[str]) -> None:
    """Wait for so many lines, those seen before included."""
    async with asyncio.timeout(60):
        while len(seen) < count:
            seen += capsys.readouterr().out.splitlines()
            await asyncio.sleep(0.02)


async def test_the_program_follows_a_seat_and_misses_nothing_while_it_is_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    port = free_port()
    async with running(tmp_path, token=TOKEN, on_port=port) as house:
        following = asyncio.create_task(program()["follow"](f"ws://127.0.0.1:{port}", "027", TOKEN))
        await say_a_second(house, "13900000001")
        await until_printed(2, capsys, seen)
    async with running(tmp_path, token=TOKEN, on_port=port) as house:
        await say_a_second(house, "13900000002")  # the program may still be away
        await until_printed(4, capsys, seen)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert seen == ["来电 13900000001", "citizen 第0秒", "来电 13900000002", "citizen 第0秒"]
