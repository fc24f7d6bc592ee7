"""Results on shared storage, and the lease that lets one driver at a time work with them."""

import itertools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from asr.batch.cluster.checkpoints import Checkpoints
from asr.batch.cluster.lease import Lease, LeaseTimes, is_there
from asr.batch.cluster.types import CheckpointsTaken, ClusterError
from asr.batch.owner import is_alive, name_owner
from asr.batch.types import FileFacts, Piece, Refusal, Transcript
from asr.types import Hypothesis, Party

QUICK = LeaseTimes(beat_s=0.1, silent_s=0.6, settled_s=0.05)
TRANSCRIPT = Transcript(
    facts=FileFacts(
        seconds=3.5,
        parties=(Party.CITIZEN, Party.OPERATOR),
        source_channels=2,
        is_alike=False,
        is_truncated=False,
        utterances=1,
    ),
    pieces=(
        Piece(
            party=Party.CITIZEN,
            number=1,
            start_s=0.5,
            end_s=3.0,
            hypothesis=Hypothesis(text="您好", avg_logprob=-0.2, no_speech_prob=0.01),
        ),
    ),
)


@pytest.fixture(params=["file", "memory"])
def checkpoints(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Checkpoints]:
    store = Checkpoints(f"{request.param}://{tmp_path}/checks")
    yield store
    for name in ("f/driver", "f/ab/abc"):
        store.remove(name)


def test_results_come_back_as_they_were_put(checkpoints: Checkpoints) -> None:
    assert checkpoints.transcript("abc", "f") is None
    checkpoints.refuse("abc", "f", Refusal(code="asr.file_empty", attempts=1))
    assert checkpoints.refusal("abc", "f") == Refusal(code="asr.file_empty", attempts=1)
    assert checkpoints.transcript("abc", "f") is None
    checkpoints.finish("abc", "f", TRANSCRIPT)  # tried again, with success
    again = Checkpoints(checkpoints.url)
    assert again.transcript("abc", "f") == TRANSCRIPT
    assert again.refusal("abc", "f") is None
    assert again.transcript("abc", "g") is None


@pytest.mark.parametrize("damage", [b"", b"nonsense"])
def test_a_damaged_result_counts_as_none(checkpoints: Checkpoints, damage: bytes) -> None:
    checkpoints.finish("abc", "f", TRANSCRIPT)
    whole = checkpoints.read("f/ab/abc")
    assert whole is not None
    for content in (damage, whole[: len(whole) // 2]):
        checkpoints.write("f/ab/abc", content)
        assert checkpoints.transcript("abc", "f") is None


def test_a_place_of_unknown_kind_is_refused() -> None:
    with pytest.raises(ClusterError, match="nowhere"):
        Checkpoints("nowhere://x")


def test_a_relative_place_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Checkpoints("here").url == f"file://{tmp_path}/here"


def test_an_object_is_written_anew_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    checkpoints = Checkpoints(f"file://{tmp_path}")
    checkpoints.write("f/ab/abc", b"1")
    checkpoints.write("f/ab/abc", b"2")
    assert checkpoints.read("f/ab/abc") == b"2"
    assert [path.name for path in (tmp_path / "f" / "ab").iterdir()] == ["abc"]


def test_one_driver_holds_the_lease_and_workers_see_it(checkpoints: Checkpoints) -> None:
    lease = Lease(checkpoints, "f", QUICK)
    assert is_there(checkpoints, "f", lease.word)
    assert not is_there(checkpoints, "g", lease.word)
    with pytest.raises(CheckpointsTaken, match=str(os.getpid())):
        Lease(checkpoints, "f", QUICK)
    other_settings = Lease(checkpoints, "g", QUICK)
    other_settings.close()
    lease.check()
    lease.close()
    assert checkpoints.read("f/driver") is None
    Lease(checkpoints, "f", QUICK).close()


def test_another_machine_that_lives_keeps_its_lease(checkpoints: Checkpoints) -> None:
    checkpoints.write("f/driver", b"elsewhere 12 34 word\n1\n")
    is_over = threading.Event()

    def live() -> None:
        for number in itertools.count(2):
            if is_over.wait(0.2):
                return
            checkpoints.write("f/driver", f"elsewhere 12 34 word\n{number}\n".encode())

    beating = threading.Thread(target=live)
    beating.start()
    began = time.monotonic()
    try:
        with pytest.raises(CheckpointsTaken, match="elsewhere"):
            Lease(checkpoints, "f", LeaseTimes(beat_s=0.1, silent_s=60.0))
        assert time.monotonic() - began < 50  # it saw the other live, and waited no longer
    finally:
        is_over.set()
        beating.join()


@pytest.mark.parametrize("left", [b"elsewhere 12 34 word\n7\n", b"", b"\xff\xfe"])
def test_a_lease_that_falls_silent_is_taken_over(checkpoints: Checkpoints, left: bytes) -> None:
    checkpoints.write("f/driver", left)
    Lease(checkpoints, "f", QUICK).close()


def test_whoever_loses_its_lease_notices(checkpoints: Checkpoints) -> None:
    lease = Lease(checkpoints, "f", QUICK)
    checkpoints.write("f/driver", b"elsewhere 12 34 word\n1\n")

    def work_on() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            lease.check()
            time.sleep(0.05)

    with pytest.raises(CheckpointsTaken, match="elsewhere"):
        work_on()
    lease.close()
    assert checkpoints.read("f/driver") == b"elsewhere 12 34 word\n1\n"  # it is not ours to take away


def hold(url: str, told: Connection) -> None:
    lease = Lease(Checkpoints(url), "f", QUICK)
    told.send(lease.word)
    time.sleep(600)


def test_the_lease_of_a_driver_that_was_killed_is_free_at_once(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    driver = multiprocessing.get_context("spawn").Process(target=hold, args=(f"file://{tmp_path}", theirs))
    driver.start()
    word = ours.recv()
    assert is_alive(word)
    with pytest.raises(CheckpointsTaken):
        Lease(Checkpoints(f"file://{tmp_path}"), "f")
    assert driver.pid is not None
    os.kill(driver.pid, signal.SIGKILL)
    driver.join()
    began = time.monotonic()
    Lease(Checkpoints(f"file://{tmp_path}"), "f").close()
    assert time.monotonic() - began < LeaseTimes().silent_s
    assert not is_alive(word)
    assert is_alive(name_owner())
