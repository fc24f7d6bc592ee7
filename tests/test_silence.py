"""A network that is gone without a word: what screens that ask are told, and what a page makes of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.house import receive_until, running, send, sound
from tests.test_browser import CHROMIUM, WAIT_MS, begin, browser, has_lines, lines_on, lines_on_record, page

__all__ = ["browser", "page"]
ALIVE = "stream.alive"


class Cable:
    """Between a page and the server. Pulled out, it passes nothing, and nobody is told of it."""

    def __init__(self, to_port: int):
        self._to_port = to_port
        self._passes = asyncio.Event()
        self._passes.set()
        self._ends: list[asyncio.Task[None]] = []

    def pull(self) -> None:
        self._passes.clear()

    def plug(self) -> None:
        self._passes.set()

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._ends += [asyncio.create_task(self._pass_on(*way)) for way in ((reader, forth), (back, writer))]

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                await self._passes.wait()
                writer.write(piece)
                await writer.drain()
            await self._passes.wait()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def close(self) -> None:
        for end in self._ends:
            end.cancel()
        await asyncio.gather(*self._ends, return_exceptions=True)


@asynccontextmanager
async def cable_to(port: int) -> AsyncIterator[tuple[Cable, str]]:
    cable = Cable(port)
    server = await asyncio.start_server(cable.join, "127.0.0.1", 0)
    try:
        yield cable, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await cable.close()


def is_alive(event: dict[str, Any]) -> bool:
    return event["type"] == ALIVE


async def test_screens_that_ask_are_told_again_and_again_that_the_server_is_there(tmp_path: Path) -> None:
    paths = ("calls", "calls/c-1", "operators/027", "operators/027/calls", "hall")
    async with running(tmp_path) as house, AsyncExitStack() as screens:
        plain = await screens.enter_async_context(house.socket("/v1/screens/calls"))
        for path in paths:
            screen = await screens.enter_async_context(house.socket(f"/v1/screens/{path}?alive=true"))
            first = (await receive_until(screen, is_alive))[-1]
            assert (first["seq"], first["call_id"]) == (None, None)
            again = (await receive_until(screen, is_alive))[-1]
            assert first["at"] < again["at"]
        line = await begin(house)
        told = await receive_until(plain, lambda event: event["type"] == "call.started")
        assert not any(map(is_alive, told))
        await line.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)")
async def test_a_page_notices_a_network_that_is_gone_without_a_word_and_catches_up(
    tmp_path: Path, page: Page
) -> None:
    async with running(tmp_path) as house, cable_to(house.port) as (cable, url):
        line = await begin(house)
        await page.goto(f"{url}/?call=c-1")
        await line.send(sound(2.0, channels=2))
        await has_lines(page, 4)
        cable.pull()
        await line.send(sound(2.0, channels=2))
        await expect(page.locator(".line")).to_have_attribute("data-line", "waiting", timeout=WAIT_MS)
        assert len(await lines_on(page)) == 4
        cable.plug()
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        await has_lines(page, 8)
        assert await lines_on(page) == await lines_on_record(house)
        await send(line, {"type": "stop"})
        await expect(page.locator(".head")).to_have_attribute("data-call", "ended", timeout=WAIT_MS)
