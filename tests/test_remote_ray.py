"""Ears as actors of a real Ray: processes and machines are killed, and nothing is lost or doubled."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from asr.pool_options import PoolOptions
from asr.recordings import decode_file
from asr.remote.decoder import RemoteDecoder
from asr.remote.link import ProcessLink
from asr.remote.opening import open_here, open_remote
from asr.remote.types import RemoteOptions
from asr.transcriber import WhisperOptions
from asr.types import Hypothesis, Party
from asr.worker import RecognitionPool
from models.cache import resolve
from tests.asr_parts import SPEECH, until, utterance
from tests.ear_parts import FINGERPRINT
from tests.real_server import environment

pytest.importorskip("ray")
pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

_ROOT = Path(__file__).parent.parent
_STARTS_S = 240.0  # a process with Ray in it, on a machine that has other things to do
_STORE = {"object_store_memory": 80 * 1024**2}
Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def cluster() -> Iterator["Cluster"]:  # noqa: F821 - named where it is imported
    """A head with a core, and another machine with one."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    cluster = _started()
    try:
        cluster.add_node(num_cpus=1, **_STORE)
        yield cluster
    finally:
        cluster.shutdown()


def _started() -> "Cluster":  # noqa: F821
    """Ray gives up its own start on a machine that is very busy; it is asked up to three times."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, **_STORE}
    why: Exception | None = None
    for _ in range(3):
        cluster = Cluster()
        try:
            cluster.add_node(**head)
        except Exception as error:  # noqa: BLE001 - whatever Ray raises there is no error of ours
            why = error
            cluster.shutdown()
        else:
            return cluster
    pytest.skip(f"Ray does not start here: {why}")


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts a module as a process; whatever still runs in the end is killed."""
    begun: list[subprocess.Popen[str]] = []

    def start(*command: str, data_dir: Path | None = None) -> "subprocess.Popen[str]":
        kept = environment(data_dir or _ROOT)
        kept.pop("RAY_ADDRESS", None)
        begun.append(subprocess.Popen([sys.executable, "-m", *command], cwd=_ROOT, env=kept, text=True))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.wait()


@asynccontextmanager
async def pool_at(address: str) -> AsyncIterator[tuple[RecognitionPool, RemoteDecoder, ProcessLink]]:
    # a batch is never taken for lost here because the machine is slow
    options = RemoteOptions(
        address=address, fingerprint=FINGERPRINT, again_after_s=600, lost_after_s=600, silent_s=300
    )
    link = ProcessLink(address, silent_s=options.silent_s)
    decoder = RemoteDecoder(link, options)
    async with RecognitionPool(decoder, PoolOptions()) as pool:
        yield pool, decoder, link


def finals(pool: RecognitionPool, count: int) -> list["asyncio.Task[Hypothesis]"]:
    """Each of another length, by which it is known again, and too long for company."""
    return [
        asyncio.ensure_future(pool.recognise(utterance(8.0 + n / 10, number=n, call_id=f"C{n}")))
        for n in range(count)
    ]


def texts(count: int) -> list[str]:
    return [f"有{8.0 + n / 10:.3f}秒" for n in range(count)]


def working_on(folder: Path) -> set[int]:
    """Those that have begun a final; the warm-up is shorter."""
    return {
        int(path.name.rpartition("-")[2])
        for path in folder.glob("begun-*")
        if int(path.name.split("-")[1]) >= 8 * 16_000
    }


