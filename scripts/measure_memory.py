"""Measures whether anything in the server grows with the calls that are over. No weights are needed.

In: how many calls, in how many rounds. Out: after each round what the process holds when nothing goes on any
more: memory, garbage that was waiting to be collected, and types and containers that grew in every round.
Not known here: how calls are played; another process does that.

    python -m scripts.measure_memory --calls 1000 --rounds 5

Everything but the models is the server's own (scripts/talking_ears.py).
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import traceback
import tracemalloc
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_ui.house import House
from agent_ui.listening import listen
from agent_ui.settings import Settings
from asr.footprint import limit_footprint, set_aside
from calls.ingest.websocket import MAX_MESSAGE_BYTES
from scripts.heap import Look, growing, look
from scripts.talking_ears import open_talking_engines
from server import create_app

_ROOT = Path(__file__).parents[1]
_QUIET_S = 3.0
"""What goes on after the last call has ended for the callers: packing, scoring, indexing."""
EXPECTED = (
    *("insight.hall.", "agent_ui.hall_events."),  # rows of the day: emptied at midnight
    "agent_ui.hall_line.",  # what boards may have missed: its newest events
    *(
        "insight.clusters.",
        "insight.warning.",
    ),  # what the early warning remembers: so many reports, so many days
    "calls.wrapup.gazetteer.Gazetteer._near_first",  # a syllable each
)
"""What is bounded otherwise than by the calls that run."""


class Rounds:
    """Calls in rounds, a look after each."""

    def __init__(self, *, calls: int, rounds: int, more: tuple[str, ...] = ()) -> None:
        """`more` are arguments for those who play the calls."""
        self.looks: list[Look] = []
        self.traces: list[tracemalloc.Snapshot] = []
        self._address: asyncio.Future[str] = asyncio.get_event_loop().create_future()
        self._calls, self._rounds, self._more = calls, rounds, more

    def ready(self, address: str) -> None:
        """The server listens."""
        self._address.set_result(address)

    async def play(self, house: House, on_look: Callable[[Look], None]) -> None:
        """Play, look, tell."""
        address = await self._address
        each = self._calls // self._rounds
        for number in range(self._rounds):
            await self._round(address, f"m{number}", each)
            while house.switchboard.running:  # noqa: ASYNC110 - lines that were cut tell nobody
                await asyncio.sleep(0.1)
            await asyncio.sleep(_QUIET_S)
            self.looks.append(look((number + 1) * each))
            if tracemalloc.is_tracing():
                self.traces.append(tracemalloc.take_snapshot())
            on_look(self.looks[-1])

    async def _round(self, address: str, name: str, calls: int) -> None:
        command = [sys.executable, "-m", "scripts.talking_calls", address, "--name", name]
        playing = await asyncio.create_subprocess_exec(
            *command,
            f"--calls={calls}",
            *self._more,
            cwd=_ROOT,
            env=dict(os.environ) | {"PYTHONPATH": str(_ROOT)},
        )
        if await playing.wait():
            raise RuntimeError("the calls could not be played")


def unexpected(looks: list[Look], *, least: float) -> dict[str, float]:
    """What grows and should not."""
    return {name: each for name, each in growing(looks, least=least).items() if not name.startswith(EXPECTED)}


def main(
    calls: Annotated[int, typer.Option(min=2)] = 1000,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    at_once: Annotated[int, typer.Option(min=1)] = 8,
    seconds: Annotated[float, typer.Option(min=1.0, help="Of sound in each call.")] = 12.0,
    speed: Annotated[float, typer.Option(min=0.1, help="1 is the speed of speech.")] = 12.0,
    database: Annotated[str, typer.Option(help="Of PostgreSQL; empty: SQLite.")] = "",
    trace: Annotated[bool, typer.Option(help="Tell where what was added was allocated; slow.")] = False,
) -> None:
    """Play, look, tell what grew."""
    if trace:
        tracemalloc.start(12)
    limit_footprint()
    told: list[Rounds] = []

    def beside(house: House) -> Coroutine[Any, Any, None]:
        told.append(
            Rounds(
                calls=calls,
                rounds=rounds,
                more=(f"--at-once={at_once}", f"--seconds={seconds}", f"--speed={speed}"),
            )
        )
        return _and_stop(told[0], house)

    def ready(address: str) -> None:
        set_aside()
        told[0].ready(address)

    with tempfile.TemporaryDirectory(prefix="zhiting-memory-") as folder:
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            data_dir=Path(folder),
            database_url=database,
            open=True,
            port=0,
            allow_hub=False,
        )
        listen(
            create_app(settings, open_talking_engines, beside=beside),
            host="127.0.0.1",
            port=0,
            max_message_bytes=MAX_MESSAGE_BYTES,
            on_ready=ready,
        )


async def _and_stop(rounds: Rounds, house: House) -> None:
    """The process ends with the server: the signal is passed on."""
    try:
        await rounds.play(house, _tell)
        typer.echo(json.dumps({"grows": unexpected(rounds.looks, least=0.1)}, indent=1))
        if len(rounds.traces) > 2:
            for line in rounds.traces[-1].compare_to(rounds.traces[1], "lineno")[:25]:
                typer.echo(str(line))
    except Exception:  # noqa: BLE001 - nobody else would tell
        traceback.print_exc()
    finally:
        signal.raise_signal(signal.SIGTERM)


def _tell(seen: Look) -> None:
    figures = {name: value for name, value in asdict(seen).items() if name not in ("objects", "held")}
    typer.echo(json.dumps(figures))


if __name__ == "__main__":
    typer.run(main)
