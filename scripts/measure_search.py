"""Measures the search over calls: size of the index, how fast it catches up, how long questions take.

In: how many calls of how many lines. Out: figures as a table or as JSON.
Not known here: recognition; what is measured runs beside whatever else the machine does.

    python -m scripts.measure_search --calls 100000 --lines 20 --json

The lines are the written dialogues' and the sample articles', cut and joined anew with places of the
gazetteer and random numbers, so that words are about as frequent as in a hotline's calls and hardly two lines
alike. They go into the tables of facts directly, since only the index is measured; while the last of them are
taken in by the follower, facts of a live call are written through the journal, to see how long those wait.
"""

import asyncio
import json
import os
import random
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from asr.terms import sample_terms
from asr.types import Party, Segment
from calls.facts import to_payload
from calls.journal import Journal
from calls.search.follower import AT_ONCE, follow
from calls.search.index import FullTextIndex
from calls.search.types import By, Order, Source, Voice, Wish
from calls.types import Call, CallEnded, CallStarted, CallState, EndReason, Fact, SegmentShown, Stream
from knowledge_base.database import migrate, open_database
from knowledge_base.importer import load_sample
from scripts.dialogues import read_dialogues

_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
_CLAUSE = re.compile(r"[^，。！？；、\s]+[，。！？；、]?")
_LIVE_EVERY_S = 0.1
_BESIDE = 20_000
"""Facts that are taken in while a live call writes."""

QUESTIONS: dict[str, Wish] = {
    "a word of three characters": Wish(text="公积金"),
    "a word of two characters": Wish(text="路灯"),
    "one character": Wish(text="灯"),
    "the most common character": Wish(text="的"),
    "a greeting that most calls have": Wish(text="您好"),
    "two words": Wish(text="公积金 提取"),
    "two words, best first": Wish(text="公积金 提取", order=Order.BEST),
    "three words": Wish(text="小区 物业 停车"),
    "a whole sentence": Wish(text="请问有什么可以帮您"),
    "five digits of a number": Wish(text="13900"),
    "by sound": Wish(text="攻击尽", by=By.SOUND),
    "by sound, two words": Wish(text="攻击尽 提曲", by=By.SOUND),
    "by sound, one syllable": Wish(text="灯", by=By.SOUND),
    "the citizen's words of one month": Wish(
        text="停水", voice=Voice.CITIZEN, since=_FIRST, before=_FIRST + timedelta(days=30)
    ),
    "recordings at one seat": Wish(text="噪音", operator_id="007", source=Source.RECORDING),
    "nothing is found": Wish(text="齉龘靐"),
}


