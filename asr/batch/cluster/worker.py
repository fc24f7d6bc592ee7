"""One worker of a cluster: holds the model for its whole life and transcribes what it is given.

In: tasks, a few at a time. Out: results, each put on record in shared storage before it is told.
Not known here: Ray, other workers, who gets which file.

The driver asks again and again (`turn`): the same call brings new tasks, fetches results and shows that the
worker is alive. Reading and decoding go on meanwhile in threads of the run.
"""

import hashlib
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from queue import SimpleQueue

from asr.batch.cluster.checkpoints import Checkpoints
from asr.batch.cluster.lease import is_there
from asr.batch.cluster.types import NO_WEIGHTS, NOT_SHARED, OTHER_WEIGHTS, ClusterError, Post, Report, Task
from asr.batch.ears import Ears
from asr.batch.run import Outcome, Run
from asr.batch.types import Refusal, Source
from asr.footprint import limit_footprint
from asr.transcriber import WhisperOptions, chosen_threads

_UNOPENED = "asr.file_unopened"


class Worker:
    """Lives in a process of its own, which ends with it."""

    def __init__(self, post: Post, *, cores: int, has_gpu: bool = False) -> None:
        self._post = post
        self._cores = cores
        self._has_gpu = has_gpu
        self._given: SimpleQueue[Task] = SimpleQueue()
        self._ended: SimpleQueue[Outcome | OSError] = SimpleQueue()
        self._run: Run | None = None

    def open(self) -> str:
        """Get ready; returns why it cannot be used, or nothing. Takes seconds."""
        limit_footprint()
        try:
            checkpoints = Checkpoints(self._post.checkpoints)
            is_same = is_there(checkpoints, self._post.fingerprint, self._post.word)
        except (ClusterError, OSError):
            is_same = False
        if not is_same:
            return NOT_SHARED
        try:
            folder = self._post.find_weights()
        except Exception:  # noqa: BLE001 - whatever it is, this machine cannot hear
            return NO_WEIGHTS
        options = replace(self._post.ears, folder=folder, whisper=self._shared_out)
        if options.fingerprint() != self._post.fingerprint:
            return OTHER_WEIGHTS
        ears = Ears(options)
        self._run = Run(
            decode=ears.decode,
            manifest=checkpoints,
            fingerprint=self._post.fingerprint,
            listening=options.listening,
            options=ears.run_options(readers=self._post.readers, retry_refused=self._post.retry_refused),
        )
        threading.Thread(target=self._work, args=(self._run,), daemon=True, name="run").start()
        return ""

    def turn(self, tasks: Sequence[Task], wait_s: float) -> Report:
        """Take tasks and tell what has come of earlier ones; waits for something to tell."""
        assert self._run is not None, "open comes first"
        for task in tasks:
            self._given.put(task)
        outcomes: list[Outcome] = []
        trouble: OSError | None = None
        try:
            told = self._ended.get(timeout=wait_s)
            while True:
                if isinstance(told, Outcome):
                    outcomes.append(told)
                else:
                    trouble = told
                told = self._ended.get_nowait()
        except queue.Empty:
            return Report(outcomes=tuple(outcomes), progress=self._run.progress, trouble=trouble)

    @property
    def _shared_out(self) -> WhisperOptions:
        """By the cores that this worker was given, which may be fewer than its machine has."""
        whisper = self._post.ears.whisper
        if self._has_gpu:
            return whisper
        workers, threads = chosen_threads(self._cores)
        return replace(whisper, workers=whisper.workers or workers, threads=whisper.threads or threads)

    def _work(self, run: Run) -> None:
        try:
            for outcome in run.outcomes(self._sources()):
                self._ended.put(outcome)
        except OSError as error:
            self._ended.put(error)
        except Exception as error:  # noqa: BLE001 - a thread that ends without a word would look like a long file
            self._ended.put(OSError(f"{type(error).__name__}: {error}"))

    def _sources(self) -> Iterator[Source]:
        """Name what is given by its content; never ends."""
        while True:
            task = self._given.get()
            try:
                with task.path.open("rb") as content:
                    digest = hashlib.file_digest(content, "sha256").hexdigest()
            except OSError:
                unopened = Source(path=task.path, name=task.name, digest="")
                refusal = Refusal(code=_UNOPENED, attempts=1)
                self._ended.put(Outcome(source=unopened, result=refusal, is_new=True))
                continue
            yield Source(path=task.path, name=task.name, digest=digest)