async def test_a_killed_ear_is_replaced_and_its_work_done_by_another(
    cluster: "Cluster",  # noqa: F821
    begin: Begin,
    tmp_path: Path,
) -> None:
    keeper = begin("tests.ear_keeping", cluster.address, str(tmp_path), "2")
    async with pool_at(cluster.address) as (pool, decoder, link):
        await until(lambda: pool.places == 2, wait_s=_STARTS_S)
        assert decoder.figures().calls == 16
        (tmp_path / "hold").touch()
        hearing = finals(pool, 6)
        await until(lambda: len(working_on(tmp_path)) == 2)
        os.kill(min(working_on(tmp_path)), signal.SIGKILL)
        await until(lambda: decoder.figures().lost == 1)
        (tmp_path / "hold").unlink()
        assert [one.text for one in await asyncio.gather(*hearing)] == texts(6)
        assert (pool.stats().finals, pool.stats().failed, decoder.figures().redone) == (6, 0, 1)
        await until(lambda: pool.places == 2, wait_s=_STARTS_S)

        # another server has calls, too, and uses the same ears
        async with pool_at(cluster.address) as (other, others, _):
            await until(lambda: other.places == 2, wait_s=_STARTS_S)
            pool.admit("C1")
            await until(lambda: others.figures().calls == 15)
            assert [one.text for one in await asyncio.gather(*finals(other, 2))] == texts(2)

        # what stands between us and Ray may die, too
        (tmp_path / "hold").touch()
        hearing = finals(pool, 3)
        await until(lambda: pool.stats().queued_finals == 1)
        assert link.pid is not None
        os.kill(link.pid, signal.SIGKILL)
        await until(lambda: not decoder.figures().is_linked)
        (tmp_path / "hold").unlink()
        assert [one.text for one in await asyncio.gather(*hearing)] == texts(3)

        # told to stop, it lets its ears leave
        keeper.terminate()
        await until(lambda: pool.places == 0)
        assert await asyncio.to_thread(keeper.wait, 120) == 0
        await until(lambda: not decoder.figures().ears)
        assert not pool.has_room


async def test_a_machine_is_lost_in_mid_run(
    cluster: "Cluster",  # noqa: F821
    begin: Begin,
    tmp_path: Path,
) -> None:
    begin("tests.ear_keeping", cluster.address, str(tmp_path), "spread")
    async with pool_at(cluster.address) as (pool, decoder, _):
        await until(lambda: pool.places == 2, wait_s=_STARTS_S)
        (tmp_path / "hold").touch()
        hearing = finals(pool, 8)
        await until(lambda: len(working_on(tmp_path)) == 2)
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
        await until(lambda: pool.places == 1)
        (tmp_path / "hold").unlink()
        assert [one.text for one in await asyncio.gather(*hearing)] == texts(8)
        figures, stats = decoder.figures(), pool.stats()
        assert (stats.finals, stats.failed, figures.redone) == (8, 0, 1)
        assert sum(one.state == "ready" for one in figures.ears) == 1


@pytest.mark.weights
async def test_real_ears_hear_what_this_process_would(
    cluster: "Cluster",  # noqa: F821
    begin: Begin,
    tmp_path: Path,
) -> None:
    weights = resolve("whisper-base", cache_dir=_ROOT / "var" / "models", allow_hub=False)
    (tmp_path / "models").symlink_to(_ROOT / "var" / "models")
    begin("scripts.cli", "ears", "--address", cluster.address, "--workers", "1", data_dir=tmp_path)
    whisper = WhisperOptions(device="cpu", workers=1, threads=1)
    sound = decode_file(SPEECH, (Party.CITIZEN, Party.OPERATOR))
    spoken = [
        replace(utterance(9.0, number=n, call_id=f"C{n}"), samples=samples[: 9 * 16_000])
        for n, samples in enumerate(sound.values())
    ]
    remote = open_remote(weights, whisper, address=cluster.address)
    async with RecognitionPool(remote.decoder, PoolOptions()) as pool:
        await until(lambda: pool.places == 1, wait_s=_STARTS_S)
        there = [await pool.recognise(one) for one in spoken]
    async with RecognitionPool(open_here(weights, whisper).transcriber, PoolOptions(workers=1)) as pool:
        here = [await pool.recognise(one) for one in spoken]
    assert there == here
    assert any(one.text for one in there)
