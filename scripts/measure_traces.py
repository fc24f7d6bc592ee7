"""Measures what traces cost: the way of finals from the pool to the journal, without and with them.

In: how many finals. Out: processor time for each, of all threads, as a table or as JSON.
Not known here: recognition; a scripted engine hears the same in every clip.

    python -m scripts.measure_traces --finals 2000 --json

Eight calls say something at the same time; each of their finals goes through the pool, the journal on SQLite
and a search that finds nothing. Off and on take turns, so that what else the machine does is in both. With
traces on, spans are encoded and sent to a receiver on this machine, a process of its own, that forgets them.
"""

import asyncio
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from agent_ui.traced_finals import FinalTraces
from agent_ui.tracing import open_tracing
from agent_ui.watch_settings import TraceOptions
from asr.pool_options import PoolOptions
from asr.segments import segment_of
from asr.types import Hypothesis, Party, Samples, Utterance
from asr.worker import RecognitionPool
from calls.journal import Journal
from calls.types import SegmentShown, Stream
from knowledge_base.database import open_migrated
from retrieval.types import Findings, Query

_CALLS = 8
_SOUND: Samples = np.full(48_000, 0.1, dtype=np.float32)
_SAID = Hypothesis(text="我想问一下低保怎么申请", avg_logprob=-0.2, no_speech_prob=0.1)


class _Parrot:
    def transcribe(
        self, clips: Sequence[Samples], *, beam_size: int = 1, retry: bool = True, word_times: bool = False
    ) -> list[Hypothesis]:
        return [_SAID for _ in clips]


class _Forgetful(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass


def _receive(pipe: Connection) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Forgetful)
    pipe.send(server.server_address[1])
    server.serve_forever()


async def _say(finals: int, address: str, share: float, folder: Path) -> float:
    """Processor seconds for each final; without an address nobody looks."""
    database = open_migrated(folder / f"{time.monotonic_ns()}.db")
    journal = Journal(database, lambda entries: None)

    async def search(query: Query) -> Findings:
        return Findings(kb_version="v1", matches=())

    async def call(pool: RecognitionPool, call_id: str, traces: FinalTraces | None) -> None:
        find = traces.searching(search) if traces else search
        for number in range(1, finals // _CALLS + 1):
            utterance = Utterance(
                call_id=call_id,
                party=Party.CITIZEN,
                number=number,
                start_s=number,
                end_s=number + 3.0,
                samples=_SOUND,
                is_closed=True,
                voiced_s=3.0,
            )
            segment = segment_of(
                await pool.recognise(utterance),
                call_id=call_id,
                segment_id=utterance.segment_id,
                party=Party.CITIZEN,
                start_s=utterance.start_s,
                end_s=utterance.end_s,
                is_final=True,
                keep_fillers=True,
            )
            fact, streams = SegmentShown(segment=segment), (Stream.call(call_id), Stream.operator(call_id))
            await journal.append(fact, call_id=call_id, streams=streams, at=datetime.now(UTC))
            await find(Query(call_id=call_id, segment_id=segment.segment_id, text=segment.text, turns=()))

    async def all_calls(traces: FinalTraces | None) -> float:
        async with RecognitionPool(_Parrot(), PoolOptions(workers=2)) as pool:
            if traces is not None:
                pool.timing.listen(traces.heard)
            began = time.process_time()
            await asyncio.gather(*(call(pool, f"c-{number}", traces) for number in range(_CALLS)))
            return time.process_time() - began

    if not address:
        journal.start()
        used_s = await all_calls(None)
    else:
        options = TraceOptions(address=address, share=share)
        async with open_tracing(options, process_id="measured", most=100_000) as tracing:
            traces = FinalTraces(tracing)
            journal.start(traces.written)
            began = time.process_time()
            await all_calls(traces)
        used_s = time.process_time() - began  # what is sent at the end is part of it
        if lost := tracing.figures().lost:
            raise RuntimeError(f"{lost} spans were lost")
    await journal.stop()
    database.dispose()
    return used_s / finals


def main(
    finals: Annotated[int, typer.Option(min=80, help="In each round.")] = 2_000,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Say the processor time of a final without traces, with a tenth of them, and with all."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    receiver = multiprocessing.get_context("spawn").Process(target=_receive, args=(theirs,), daemon=True)
    receiver.start()
    address = f"http://127.0.0.1:{ours.recv()}"
    ways = {"off": ("", 0.0), "a tenth": (address, 0.1), "all": (address, 1.0)}
    used: dict[str, list[float]] = {name: [] for name in ways}
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, (where, share) in ways.items():
                used[name].append(asyncio.run(_say(finals, where, share, Path(folder))) * 1e6)
    receiver.terminate()
    told = {
        "finals": finals,
        "rounds": rounds,
        "load": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "cpu_us_per_final": {
            name: {
                "median": round(statistics.median(all_)),
                "least": round(min(all_)),
                "most": round(max(all_)),
            }
            for name, all_ in used.items()
        },
    }
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    table = Table("traces", "median", "least", "most", title="µs of processor time for each final")
    for name, figures in told["cpu_us_per_final"].items():  # type: ignore[attr-defined]
        table.add_row(name, *map(str, figures.values()))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
