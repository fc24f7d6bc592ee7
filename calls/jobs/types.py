"""The types of jobs: what is wanted, where it stands, and the errors.

In: the types of batch transcription. Out: `JobOptions`, `Job`, `JobFile`, `JobError`.
Not known here: databases, threads, HTTP.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from asr.batch.papers.formats import Format
from asr.batch.recorded import HearingOptions
from asr.batch.types import Channels, ListeningOptions
from asr.refusals import sentence_of
from asr.types import Party
from calls.types import CallError


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    """Every file has its transcript or the reason why it has none."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """It could not go on; what was transcribed is kept, and `retry` goes on."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class FileState(StrEnum):
    """Where a file of a job stands."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """How the recordings of a job are heard, and in which formats results are given where none are named.

    Raises `ValueError` for values out of range.
    """

    channels: Channels = "auto"
    left: Party = Party.CITIZEN
    beam_size: int = 5
    word_times: bool = True
    formats: tuple[Format, ...] = (Format.TXT,)

    def __post_init__(self) -> None:
        if not self.formats:
            raise ValueError("one format at least")
        _ = self.hearing

    @property
    def hearing(self) -> HearingOptions:
        """What of it decides the text."""
        return HearingOptions(
            listening=ListeningOptions(channels=self.channels, left=self.left),
            beam_size=self.beam_size,
            word_times=self.word_times,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCounts:
    """The files of a job by their states, how long those are that were transcribed, and how large."""

    waiting: int = 0
    done: int = 0
    failed: int = 0
    done_s: float = 0.0
    done_bytes: int = 0
    waiting_bytes: int = 0

    @property
    def all(self) -> int:
        """How many there are."""
        return self.waiting + self.done + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Recordings that were left to be transcribed."""

    job_id: str
    owner: str
    """Identifies whoever brought it: an account's name, or `token:` and a number."""
    owner_name: str
    name: str
    state: JobState
    options: JobOptions
    created_at: datetime
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None
    """Why it failed."""
    held_by: str | None = None
    """The process that works on it; None where there is one alone."""
    server: str | None = None
    """Name of the server that alone has its files; None where every one has them."""
    worked_s: float = 0.0
    """Time that its files took, until the last one that is over."""
    files: FileCounts = FileCounts()

    @property
    def left_s(self) -> float | None:
        """How long the files that wait will take if they go as those before; None where nothing tells."""
        files = self.files
        if not files.done_bytes:
            return None
        return self.worked_s * files.waiting_bytes / files.done_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A recording that a job shall hold."""

    name: str
    path: str
    is_upload: bool
    n_bytes: int
    code: str | None = None
    """Why it cannot be taken, where that is known already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """One recording of a job."""

    job_id: str
    number: int
    """Counts from 1."""
    name: str
    path: str
    is_upload: bool
    """It lies in the job's own folder, and goes with the job."""
    n_bytes: int
    state: FileState
    code: str | None = None
    """Why it failed."""
    digest: str | None = None
    fingerprint: str | None = None
    """Under these two the transcript is on record."""
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    """Codes of what is odd about it."""


class JobError(CallError):
    """What can go wrong around a job.

    JobError
    ├── UnknownJob        no such job, file, line or result
    ├── JobsFull          enough jobs wait, of this person or of all
    ├── JobConflict       not in this state
    ├── JobElsewhere      its files are on another server
    └── JobRefused        the files or what is wanted cannot be taken
    """

    code = "job.error"


class UnknownJob(JobError):
    """No such thing."""

    code = "job.unknown"


class JobsFull(JobError):
    """Come again when one is done."""

    code = "job.full"


class JobConflict(JobError):
    """The job is not in a state for that."""

    code = "job.conflict"


class JobElsewhere(JobError):
    """Another server has the recordings and the transcripts."""

    code = "job.elsewhere"

    def __init__(self, server: str | None) -> None:
        where = f"服务器 {server} " if server else "另一台服务器"
        super().__init__(
            f"这个任务的录音和转写结果在{where}上，这里读不到：请在那台服务器上操作，"
            "或请管理员给所有服务器设置同一个 ZHITING_JOBS_DIR。"
        )


class JobRefused(JobError):
    """It cannot be taken as it is."""

    code = "job.refused"


_SENTENCES = {
    "job.disk_full": "服务器磁盘已满，任务停了下来，已转写的都在。请管理员清理磁盘后点重试，会接着做。",
    "job.broken": "任务因内部错误停了下来，已转写的都在。请点重试；仍不行时请把错误代码告诉管理员。",
    "job.path_outside": "这个文件不在允许的文件夹里，没有转写。",
    "job.file_missing": "这个文件已经不在原处，请检查后重试。",
}


def job_sentence(code: str) -> str:
    """What is wrong with a job or a file, and what to do, in a sentence for people."""
    return _SENTENCES.get(code) or sentence_of(code, max_s=ListeningOptions().max_s)
