"""One address in front of several servers, as a reverse proxy is: the next server where one does not answer.

In: connections. Out: the same bytes to a server, and back. Not known here: what is said.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

_ANSWERS_WITHIN_S = 1.0
_BLOCK = 65_536


@asynccontextmanager
async def balancer(servers: Sequence[tuple[str, int]]) -> AsyncIterator[str]:
    """The address, for as long as it is needed; servers in turn."""
    turn = 0
    open_ones: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        task = asyncio.current_task()
        assert task is not None
        open_ones.add(task)
        turn += 1
        try:
            for n in range(len(servers)):
                host, port = servers[(turn + n) % len(servers)]
                try:
                    async with asyncio.timeout(_ANSWERS_WITHIN_S):
                        behind = await asyncio.open_connection(host, port)
                except (OSError, TimeoutError):
                    continue
                await _join((reader, writer), behind)
                return
        finally:
            writer.close()
            open_ones.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in open_ones:
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(one: Ends, other: Ends) -> None:
    """Carry both ways until either side is gone."""
    ways = {asyncio.create_task(_carry(one[0], other[1])), asyncio.create_task(_carry(other[0], one[1]))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (one, other):
            end[1].transport.abort()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_BLOCK):
            writer.write(data)
            await writer.drain()
