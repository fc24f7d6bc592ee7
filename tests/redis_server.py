"""A Redis server of the tests' own, on a free port; who asks is skipped where Redis is not installed."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.real_server import free_port
from tests.waiting import until_true


class RedisServer:
    """It can be stopped and come back, on the same port and empty."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        self._process = await asyncio.create_subprocess_exec(
            *(*command, "--save", "", "--appendonly", "no"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await until_true(self._answers)

    async def _answers(self) -> bool:
        client = Redis.from_url(self.url)
        try:
            await client.ping()
        except (RedisError, OSError):
            return False
        else:
            return True
        finally:
            await client.aclose()

    async def kill(self) -> None:
        """As a power cut does it."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None


@pytest_asyncio.fixture
async def redis_server() -> AsyncIterator[RedisServer]:
    """A running server."""
    if shutil.which("redis-server") is None or find_spec("redis") is None:
        pytest.skip("Redis is not installed")
    server = RedisServer()
    await server.start()
    yield server
    await server.kill()
