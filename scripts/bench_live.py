"""Measures a server under live calls, and finds how many it can carry.

In: reference calls, how many at once and for how long, limits.
Out: one report per run, in JSON form; the highest number of calls that kept the limits.
Not known here: how anything is printed, how a call is played, what a figure means.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from scripts.bench_figures import Figures, percentile
from scripts.bench_lines import Outcome, Plan, Track, play
from scripts.bench_server import MeasuredServer, Usage, server_of_our_own

Report: TypeAlias = dict[str, Any]
_RECOVERS_WITHIN_S = 30.0
MOST_CALLS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What is measured, and where."""

    tracks: Sequence[Track]
    seconds: float
    shared: Path
    """Data folder whose weights and knowledge base a server of our own uses."""
    server: str | None = None
    """Address of a server that runs already; None starts one for every run."""
    token: str | None = None
    has_churn: bool = False
    carrier: str | None = None
    """Protocol in which the calls come; None: our own."""
    max_calls: int | None = None
    """Calls that a server of our own admits; None leaves it to its settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a number of calls must keep to count as carried."""

    p95_final_s: float
    max_lost_share: float = 0.005
    """Of the reference speech."""

    def are_kept(self, report: Report) -> bool:
        """Whether the run kept them all and nobody was refused."""
        return (
            report["final_lag_p95_s"] is not None
            and report["final_lag_p95_s"] <= self.p95_final_s
            and not (report["refused"] or report["broken"] or report["dropped_s"])
            and report["lost"] <= self.max_lost_share * report["speech_s"]
        )


async def run_live(bench: Bench, calls: int) -> Report:
    """Play so many calls at once and report. Raises `ServerFailed`."""
    async with _server(bench) as server:
        usage = Usage()
        watching = asyncio.create_task(server.watch(usage))
        outcome = await play(
            bench.tracks,
            Plan(
                server=server.address,
                token=bench.token,
                calls=calls,
                seconds=bench.seconds,
                has_churn=bench.has_churn,
                carrier=bench.carrier,
            ),
        )
        watching.cancel()
        recovered_s = await _recovered_s(server)
    return _report(bench, calls, outcome, usage) | {"recovered_s": recovered_s}


async def find_capacity(
    run: Callable[[int], Awaitable[Report]], limits: Limits, *, first: int
) -> tuple[int, list[Report]]:
    """Find the highest number of calls that keeps the limits: doubled until it fails, then halved in on.

    Gives 0 where not even one call does. The answer is exact to about an eighth of itself.
    """
    reports: list[Report] = []

    async def is_carried(calls: int) -> bool:
        report = await run(calls)
        reports.append(report | {"kept": limits.are_kept(report)})
        return limits.are_kept(report)

    carried, failed = 0, first
    while failed <= MOST_CALLS and await is_carried(failed):
        carried, failed = failed, failed * 2
    while failed - carried > max(1, carried // 8):
        middle = (carried + failed) // 2
        if await is_carried(middle):
            carried = middle
        else:
            failed = middle
    return carried, reports


@asynccontextmanager
async def _server(bench: Bench) -> AsyncIterator[MeasuredServer]:
    if bench.server is not None:
        yield MeasuredServer(address=bench.server.rstrip("/"))
        return
    async with server_of_our_own(bench.shared, max_calls=bench.max_calls) as server:
        yield server


async def _recovered_s(server: MeasuredServer) -> float | None:
    """How long after the last call the server takes new ones again; None: not within half a minute."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < _RECOVERS_WITHIN_S:
        if await server.is_ready():
            return round(loop.time() - began, 1)
        await asyncio.sleep(0.5)
    return None


def _report(bench: Bench, calls: int, outcome: Outcome, usage: Usage) -> Report:
    figures = Figures()
    for call in outcome.played:
        figures.add(call)
    lags, firsts = figures.final_lags_s, figures.first_lags_s
    changed = figures.changed_characters / figures.shown_characters if figures.shown_characters else None
    return {
        "calls": calls,
        "carrier": bench.carrier,
        "minutes": round(bench.seconds / 60, 2),
        "final_lag_p50_s": percentile(lags, 50),
        "final_lag_p95_s": percentile(lags, 95),
        "final_lag_max_s": percentile(lags, 100),
        "first_partial_p50_s": percentile(firsts, 50),
        "first_partial_p95_s": percentile(firsts, 95),
        "partial_cadence_p50_s": percentile(figures.cadences_s, 50),
        "changed_share": None if changed is None else round(changed, 4),
        "turns": len(lags) + figures.lost_turns,
        "speech_s": round(figures.speech_s, 1),
        "lost": round(figures.lost_s, 2),
        "lost_turns": figures.lost_turns,
        "doubled": round(figures.doubled_s, 2),
        "dropped_s": round(figures.dropped_s, 2),
        "played_calls": len(outcome.played),
        "recordings": sorted({call.reference.call_id for call in outcome.played}),
        "refused": len(outcome.refusals),
        "refused_with": sorted(set(outcome.refusals)),
        "unserved_lines": outcome.unserved_lines,
        "vanished": outcome.vanished,
        "broken": len(outcome.broken),
        "broken_with": outcome.broken[:5],
        "sent_late_s": round(outcome.late_s, 3),
        "cpu_percent": usage.cpu_percent,
        "peak_rss_mb": usage.peak_rss_mb,
        "rss_mb": _curve(usage.rss_mb),
        "cer_streamed": figures.errors.rate,
    }


def _curve(rss_mb: Sequence[float]) -> list[float]:
    """Memory over time at some twenty moments, from first to last."""
    if not rss_mb:
        return []
    step = max(1, len(rss_mb) // 20)
    return [round(value, 1) for value in [*rss_mb[::step], rss_mb[-1]]]
