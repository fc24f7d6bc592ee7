"""Transcribes files by a cluster as `asr.batch.run` does on one machine, with the same outcomes.

In: files, ears, a manifest of this machine, which cluster. Out: outcomes; progress on the way.
Not known here: options of a command, what results look like on paper.

A file whose result is in the manifest or among the checkpoints is not given to anybody. What workers find is
put on record by themselves among the checkpoints, and once more in the manifest when it is told.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from dataclasses import replace

from asr.batch.cluster.checkpoints import Checkpoints
from asr.batch.cluster.crew import RayCrew
from asr.batch.cluster.driver import Driver, unopened
from asr.batch.cluster.lease import Lease
from asr.batch.cluster.lengths import look_at
from asr.batch.cluster.types import ClusterOptions, Post, Task
from asr.batch.ears import EarOptions
from asr.batch.manifest import Manifest
from asr.batch.records import Records
from asr.batch.run import Outcome, Progress
from asr.batch.sources import Named
from asr.batch.types import Refusal, Source, Transcript


class ClusterRun:
    """One run over many files; `outcomes` is called once."""

    def __init__(
        self,
        *,
        ears: EarOptions,
        fingerprint: str,
        manifest: Manifest,
        options: ClusterOptions,
        tell: Callable[[str], None],
        readers: int = 0,
        retry_refused: bool = False,
    ) -> None:
        self._ears = ears
        self._fingerprint = fingerprint
        self._manifest = manifest
        self._checkpoints = Checkpoints(options.checkpoints)
        self._options = options
        self._tell = tell
        self._readers = readers
        self._retry_refused = retry_refused
        self._driver: Driver | None = None

    @property
    def progress(self) -> Progress:
        """How far all workers have come."""
        return self._driver.progress if self._driver else Progress()

    def outcomes(self, files: Iterable[Named]) -> Generator[Outcome, None, None]:
        """Work, and yield each outcome. Raises `ClusterError`, `OSError` and what the manifest raises."""
        rest: list[Named] = []
        for one in files:
            known = self._known(one)
            if known is None:
                rest.append(one)
            else:
                yield known
        tasks: list[Task] = []
        for task, one in zip(look_at(rest), rest, strict=True):
            if task.likeness:
                tasks.append(task)
            else:
                yield replace(unopened(task), source=_source(one, ""))
        if tasks:
            by_path = {one.path.absolute(): one for one in rest}
            with closing(self._led(tasks)) as led:
                for outcome in led:
                    yield self._noted(outcome, by_path[outcome.source.path])

    def _known(self, one: Named) -> Outcome | None:
        """What was found before, by this machine or another."""
        try:
            digest = self._manifest.digest_of(one.path)
        except OSError:
            return None
        if digest is None:
            return None
        records: tuple[Records, ...] = (self._manifest, self._checkpoints)
        for record in records:
            found: Transcript | Refusal | None = record.transcript(digest, self._fingerprint)
            if found is None and not self._retry_refused:
                found = record.refusal(digest, self._fingerprint)
            if found is not None:
                return Outcome(source=_source(one, digest), result=found, is_new=False)
        return None

    def _led(self, tasks: list[Task]) -> Generator[Outcome, None, None]:
        with closing(Lease(self._checkpoints, self._fingerprint, tell=self._tell)) as lease:
            post = Post(
                find_weights=self._options.find_weights,
                ears=self._ears,
                fingerprint=self._fingerprint,
                checkpoints=self._checkpoints.url,
                word=lease.word,
                readers=self._readers,
                retry_refused=self._retry_refused,
            )
            with RayCrew(post, self._options, tell=self._tell) as crew:
                self._driver = Driver(
                    crew=crew, checkpoints=self._checkpoints, lease=lease, fingerprint=self._fingerprint
                )
                yield from self._driver.outcomes(tasks)

    def _noted(self, outcome: Outcome, one: Named) -> Outcome:
        """Put it on record here, too."""
        digest, result = outcome.source.digest, outcome.result
        if digest:
            with suppress(OSError):  # the file went away meanwhile
                self._manifest.note_digest(one.path, digest)
            if isinstance(result, Refusal):
                self._manifest.refuse(digest, self._fingerprint, result)
            else:
                self._manifest.finish(digest, self._fingerprint, result)
        return replace(outcome, source=_source(one, digest))


def _source(one: Named, digest: str) -> Source:
    return Source(path=one.path, name=one.name, digest=digest)