def main(
    calls: Annotated[int, typer.Option(min=10)] = 100_000,
    lines: Annotated[int, typer.Option(min=2)] = 20,
    times: Annotated[int, typer.Option(min=2, help="How often each question is asked.")] = 20,
    folder: Annotated[Path | None, typer.Option(help="Kept, and used again if it is there.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Fill a database, index it, ask."""
    with tempfile.TemporaryDirectory() as temporary:
        path = (folder or Path(temporary)) / "zhiting.db"
        is_new = not path.exists()
        engine = open_database(path)
        migrate(engine)
        figures: dict[str, Any] = {"calls": calls, "lines": calls * lines, "load": os.getloadavg()[0]}
        if is_new:
            figures |= fill(path, engine, calls, lines)
        index = FullTextIndex(engine)
        figures["questions"] = {name: asked(index, wish, times) for name, wish in QUESTIONS.items()}
        engine.dispose()
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False, indent=1))
        return
    for name, value in figures.items():
        if name != "questions":
            typer.echo(f"{name}: {value}")
    for name, told in figures["questions"].items():
        typer.echo(f"{name}: {told}")


def fill(path: Path, engine: Engine, calls: int, lines: int) -> dict[str, Any]:
    """Write the facts and take them in."""
    last = write_facts(path, calls, lines)
    facts_mb = megabytes(path)
    index = FullTextIndex(engine)
    began = time.monotonic()
    taken, batches_s = 0, []
    while taken < last - _BESIDE:
        start = time.monotonic()
        taken += index.catch_up(limit=AT_ONCE)
        batches_s.append(time.monotonic() - start)
    took_s = time.monotonic() - began
    alone_ms, _ = asyncio.run(live_waits(engine, None))
    beside_ms, beside_s = asyncio.run(live_waits(engine, index))
    return {
        "facts_mb": facts_mb,
        "index_mb": round(megabytes(path) - facts_mb, 1),
        "lines_per_s": round(taken / took_s) if took_s else None,
        "batch_ms": percentiles([1000 * one for one in batches_s]) if batches_s else None,
        "followed_facts_per_s": round(min(_BESIDE, last) / beside_s),
        "live_fact_alone_ms": percentiles(alone_ms),
        "live_fact_beside_ms": percentiles(beside_ms),
    }


def write_facts(path: Path, calls: int, lines: int) -> int:
    """Write the facts of so many calls, a thousand calls at a time; returns the last fact's number."""
    dice = random.Random(7)  # noqa: S311 - the same lines every time
    make_line = line_maker(dice)
    connection = sqlite3.connect(path)
    total = 0
    for first in range(0, calls, 1000):
        rows = [
            (f"c-{number}", fact.type, at.isoformat(), json.dumps(to_payload(fact), ensure_ascii=False))
            for number in range(first, min(calls, first + 1000))
            for at, fact in one_call(number, lines, make_line, dice)
        ]
        with connection:
            connection.executemany("INSERT INTO facts (call_id, type, at, payload) VALUES (?, ?, ?, ?)", rows)
        total += len(rows)
    connection.close()
    return total


def one_call(
    number: int, lines: int, make_line: Callable[[], str], dice: random.Random
) -> Iterator[tuple[datetime, Fact]]:
    """The facts of one call: it begins, lines of either party, it ends."""
    call_id, at = f"c-{number}", _FIRST + timedelta(minutes=5 * number)
    call = Call(
        call_id=call_id,
        state=CallState.LIVE,
        started_at=at,
        operator_id=f"{dice.randrange(60):03}",
        caller=f"139{dice.randrange(10**8):08}",
    )
    yield at, CallStarted(call=call)
    for line in range(lines):
        party = (Party.OPERATOR, Party.CITIZEN)[line % 2]
        text = make_line()
        segment = Segment(
            call_id=call_id,
            segment_id=f"{party}-{line // 2 + 1}",
            party=party,
            start_s=6.0 * line,
            end_s=6.0 * line + 5,
            text=text,
            raw_text=text,
            is_final=True,
            avg_logprob=-0.3,
        )
        yield at, SegmentShown(segment=segment)
    reason = EndReason.RECORDED if number % 2 else EndReason.HANGUP
    yield at, CallEnded(reason=reason, seconds=6.0 * lines)


def line_maker(dice: random.Random) -> Callable[[], str]:
    """A function that says something that somebody could have said."""
    said = [turn.text for call in read_dialogues("train") for turn in call.turns]
    said += [sentence for article in load_sample() for sentence in (article.body, *article.questions)]
    clauses = [clause for sentence in said for clause in _CLAUSE.findall(sentence)]
    places = [term.text for term in sample_terms()]

    def make() -> str:
        parts = dice.choices(clauses, k=dice.randint(1, 4))
        if dice.random() < 0.3:
            parts.insert(1, dice.choice(places))
        if dice.random() < 0.1:
            parts.append(f"1{dice.randrange(10**10):010}")
        return "".join(parts)

    return make


async def live_waits(engine: Engine, index: FullTextIndex | None) -> tuple[list[float], float]:
    """How long facts of a live call wait for the disk, in ms: alone, or until the index has caught up."""
    journal = Journal(engine, lambda entries: None)
    journal.start()
    call_id = f"live-{time.time_ns()}"
    call = Call(call_id=call_id, state=CallState.LIVE, started_at=_FIRST)
    waits: list[float] = []

    async def write(fact: Fact) -> None:
        began = time.monotonic()
        await journal.append(fact, call_id=call_id, streams=(Stream.call(call_id),), at=_FIRST)
        waits.append(1000 * (time.monotonic() - began))

    began = time.monotonic()
    following = asyncio.create_task(follow(index)) if index else None
    await write(CallStarted(call=call))
    segment = Segment(
        call_id=call_id,
        segment_id="citizen-1",
        party=Party.CITIZEN,
        start_s=0,
        end_s=1,
        text="我想问一下。",
        raw_text="",
        is_final=True,
    )
    number = 1
    while len(waits) < 100 or (index and is_behind(index)):
        number += 1
        await write(SegmentShown(segment=replace(segment, segment_id=f"citizen-{number}")))
        await asyncio.sleep(_LIVE_EVERY_S)
    took_s = time.monotonic() - began
    if following:
        following.cancel()
    await journal.stop()
    return waits, took_s


def is_behind(index: FullTextIndex) -> bool:
    """Whether more than a live call's own newest facts is missing."""
    return index.find(Wish(text="齉龘靐")).behind > 2 * AT_ONCE


def asked(index: FullTextIndex, wish: Wish, times: int) -> dict[str, Any]:
    """Ask several times; the first answer, from a cold cache of this connection, is among them."""
    waits = []
    for _ in range(times):
        began = time.monotonic()
        page = index.find(wish)
        waits.append(1000 * (time.monotonic() - began))
    return {"calls_found": page.total, "ms": percentiles(waits)}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """The middle, the 95th percentile, and the largest."""
    ordered = sorted(values)
    at = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
        for name, share in at.items()
    }


def megabytes(path: Path) -> float:
    """The size of the database, its log taken in."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return round(path.stat().st_size / 1e6, 1)


if __name__ == "__main__":
    typer.run(main)
