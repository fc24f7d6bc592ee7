"""`kill -9` in the middle of publishing: the old version or the new one serves, and the next run is clean."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge_base.passages import cut
from knowledge_base.progress import ProgressNote, Stage
from knowledge_base.versions import VersionFolder
from retrieval.searcher import Searcher
from retrieval.serving import take_up
from tests.publishing_process import articles_of
from tests.retrieval_parts import PairEmbedder
from tests.test_kb_store import DAY

KILLS = 10


class Press:
    """The publishing process, from outside."""

    def __init__(self, folder: Path):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.publishing_process", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        )

    def _ask(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def publish(self, generation: int, kill_after_s: float | None = None) -> int:
        """Publish, or be killed meanwhile; returns the child's status."""
        child = self._ask(str(generation))
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(child, signal.SIGKILL)
        return self._ask("end")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture
def press(tmp_path: Path) -> Iterator[Press]:
    press = Press(tmp_path)
    yield press
    press.close()


def generation_of(searcher: Searcher) -> str:
    assert searcher.snapshot is not None
    return next(a.body for a in searcher.snapshot.articles if a.article_id == "G000")


@pytest.mark.process
def test_ten_kills_at_random_moments(tmp_path: Path, press: Press) -> None:
    chance = random.Random(20260305)
    versions, embedder = VersionFolder(tmp_path), PairEmbedder()
    searcher = Searcher(embedder)
    started = time.monotonic()
    assert press.publish(0) == 0
    whole_s = min(time.monotonic() - started, 2.0)
    take_up(searcher, versions, embedder)
    generation, kills, stages = 1, 0, set()
    while kills < KILLS:
        before = versions.current()
        kills += press.publish(generation, kill_after_s=chance.uniform(0, whole_s)) == signal.SIGKILL
        stages.add(ProgressNote(tmp_path).read().stage)
        take_up(searcher, versions, embedder)
        is_new = versions.current() != before
        assert generation_of(searcher) == f"第{generation if is_new else generation - 1}代第0条。"
        found = searcher.search("楼下马路的路灯坏了", day=DAY, k=1)
        assert found.matches[0].article.article_id == "A1"
        generation += is_new
    assert stages <= {Stage.INTERRUPTED, Stage.DONE}
    assert Stage.INTERRUPTED in stages

    assert press.publish(generation) == 0
    assert take_up(searcher, versions, embedder) is not None
    assert generation_of(searcher) == f"第{generation}代第0条。"
    assert ProgressNote(tmp_path).read().stage is Stage.DONE
    assert not [file.name for file in tmp_path.iterdir() if file.name.startswith((".building", ".removing"))]
    assert not (tmp_path / ".vectors").exists()
    searcher.close()


@pytest.mark.process
def test_what_a_killed_run_embedded_is_not_embedded_again(tmp_path: Path, press: Press) -> None:
    counted = tmp_path / "embedded.txt"

    def batches() -> list[int]:
        return [int(line) for line in counted.read_text().split()] if counted.exists() else []

    kills = 0
    while len(batches()) < 5:
        press.publish(0, kill_after_s=0.02 * kills)
        kills += 1
    assert press.publish(0) == 0
    needed = len({passage.content_hash for article in articles_of(0) for passage in cut(article)})
    # A batch is lost where the kill came between embedding it and writing it down.
    assert needed <= sum(batches()) <= needed + 64 * kills
    assert sum(batches()) < 2 * needed


WATCHER = """
import sys
from pathlib import Path
from knowledge_base.versions import VersionFolder
from retrieval.searcher import Searcher
from retrieval.serving import take_up
from tests.retrieval_parts import PairEmbedder

searcher, embedder = Searcher(PairEmbedder()), PairEmbedder()
for _ in sys.stdin:
    take_up(searcher, VersionFolder(Path(sys.argv[1])), embedder)
    print(searcher.snapshot.version.version, flush=True)
"""


@pytest.mark.process
def test_every_process_takes_up_what_another_one_published(tmp_path: Path, press: Press) -> None:
    versions = VersionFolder(tmp_path)
    watchers = [
        subprocess.Popen(
            [sys.executable, "-c", WATCHER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
        for _ in range(3)
    ]
    try:
        for generation in range(2):
            assert press.publish(generation) == 0
            for watcher in watchers:
                assert watcher.stdin is not None
                assert watcher.stdout is not None
                watcher.stdin.write("look\n")
                watcher.stdin.flush()
                assert watcher.stdout.readline().strip() == versions.current()
    finally:
        for watcher in watchers:
            watcher.communicate()
