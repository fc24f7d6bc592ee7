"""One turn of a job: its waiting files are transcribed until all are over, or another's turn has come.

In: a job, its folder, the server's ears, a function that says when to give way.
Out: the outcome of each file on record.
Not known here: other jobs, who is next. It blocks, on a thread of its own.
"""

import asyncio
import errno
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.exc import OperationalError

from asr.batch.manifest import Manifest
from asr.batch.papers.types import notes_of
from asr.batch.recorded import RecordedEars
from asr.batch.run import DecodingStopped, Outcome, Progress, Run
from asr.batch.types import Refusal, Source, Transcript
from asr.types import AsrError, Hypothesis, Utterance
from calls.jobs.folders import JobFolders
from calls.jobs.store import JobStore
from calls.jobs.types import FileState, Job, JobFile
from calls.watching import Watch, unwatched
from knowledge_base.database import is_sound

log = logging.getLogger(__name__)

BOOK = "book.db"
"""The manifest, in the job's folder."""
_PAGE = 200


@dataclass(slots=True, kw_only=True, eq=False)
class Turn:
    """`run` is called once; any thread may `stop` it or look at its progress."""

    job: Job
    folder: Path
    store: JobStore
    folders: JobFolders
    ears: RecordedEars
    loop: asyncio.AbstractEventLoop
    """Where the ears live."""
    gives_way: Callable[[], bool]
    """Asked before each file is taken up."""
    is_on_network: bool = False
    """Whether the folder is one that several servers have."""
    watch: Watch = unwatched
    is_stopped: bool = False
    _begun_s: dict[int, float] = field(default_factory=dict)
    """When files were taken up, by number and the monotonic clock."""
    _run: Run | None = None
    _counted_s: float = 0.0
    """Until when, by the monotonic clock, the work is on record."""
    _asked: set[Future[list[Hypothesis]]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def progress(self) -> Progress:
        """How far this turn has come."""
        return self._run.progress if self._run else Progress()

    @property
    def under_way(self) -> dict[int, float]:
        """The files that are read or decoded, by number, with the seconds that were read."""
        return {int(name): read_s for name, read_s in self._run.under_way.items()} if self._run else {}

    def stop(self) -> None:
        """Decode nothing more; what was decoded is on record."""
        with self._lock:
            self.is_stopped = True
            run, asked = self._run, list(self._asked)
        if run is not None:
            run.stop()
        for future in asked:
            future.cancel()

    def run(self) -> None:
        """Work. Raises what the manifest and the store raise, e.g. on a full disk."""
        fingerprint = self.ears.fingerprint(self.job.options.hearing)
        self._counted_s = time.monotonic()
        manifest = self._open_book()
        try:
            run = Run(
                decode=self._decode,
                manifest=manifest,
                fingerprint=fingerprint,
                listening=self.job.options.hearing.listening,
                options=replace(self.ears.sharing, retry_refused=True),  # the store says what is tried again
            )
            with self._lock:
                self._run = run
                if self.is_stopped:
                    return
            for outcome in run.outcomes(self._sources(manifest)):
                self._note(outcome, fingerprint)
        finally:
            manifest.close()

    def _open_book(self) -> Manifest:
        """The manifest; a damaged one is set aside, and its files are transcribed anew."""
        path = self.folder / BOOK
        if path.exists() and not is_sound(path):
            log.error("the book of job %s is damaged and set aside", self.job.job_id)
            path.replace(path.with_suffix(".damaged"))
            for left in self.folder.glob(f"{BOOK}-*"):
                left.unlink()
            self.store.begin_again(self.job.job_id)
        manifest = Manifest(path, is_on_network=self.is_on_network)
        if self.is_on_network:
            manifest.take_over()  # a server that is gone may have had the job
        return manifest

    def _sources(self, manifest: Manifest) -> Iterator[Source]:
        last = 0
        while page := self.store.files(self.job.job_id, state=FileState.WAITING, after=last, limit=_PAGE):
            for file in page:
                if self.is_stopped or self.gives_way():
                    return
                last = file.number
                began_s = time.monotonic()
                if (source := self._source(file, manifest)) is not None:
                    self._begun_s[last] = began_s
                    yield source

    def _source(self, file: JobFile, manifest: Manifest) -> Source | None:
        """Name a file by its content, or put on record why that cannot be."""
        path = Path(file.path)
        if not file.is_upload and not self.folders.holds(file.path):
            code = "job.path_outside" if path.exists() else "job.file_missing"
            self.store.fail_file(self.job.job_id, file.number, code)
            return None
        try:
            digest = manifest.digest_of(path)
            if digest is None:
                with path.open("rb") as content:
                    digest = hashlib.file_digest(content, "sha256").hexdigest()
                manifest.note_digest(path, digest)
        except FileNotFoundError:
            self.store.fail_file(self.job.job_id, file.number, "job.file_missing")
            return None
        except OSError:
            self.store.fail_file(self.job.job_id, file.number, "asr.file_unopened")
            return None
        return Source(path=path, name=str(file.number), digest=digest)

    def _decode(self, batch: Sequence[Utterance]) -> list[Hypothesis]:
        """Have it recognised when there is time."""
        options = self.job.options
        with self._lock:
            if self.is_stopped:
                raise DecodingStopped
            work = self.ears.transcribe(
                batch,
                owner=self.job.owner,
                beam_size=options.beam_size,
                word_times=options.word_times,
            )
            future = asyncio.run_coroutine_threadsafe(work, self.loop)
            self._asked.add(future)
        try:
            return future.result()
        except CancelledError:
            raise DecodingStopped from None
        except AsrError as error:
            if error.code == "asr.stopped":
                raise DecodingStopped from None
            raise
        finally:
            with self._lock:
                self._asked.discard(future)

    def _note(self, outcome: Outcome, fingerprint: str) -> None:
        number, result = int(outcome.source.name), outcome.result
        since_s = self._begun_s.pop(number, None)
        with self.watch("job.file", since_s=since_s, job_id=self.job.job_id, number=number) as step:
            self._put_on_record(number, result, outcome.source.digest, fingerprint)
            if isinstance(result, Refusal):
                step.fail(result.code)
            else:
                step.note(sound_s=result.facts.seconds)

    def _put_on_record(
        self, number: int, result: Transcript | Refusal, digest: str, fingerprint: str
    ) -> None:
        now_s = time.monotonic()
        worked_s, self._counted_s = now_s - self._counted_s, now_s
        if isinstance(result, Refusal):
            self.store.fail_file(self.job.job_id, number, result.code, worked_s=worked_s)
            return
        self.store.finish_file(
            self.job.job_id,
            number,
            digest=digest,
            fingerprint=fingerprint,
            seconds=result.facts.seconds,
            notes=notes_of(result.facts, is_speechless=result.is_speechless),
            worked_s=worked_s,
        )


def trouble_of(error: Exception) -> str:
    """The code of what broke a turn."""
    is_full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or (
        isinstance(error, OperationalError) and "is full" in str(error)
    )
    if is_full:
        return "job.disk_full"
    log.error("a job broke", exc_info=error)
    return "job.broken"
