"""Nothing grows with the calls that are over, and the look that says so sees what does."""

import asyncio
import gc
import weakref
from datetime import UTC, datetime
from pathlib import Path

import httpx

from knowledge_base.versions import VersionFolder
from retrieval.publishing import publish
from retrieval.searcher import Searcher
from retrieval.serving import take_up
from scripts.heap import PACKAGES, Look, growing, look
from scripts.measure_memory import unexpected
from tests.house import START, House, receive, receive_until, running, send, sound
from tests.retrieval_parts import PairEmbedder, article

ROUNDS, CALLS = 4, 6


async def whole_call(house: House, client: httpx.AsyncClient, call_id: str) -> None:
    """A call with a screen, and a page that shows it afterwards."""
    async with (
        house.socket("/v1/calls/audio") as line,
        house.socket(f"/v1/screens/calls/{call_id}") as screen,
    ):
        await send(line, START | {"call_id": call_id, "operator_id": "027", "caller": "13900000000"})
        await receive(line)
        await line.send(sound(2.0))
        await send(line, {"type": "stop"})
        await receive_until(line, lambda message: message["type"] == "ended")
        await receive_until(screen, lambda event: event["type"] == "call.ended")
    for path in ("", "/record", "/wrapup"):
        assert (await client.get(f"/v1/calls/{call_id}{path}")).status_code == 200


async def test_what_is_over_leaves_nothing_behind(tmp_path: Path) -> None:
    looks = []
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        for n in range(ROUNDS):
            for number in range(CALLS):
                await whole_call(house, client, f"c-{n}-{number}")
            await asyncio.sleep(0)
            looks.append(look((n + 1) * CALLS))
    ours = {name: each for name, each in unexpected(looks, least=0.5).items() if name.startswith(PACKAGES)}
    assert ours == {}


class Ring:
    """What only the collector can find to be gone."""

    def __init__(self) -> None:
        self.me = self


def test_a_version_that_is_taken_up_hides_no_garbage(tmp_path: Path) -> None:
    embedder, versions = PairEmbedder(), VersionFolder(tmp_path)
    searcher = Searcher(embedder)
    publish([article()], embedder=embedder, folder=tmp_path, now=datetime(2026, 3, 5, tzinfo=UTC))
    set_aside, gone = gc.get_freeze_count(), weakref.ref(Ring())
    assert take_up(searcher, versions, embedder) is not None
    assert gc.isenabled()
    assert gc.get_freeze_count() == set_aside
    gc.collect()
    assert gone() is None
    searcher.close()


class Keeper:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.kept: dict[int, list[object]] = {}


Keeper.__module__ = "calls.keeper"


def test_what_grows_is_found() -> None:
    keeper, looks = Keeper(), []
    for number in range(4):
        for one in range(10):
            keeper.kept[10 * number + one] = [one]
        looks.append(look(10 * (number + 1)))
    assert growing(looks)["calls.keeper.Keeper.kept"] == 1.0
    assert "calls.keeper.Keeper" not in growing(looks)


def test_what_grows_once_or_by_chance_is_none() -> None:
    def told(*counts: int) -> list[Look]:
        return [
            Look(
                done=100 * number,
                rss_mb=0.0,
                dirty_mb=0.0,
                used_mb=0.0,
                free_mb=0.0,
                blocks=0,
                garbage=0,
                wasted={},
                objects={"x": count},
                held={},
            )
            for number, count in enumerate(counts, 1)
        ]

    assert growing(told(0, 100, 200, 300)) == {"x": 1.0}
    assert growing(told(0, 500, 500, 500)) == {}, "a cache that is full"
    assert growing(told(0, 100, 300, 200)) == {}
    assert growing(told(0, 100, 101, 102)) == {}
    assert growing(told(0, 100)) == {}
