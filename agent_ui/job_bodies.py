"""Jobs as JSON, and what may be asked of them.

In: jobs and files as the desk knows them; fields of a form. Out: their outward form, checked wishes.
Not known here: HTTP, how jobs are worked on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from asr.batch.papers.formats import Format
from asr.batch.papers.types import NOTES
from asr.batch.run import Progress
from asr.types import Party
from calls.jobs.types import FileState, Job, JobFile, JobOptions, JobState, job_sentence

_FALSE, _TRUE = ("false", "0", "no"), ("true", "1", "yes")


class JobWish(BaseModel):
    """How the recordings of a job shall be heard."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=200)
    channels: Literal["auto", "stereo", "mono"] = "auto"
    left: Literal["citizen", "operator"] = "citizen"
    beam: int = Field(default=5, ge=1, le=10)
    words: bool = True
    formats: list[Format] = Field(default=[Format.TXT], min_length=1)

    @field_validator("formats", mode="before")
    @classmethod
    def _apart(cls, value: object) -> object:
        """Formats may also be given with commas between them."""
        texts = value if isinstance(value, list) else [value]
        return [part.strip() for text in texts for part in str(text).split(",")]

    @property
    def options(self) -> JobOptions:
        """As the desk knows it."""
        return JobOptions(
            channels=self.channels,
            left=Party(self.left),
            beam_size=self.beam,
            word_times=self.words,
            formats=tuple(dict.fromkeys(self.formats)),
        )

    @classmethod
    def of_fields(cls, fields: Mapping[str, Sequence[str]]) -> "JobWish":
        """Understand the fields of a form. Raises `ValidationError`."""
        told = {
            name: list(values) if name == "formats" else values[-1]
            for name, values in fields.items()
            if values
        }
        return cls.model_validate(told)


class PathsIn(JobWish):
    """Recordings that lie on the server."""

    paths: list[str] = Field(min_length=1, max_length=1000)


class ErrorOut(BaseModel):
    """What went wrong, and what to do."""

    code: str
    message: str

    @classmethod
    def of(cls, code: str | None) -> "ErrorOut | None":
        """None where nothing did."""
        return cls(code=code, message=job_sentence(code)) if code else None


class NoteOut(BaseModel):
    """What is odd about a recording that was transcribed."""

    code: str
    message: str


class JobFileOut(BaseModel):
    """One recording of a job."""

    number: int
    name: str
    n_bytes: int
    state: FileState
    seconds: float | None
    read_s: float | None = Field(description="Sound read so far; null where it is not worked on now.")
    error: ErrorOut | None
    notes: list[NoteOut]

    @classmethod
    def of(cls, file: JobFile, read_s: float | None) -> "JobFileOut":
        """Show it."""
        return cls(
            number=file.number,
            name=file.name,
            n_bytes=file.n_bytes,
            state=file.state,
            seconds=file.seconds,
            read_s=round(read_s, 3) if read_s is not None and file.state is FileState.WAITING else None,
            error=ErrorOut.of(file.code),
            notes=[NoteOut(code=code, message=NOTES[code]) for code in file.notes],
        )


class FileCountsOut(BaseModel):
    """The files of a job by their states."""

    total: int
    waiting: int
    done: int
    failed: int


class JobOut(BaseModel):
    """A job and where it stands."""

    job_id: str
    name: str
    owner: str
    is_mine: bool = Field(description="Whether the caller may cancel, retry and delete it.")
    state: JobState
    channels: str
    left: Party
    beam: int
    words: bool
    formats: list[Format]
    created_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    files: FileCountsOut
    done_s: float = Field(description="Length of the recordings that were transcribed.")
    worked_s: float = Field(description="Time that the files took which are over.")
    left_s: float | None = Field(description="Time that the files may take which wait; null where unknown.")
    read_s: float | None = Field(description="Sound read in the present turn; null where it has none.")
    decoded_s: float | None = Field(description="Speech recognised in the present turn.")
    error: ErrorOut | None
    elsewhere: str | None = Field(
        description="The server that alone has its recordings and transcripts; null where this one has them."
    )

    @classmethod
    def of(cls, job: Job, progress: Progress | None, *, is_mine: bool, elsewhere: str | None) -> "JobOut":
        """Show it."""
        options, files = job.options, job.files
        return cls(
            job_id=job.job_id,
            name=job.name,
            owner=job.owner_name,
            is_mine=is_mine,
            state=job.state,
            channels=options.channels,
            left=options.left,
            beam=options.beam_size,
            words=options.word_times,
            formats=list(options.formats),
            created_at=job.created_at,
            begun_at=job.begun_at,
            ended_at=job.ended_at,
            files=FileCountsOut(total=files.all, waiting=files.waiting, done=files.done, failed=files.failed),
            done_s=round(files.done_s, 3),
            worked_s=round(job.worked_s, 3),
            left_s=round(left_s, 3) if (left_s := job.left_s) is not None else None,
            read_s=round(progress.read_s, 3) if progress else None,
            decoded_s=round(progress.decoded_s, 3) if progress else None,
            error=ErrorOut.of(job.code),
            elsewhere=elsewhere,
        )


class JobLimitsOut(BaseModel):
    """What one job may bring."""

    max_bytes: int
    max_files: int
    folders: list[str] = Field(description="Folders of the server whose recordings need no upload.")


class JobsOut(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobOut]
    total: int


class JobWithFilesOut(BaseModel):
    """A job and a page of its files."""

    job: JobOut
    files: list[JobFileOut]


class LineIn(BaseModel):
    """What a person writes in place of a line; null takes it back, an empty text takes the line away."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(max_length=2000)
    author: str = Field(default="", max_length=100)
