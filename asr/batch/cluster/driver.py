"""Leads the workers of a cluster through all files: gives out, collects, and goes on when somebody is lost.

In: tasks, a crew that tells who comes, reports and goes. Out: one `Outcome` per task.
Not known here: Ray, what is known from earlier runs.
"""

import errno
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from asr.batch.cluster.checkpoints import Checkpoints
from asr.batch.cluster.lease import Lease
from asr.batch.cluster.ledger import Ledger, Shares
from asr.batch.cluster.types import BLIND, BROKEN, LOST, Report, Task
from asr.batch.run import Outcome, Progress
from asr.batch.types import Refusal, Source

_UNOPENED = "asr.file_unopened"


@dataclass(frozen=True, slots=True)
class Came:
    """A worker is ready."""

    worker: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A worker has answered its turn; it waits for the next."""

    worker: str
    report: Report


@dataclass(frozen=True, slots=True)
class Gone:
    """A worker that came is there no longer."""

    worker: str


Event: TypeAlias = Came | Reported | Gone


class Crew(Protocol):
    """The workers, wherever they are. For one thread."""

    def next_event(self) -> Event | None:
        """Wait a little; None where nothing happened. Raises `ClusterError` where nobody will come."""
        ...

    def turn(self, worker: str, tasks: list[Task], *, is_busy: bool) -> None:
        """Give a worker its turn; `is_busy`: with these it has something in hand."""
        ...

    def dismiss(self, worker: str, why: str) -> None:
        """Have no more to do with a worker; of it there are no more events."""
        ...


class Driver:
    """One run; `outcomes` is called once."""

    def __init__(
        self,
        *,
        crew: Crew,
        checkpoints: Checkpoints,
        lease: Lease,
        fingerprint: str,
        shares: Shares | None = None,
    ) -> None:
        self._crew = crew
        self._checkpoints = checkpoints
        self._lease = lease
        self._fingerprint = fingerprint
        self._shares = shares or Shares()
        self._progress: dict[str, Progress] = {}

    @property
    def progress(self) -> Progress:
        """How far all workers have come, those that are gone included."""
        all_of_them = self._progress.values()
        return Progress(
            read_s=sum(one.read_s for one in all_of_them),
            decoded_s=sum(one.decoded_s for one in all_of_them),
            remembered=sum(one.remembered for one in all_of_them),
        )

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Work, and yield each outcome. Raises `ClusterError`, and `OSError` for a full storage."""
        ledger = Ledger(tasks, self._shares)
        while not ledger.is_over:
            self._lease.check()
            event = self._crew.next_event()
            if isinstance(event, Came):
                ledger.hire(event.worker)
            elif isinstance(event, Gone):
                for task in ledger.lose(event.worker):
                    yield self._given_up(task)
                continue
            elif isinstance(event, Reported):
                self._progress[event.worker] = event.report.progress
                ended, why = self._take(event.worker, event.report, ledger)
                yield from ended
                if why:
                    self._crew.dismiss(event.worker, why)
                    ledger.lose(event.worker, counts=False)
                    continue
            else:
                continue
            given = ledger.hand_out(event.worker)
            self._crew.turn(event.worker, given, is_busy=ledger.has_work(event.worker))

    def _take(self, worker: str, report: Report, ledger: Ledger) -> tuple[list[Outcome], str]:
        """What has ended, and why the worker is of no more use."""
        ended: list[Outcome] = []
        for outcome in report.outcomes:
            path = outcome.source.path
            if not outcome.source.digest and is_readable(path):
                return ended, BLIND
            if ledger.end(worker, str(path)) is not None:
                ended.append(outcome)
        if report.trouble is None:
            return ended, ""
        if report.trouble.errno == errno.ENOSPC:
            raise report.trouble
        return ended, BROKEN

    def _given_up(self, task: Task) -> Outcome:
        refusal = Refusal(code=LOST, attempts=task.losses)
        digest = digest_of(task.path)
        if digest:
            self._checkpoints.refuse(digest, self._fingerprint, refusal)
        source = Source(path=task.path, name=task.name, digest=digest)
        return Outcome(source=source, result=refusal, is_new=True)


def unopened(task: Task) -> Outcome:
    """What becomes of a file that cannot be read."""
    source = Source(path=task.path, name=task.name, digest="")
    return Outcome(source=source, result=Refusal(code=_UNOPENED, attempts=1), is_new=True)


def is_readable(path: Path) -> bool:
    """Whether this machine can read the file."""
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def digest_of(path: Path) -> str:
    """The digest of a file's content; empty where it cannot be read."""
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return ""
