"""The driver of a cluster, with a crew that does as the test says; storage and lease are real."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from asr.batch.cluster.checkpoints import Checkpoints
from asr.batch.cluster.driver import Came, Driver, Event, Gone, Reported, digest_of
from asr.batch.cluster.lease import Lease, LeaseTimes
from asr.batch.cluster.ledger import Shares
from asr.batch.cluster.lengths import look_at
from asr.batch.cluster.types import (
    BLIND,
    BROKEN,
    LOST,
    NOT_SHARED,
    OTHER_WEIGHTS,
    CheckpointsTaken,
    Post,
    Report,
    Task,
)
from asr.batch.cluster.worker import Worker
from asr.batch.ears import EarOptions
from asr.batch.run import Outcome, Progress
from asr.batch.sources import Named
from asr.batch.types import FileFacts, Refusal, Source, Transcript
from asr.types import Party
from scripts.cli import app

Work = Callable[[str, list[Task]], Event]


class ScriptedCrew:
    """Workers that answer each turn by a function."""

    def __init__(self, workers: list[str], work: Work) -> None:
        self.events: list[Event] = [Came(worker) for worker in workers]
        self.work = work
        self.dismissed: list[tuple[str, str]] = []
        self.given: dict[str, list[str]] = {worker: [] for worker in workers}

    def next_event(self) -> Event | None:
        return self.events.pop(0) if self.events else None

    def turn(self, worker: str, tasks: list[Task], *, is_busy: bool) -> None:
        self.given.setdefault(worker, []).extend(task.name for task in tasks)
        self.events.append(self.work(worker, tasks))

    def dismiss(self, worker: str, why: str) -> None:
        self.dismissed.append((worker, why))


def done(task: Task) -> Outcome:
    facts = FileFacts(
        seconds=1.0,
        parties=(Party.MIXED,),
        source_channels=1,
        is_alike=False,
        is_truncated=False,
        utterances=0,
    )
    source = Source(path=task.path, name=task.name, digest=digest_of(task.path))
    return Outcome(source=source, result=Transcript(facts=facts, pieces=()), is_new=True)


def unopened(task: Task) -> Outcome:
    source = Source(path=task.path, name=task.name, digest="")
    return Outcome(source=source, result=Refusal(code="asr.file_unopened", attempts=1), is_new=True)


def honest(worker: str, tasks: list[Task]) -> Event:
    return Reported(
        worker, Report(outcomes=tuple(done(task) for task in tasks), progress=Progress(decoded_s=2.0))
    )


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    files = []
    for number in range(1, 5):
        path = tmp_path / f"{number}.wav"
        path.write_bytes(bytes([number]) * 16_000 * 40 * number)
        files.append(Named(path=path, name=path.name))
    return list(look_at(files))


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(f"file://{tmp_path}/checks")


@pytest.fixture
def lease(checkpoints: Checkpoints) -> Iterator[Lease]:
    lease = Lease(checkpoints, "f", LeaseTimes(beat_s=0.05, silent_s=1.0, settled_s=0.01))
    yield lease
    lease.close()


Lead = Callable[[ScriptedCrew], list[Outcome]]


@pytest.fixture
def lead(checkpoints: Checkpoints, lease: Lease, tasks: list[Task]) -> Lead:
    def outcomes(crew: ScriptedCrew) -> list[Outcome]:
        driver = Driver(
            crew=crew, checkpoints=checkpoints, lease=lease, fingerprint="f", shares=Shares(losses=3)
        )
        found = list(driver.outcomes(tasks))
        assert driver.progress.decoded_s >= 2.0
        return found

    return outcomes


def names(outcomes: list[Outcome]) -> list[str]:
    return sorted(outcome.source.name for outcome in outcomes)


ALL = ["1.wav", "2.wav", "3.wav", "4.wav"]


def test_all_files_have_one_outcome(lead: Lead) -> None:
    crew = ScriptedCrew(["a", "b"], honest)
    assert names(lead(crew)) == ALL
    assert sorted(crew.given["a"] + crew.given["b"]) == ALL


def test_a_lost_worker_costs_nothing_but_its_files_in_hand(lead: Lead) -> None:
    crew = ScriptedCrew(["lost", "kept"], lambda w, t: Gone(w) if w == "lost" else honest(w, t))
    assert names(lead(crew)) == ALL
    assert set(crew.given["lost"]) < set(ALL)
    assert sorted(crew.given["kept"]) == ALL


def test_the_file_that_kills_workers_is_refused_for_good(lead: Lead, checkpoints: Checkpoints) -> None:
    crew = ScriptedCrew(["0"], honest)

    def work(worker: str, tasks: list[Task]) -> Event:
        if "3.wav" not in [task.name for task in tasks]:
            return honest(worker, tasks)
        crew.events.append(Came(str(int(worker) + 1)))
        return Gone(worker)

    crew.work = work
    outcomes = lead(crew)
    assert names(outcomes) == ALL
    (refused,) = [outcome for outcome in outcomes if isinstance(outcome.result, Refusal)]
    assert (refused.source.name, refused.result) == ("3.wav", Refusal(code=LOST, attempts=3))
    assert checkpoints.refusal(refused.source.digest, "f") == refused.result


def test_a_worker_that_cannot_open_what_the_driver_can_is_dismissed(lead: Lead) -> None:
    def work(worker: str, tasks: list[Task]) -> Event:
        if worker == "seeing":
            return honest(worker, tasks)
        return Reported(worker, Report(outcomes=tuple(unopened(task) for task in tasks)))

    crew = ScriptedCrew(["blind", "seeing"], work)
    outcomes = lead(crew)
    assert crew.dismissed == [("blind", BLIND)]
    assert names(outcomes) == ALL
    assert not any(isinstance(outcome.result, Refusal) for outcome in outcomes)


def test_a_file_that_went_away_is_refused(lead: Lead, tasks: list[Task]) -> None:
    tasks[1].path.unlink()

    def work(worker: str, tasks: list[Task]) -> Event:
        outcomes = tuple(done(task) if task.path.exists() else unopened(task) for task in tasks)
        return Reported(worker, Report(outcomes=outcomes, progress=Progress(decoded_s=2.0)))

    crew = ScriptedCrew(["a"], work)
    outcomes = lead(crew)
    assert [o.source.name for o in outcomes if isinstance(o.result, Refusal)] == ["2.wav"]
    assert crew.dismissed == []


def test_full_storage_ends_the_run_and_other_trouble_the_worker(lead: Lead) -> None:
    def work(worker: str, tasks: list[Task]) -> Event:
        if worker == "kept":
            return honest(worker, tasks)
        return Reported(worker, Report(trouble=OSError(errno.ESTALE, "stale")))

    crew = ScriptedCrew(["stale", "kept"], work)
    assert names(lead(crew)) == ALL
    assert crew.dismissed == [("stale", BROKEN)]
    full = ScriptedCrew(["a"], lambda w, t: Reported(w, Report(trouble=OSError(errno.ENOSPC, "full"))))
    with pytest.raises(OSError, match="full"):
        lead(full)


def test_a_driver_that_lost_its_lease_stops(lead: Lead, checkpoints: Checkpoints) -> None:
    checkpoints.write("f/driver", b"elsewhere 12 34 word\n1\n")
    with pytest.raises(CheckpointsTaken):
        lead(ScriptedCrew(["idle"], lambda w, t: Reported(w, Report())))


def post_of(folder: Path, checkpoints: Checkpoints, word: str, fingerprint: str) -> Post:
    return Post(
        find_weights=lambda: folder,
        ears=EarOptions(folder=folder),
        fingerprint=fingerprint,
        checkpoints=checkpoints.url,
        word=word,
    )


def test_a_worker_with_other_weights_is_refused(
    tmp_path: Path, checkpoints: Checkpoints, lease: Lease
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "model.bin").write_bytes(b"others")
    assert Worker(post_of(weights, checkpoints, lease.word, "f"), cores=1).open() == OTHER_WEIGHTS


def test_a_worker_that_sees_other_checkpoints_is_refused(
    tmp_path: Path, checkpoints: Checkpoints, lease: Lease
) -> None:
    elsewhere = Checkpoints(f"file://{tmp_path}/elsewhere")
    assert Worker(post_of(tmp_path, elsewhere, lease.word, "f"), cores=1).open() == NOT_SHARED
    assert Worker(post_of(tmp_path, checkpoints, "another word", "f"), cores=1).open() == NOT_SHARED


@pytest.mark.parametrize("options", [["--engine", "ray"], ["--engine", "spark", "-o", "out"]])
def test_the_command_says_what_it_needs(options: list[str], tasks: list[Task]) -> None:
    result = CliRunner().invoke(app, ["transcribe", str(tasks[0].path), *options])
    assert result.exit_code == 2
    assert "--engine" in result.stderr
