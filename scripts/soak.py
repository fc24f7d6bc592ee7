"""A long run under load: does anything grow, get slower, get lost.

In: recordings, another data folder to begin with, how long and how many calls.
Out: samples over time, what was lost or doubled, as one report in JSON form.
Not known here: how a figure of a call is computed, how anything is drawn.

Beside the calls the knowledge is published again and again, and screens come, leave, and stop reading.
"""

import asyncio
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect

from agent_ui.kb_bodies import ArticleContent
from calls.records import Records
from calls.types import Stream
from knowledge_base.database import open_database
from scripts.bench_figures import Figures, PlayedCall, percentile
from scripts.bench_lines import Outcome, Plan, Track, play
from scripts.kills.callers import GONE
from scripts.kills.checking import check_record, finals_of
from scripts.kills.episode import free_port, furnish, until_ready
from scripts.kills.real import start_real
from scripts.kills.screens import Seen

_STARTS_WITHIN_S = 180.0
_SCREENS = 4
_WATCHED = (
    *("zhiting_lag_seconds", "zhiting_journal_waiting", "zhiting_journal_failures_total", "zhiting_screens"),
    *("zhiting_calls_running", "zhiting_ears_oldest_final_seconds", "zhiting_ears_failed_total"),
    *("zhiting_webhooks_waiting", "zhiting_ears_load"),
)
_SUMMED = ("zhiting_ears_queued", "zhiting_errors_total", "zhiting_calls_degraded_total")
"""Over all their labels."""
_MB = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is tried."""

    tracks: Sequence[Track]
    shared: Path
    seconds: float
    calls: int
    publish_every_s: float = 600.0
    sample_every_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at the server."""

    at_s: float
    rss_mb: float
    handles: int
    threads: int
    disk_mb: float
    """Of the data folder, weights left out."""
    figures: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One publish of a changed article."""

    at_s: float
    took_s: float
    ended: str
    title: str


@dataclass(slots=True, kw_only=True)
class Soak:
    """What came of it."""

    calls: int
    seconds: float
    samples: list[Sample] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    screens: int = 0
    """How many came and left."""
    windows: list[dict[str, float | None]] = field(default_factory=list)
    """Lags by the five minutes in which a call began."""
    report: dict[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """All of it."""
        return asdict(self)


async def soak(wish: Wish, on_sample: Callable[[Sample], None]) -> Soak:
    """Run it. Raises `RuntimeError` where the server does not start."""
    told = Soak(calls=wish.calls, seconds=wish.seconds)
    with tempfile.TemporaryDirectory(prefix="zhiting-soak-") as folder:
        data_dir = Path(folder) / "data"
        furnish(data_dir, wish.shared)
        async with _server(data_dir) as (address, process):
            began = asyncio.get_running_loop().time()
            outcome = await _beside(
                play(
                    wish.tracks,
                    Plan(server=address, token=None, calls=wish.calls, seconds=wish.seconds, has_churn=True),
                ),
                _sample(wish, told, address, process, data_dir, began, on_sample),
                _publish(wish, told, address, began),
                *(_look_on(address, told, Random(number)) for number in range(_SCREENS)),  # noqa: S311
            )
        told.windows = _windows(outcome.played, began)
        told.report = _report(told, outcome, await asyncio.to_thread(_check, data_dir, outcome.played))
    return told


async def _beside(main: Awaitable[Outcome], *others: Awaitable[None]) -> Outcome:
    """Wait for the first; the others go on as long."""
    tasks = [asyncio.ensure_future(other) for other in others]
    try:
        return await main
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _server(data_dir: Path) -> AsyncIterator[tuple[str, psutil.Process]]:
    port = free_port()
    log = data_dir.with_suffix(".log")
    process = start_real(data_dir, port, log, 60.0)
    waiting = asyncio.create_task(asyncio.to_thread(process.wait))
    try:
        if not await until_ready(port, process.pid, _STARTS_WITHIN_S):
            raise RuntimeError(log.read_text(errors="replace")[-2000:])
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        await waiting


async def _sample(
    wish: Wish,
    told: Soak,
    address: str,
    process: psutil.Process,
    data_dir: Path,
    began: float,
    on_sample: Callable[[Sample], None],
) -> None:
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as client:
        while True:
            with suppress(httpx.TransportError):
                text = (await client.get("/metrics")).text
                sample = Sample(
                    at_s=round(loop.time() - began, 1),
                    rss_mb=round(process.memory_info().rss / _MB, 1),
                    handles=process.num_fds(),
                    threads=process.num_threads(),
                    disk_mb=round(await asyncio.to_thread(_size, data_dir) / _MB, 1),
                    figures=_figures(text),
                )
                told.samples.append(sample)
                on_sample(sample)
            await asyncio.sleep(wish.sample_every_s)


def _figures(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in _WATCHED:
                found[sample.name] = sample.value
            elif sample.name in _SUMMED:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def _size(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):  # links, such as the one to the weights, are not followed
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(root) / name).lstat().st_size
    return total


async def _publish(wish: Wish, told: Soak, address: str, began: float) -> None:
    """Change one article after the other and publish, again and again."""
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
        while True:
            await asyncio.sleep(wish.publish_every_s)
            asked_at = loop.time()
            title = await _change(client, len(told.published))
            (await client.post("/v1/kb/publish")).raise_for_status()
            while (state := (await client.get("/v1/kb/publish")).json())["is_running"]:  # noqa: ASYNC110
                await asyncio.sleep(1.0)
            took_s = round(loop.time() - asked_at, 1)
            told.published.append(
                Published(at_s=round(asked_at - began, 1), took_s=took_s, ended=state["stage"], title=title)
            )


async def _change(client: httpx.AsyncClient, number: int) -> str:
    """Give an article a new title, so that its passages are embedded anew; returns it."""
    found = await client.get("/v1/articles", params={"offset": number, "limit": 1})
    article = found.raise_for_status().json()["articles"][0]
    path = f"/v1/articles/{article['article_id']}"
    known = await client.get(path)
    title = f"{article['title']}（第{number + 1}次修订）"
    content = {name: value for name, value in known.json().items() if name in ArticleContent.model_fields}
    changed = content | {"title": title}
    (await client.put(path, json=changed, headers={"If-Match": known.headers["etag"]})).raise_for_status()
    return title


async def _look_on(address: str, told: Soak, chance: Random) -> None:
    """Screens that come, look for a while, and leave; one in four does not read what it is sent."""
    ws = address.replace("http", "ws")
    while True:
        path = chance.choice(["/v1/screens/calls", "/v1/screens/hall", "/v1/screens/operators/001"])
        stays_s = chance.uniform(1.0, 30.0)
        with suppress(*GONE):
            async with connect(ws + path, compression=None, proxy=None, max_size=None) as screen:
                told.screens += 1
                if chance.random() < 0.25:
                    await asyncio.sleep(stays_s)
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(stays_s):
                        async for _ in screen:
                            pass
        await asyncio.sleep(chance.uniform(0.0, 2.0))


def _windows(played: Sequence[PlayedCall], began: float) -> list[dict[str, float | None]]:
    by_window: dict[int, Figures] = {}
    for call in played:
        by_window.setdefault(int((call.began_s - began) // 300), Figures()).add(call)
    return [
        {
            "from_s": window * 300.0,
            "final_lag_p50_s": percentile(figures.final_lags_s, 50),
            "final_lag_p95_s": percentile(figures.final_lags_s, 95),
        }
        for window, figures in sorted(by_window.items())
    ]


def _check(data_dir: Path, played: Sequence[PlayedCall]) -> list[str]:
    """Hold what the screens showed against the record: all finals, and nothing else."""
    found = check_record(data_dir / "zhiting.db", Seen())
    engine = open_database(data_dir / "zhiting.db")
    records = Records(engine)
    for call in played:
        on_record = {
            one.segment_id: one.text
            for one in finals_of(records.read(Stream.call(call.call_id), since=0, limit=10_000))
        }
        shown = {one.segment_id: one.text for one in call.shown if one.is_final}
        if lost := [one for one in shown if shown[one] != on_record.get(one)]:
            found.append(f"{call.call_id}: shown and not on record, or otherwise: {lost}")
        if unshown := [one for one in on_record if on_record[one] and one not in shown]:
            found.append(f"{call.call_id}: on record and never shown: {unshown}")
    engine.dispose()
    return found


def _report(told: Soak, outcome: Outcome, faults: list[str]) -> dict[str, object]:
    figures = Figures()
    for call in outcome.played:
        figures.add(call)
    settled = [sample for sample in told.samples if sample.at_s >= min(600.0, told.seconds / 3)]
    rss = [sample.rss_mb for sample in settled]
    half = len(rss) // 2
    return {
        "ended_at": time.strftime("%Y-%m-%d %H:%M"),
        "played_calls": len(outcome.played),
        "vanished": outcome.vanished,
        "refused": len(outcome.refusals),
        "broken": outcome.broken[:5],
        "final_lag_p50_s": percentile(figures.final_lags_s, 50),
        "final_lag_p95_s": percentile(figures.final_lags_s, 95),
        "final_lag_max_s": percentile(figures.final_lags_s, 100),
        "speech_s": round(figures.speech_s, 1),
        "lost_s": round(figures.lost_s, 2),
        "doubled_s": round(figures.doubled_s, 2),
        "dropped_s": round(figures.dropped_s, 2),
        "rss_first_half_mb": round(statistics.median(rss[:half]), 1) if half else None,
        "rss_second_half_mb": round(statistics.median(rss[half:]), 1) if half else None,
        "rss_peak_mb": max(rss, default=None),
        "handles": [
            min((s.handles for s in settled), default=0),
            max((s.handles for s in settled), default=0),
        ],
        "threads": [
            min((s.threads for s in settled), default=0),
            max((s.threads for s in settled), default=0),
        ],
        "sent_late_s": round(outcome.late_s, 3),
        "faults": faults[:20],
        "faults_in_all": len(faults),
    }
