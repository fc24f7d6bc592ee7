"""A real Ray of three nodes with real weights: a driver is killed, then a machine, and nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import av
import pytest

from scripts.demo_calls import demo_calls

pytestmark = [pytest.mark.weights, pytest.mark.process, pytest.mark.timeout(400)]

_CLIP_S = 15
_CLIPS = 8
_ROOT = Path(__file__).parent.parent
_STORE = {"object_store_memory": 80 * 1024**2}


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Pieces of the bundled calls, and a file that is none."""
    folder = tmp_path / "clips"
    folder.mkdir()
    numbers = count(1)
    for path, _ in demo_calls():
        with av.open(str(path)) as call:
            resampler = av.AudioResampler(format="s16", layout="stereo", rate=8000, frame_size=8000)
            sound = [piece for frame in call.decode(audio=0) for piece in resampler.resample(frame)]
        for first in range(0, len(sound) - _CLIP_S, _CLIP_S):
            if (number := next(numbers)) <= _CLIPS:
                write_clip(folder / f"{number:02}.wav", sound[first : first + _CLIP_S])
    (folder / "broken.wav").write_bytes(b"no sound")
    assert len(list(folder.iterdir())) == _CLIPS + 1
    return folder


def write_clip(path: Path, sound: list[av.AudioFrame]) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=8000, layout="stereo")
        for number, frame in enumerate(sound):
            frame.pts = number * frame.samples
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator["Cluster"]:  # noqa: F821 - named where it is imported
    """A head without cores, and two nodes with one each."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, **_STORE}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        cluster.add_node(num_cpus=1, **_STORE)
    yield cluster
    cluster.shutdown()


Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def begin(clips: Path) -> Iterator[Begin]:
    """Starts the command; whatever still runs in the end is killed."""
    begun: list[subprocess.Popen[str]] = []

    def start(out: Path, *options: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "scripts.cli", "transcribe", str(clips), "-o", str(out), "--json"]
        environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
        begun.append(
            subprocess.Popen(
                [*command, "--format", "json", "--one-by-one", "--beam", "1", *options],
                cwd=_ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def results(checkpoints: Path) -> dict[str, int]:
    """The files that are done, each with when it was written."""
    found = {}
    for path in checkpoints.rglob("*"):
        if len(path.name) == 64:
            found[path.name] = path.stat().st_mtime_ns
    return found


def wait_for(checkpoints: Path, number: int, driver: "subprocess.Popen[str]") -> dict[str, int]:
    while len(found := results(checkpoints)) < number:
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.05)
    return found


def papers(out: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in out.glob("*.json")}


def test_a_driver_and_a_machine_are_killed(begin: Begin, tmp_path: Path, cluster: "Cluster") -> None:  # noqa: F821
    checks = tmp_path / "checks"
    ray = ("--engine", "ray", "--address", cluster.address, "--checkpoints", f"file://{checks}")
    alone = begin(tmp_path / "alone")

    first = begin(tmp_path / "out", *ray)
    wait_for(checks, 3, first)  # one of them may be the broken file
    first.send_signal(signal.SIGKILL)
    first.communicate()
    by_first = results(checks)

    second = begin(tmp_path / "again", *ray)  # whose manifest knows nothing: the checkpoints must tell
    before = wait_for(checks, len(by_first) + 2, second)
    assert len(before) <= _CLIPS, "too late to lose anything"
    cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
    summary, told = second.communicate()

    assert second.returncode == 3, told  # the broken file
    tally = json.loads(summary)
    assert (tally["files"], tally["done"]) == (_CLIPS + 1, _CLIPS)
    assert tally["known"] >= 2
    assert [(one["name"], one["code"]) for one in tally["refused"]] == [("broken.wav", "asr.file_unreadable")]
    assert "交给别的进程重做" in told
    after = results(checks)
    assert len(after) == _CLIPS + 1
    assert by_first.items() <= before.items() <= after.items(), "what was done was done again"

    alone.communicate()
    assert papers(tmp_path / "again") == papers(tmp_path / "alone")
    assert len(papers(tmp_path / "alone")) == _CLIPS
