"""A switchboard with a real journal, whose database can be made to refuse every write."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from calls.admission import SwitchboardOptions
from calls.journal import Journal
from calls.line import LineOptions
from calls.records import Records
from calls.session import Engines
from calls.switchboard import Switchboard
from calls.tape import Tapes
from calls.types import (
    AudioFormat,
    CallState,
    Entry,
    Stream,
)
from tests.call_parts import ScriptedAssistant, find_nothing, hear_seconds
from tests.conftest import Clock

WIDE = AudioFormat(encoding="pcm_s16le", sample_rate_hz=16_000, channels=("citizen",))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for it; a minute, since a busy machine is no failure."""
    try:
        async with asyncio.timeout(60):
            while not is_so():  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError("it never came to that") from None


class Board:
    """A switchboard with a real journal, whose database can be made to refuse every write."""

    def __init__(self, engine: Engine, clock: Clock, folder: Path, **parts: Any):
        self.told: list[Entry] = []
        self.is_full = False
        self.admitted: set[str] = set()
        self.records = Records(engine)
        self.journal = Journal(engine, self.told.extend)
        self.journal.start()
        assistant = parts.get("assistant") or ScriptedAssistant()
        options = SwitchboardOptions(retry_s=0.02, min_free_bytes=0, **parts.get("options", {}))
        self.switchboard = Switchboard(
            journal=self.journal,
            records=self.records,
            engines=Engines(
                recognise=parts.get("recognise", hear_seconds),
                admit=self.admitted.add,
                release=self.admitted.discard,
                lag_s=lambda call_id: 0.0,
                search=parts.get("search", find_nothing),
            ),
            open_assistant=lambda call_id: assistant,
            publish=lambda partial, operator_id: None,
            tapes=parts.get("tapes") or Tapes(folder),
            clock=clock,
            options=lambda: options,
            line_options=LineOptions(),
            elapsed_s=parts.get("elapsed_s", lambda: clock().timestamp()),
        )
        event.listen(engine, "checkout", self._set_full)

    def _set_full(self, connection: Any, *_: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute(f"PRAGMA query_only = {int(self.is_full)}")
        else:  # the adapter of PostgreSQL's driver
            connection.driver_connection.read_only = self.is_full

    async def close(self) -> None:
        await self.switchboard.close()
        await self.journal.stop()

    async def state(self, wanted: CallState) -> None:
        await until(lambda: (found := self.records.call("c-1")) is not None and found.state is wanted)

    def texts(self) -> list[str]:
        return [line.text for line in self.records.view(Stream.call("c-1")).segments.values()]
