"""The records of jobs, in the installation's one database.

In: jobs as they are brought, what became of their files, lines that people put right.
Out: `Job`s, `JobFile`s, `LineEdit`s.
Not known here: threads, sound, where transcripts are kept.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Engine

from asr.batch.papers.types import LineEdit
from calls.jobs.tables import files as _files
from calls.jobs.tables import jobs as _jobs
from calls.jobs.tables import lines as _lines
from calls.jobs.types import (
    FileCounts,
    FileState,
    Job,
    JobFile,
    JobOptions,
    JobsFull,
    JobState,
    NewFile,
    UnknownJob,
)
from knowledge_base.database import writing

_OPTIONS = TypeAdapter(JobOptions)
_ALIVE = (JobState.QUEUED.value, JobState.RUNNING.value)


class JobStore:
    """All methods block. Any thread may call them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def see_room(self, owner: str, *, per_owner: int, in_all: int) -> None:
        """Raises `JobsFull` where no further job is taken."""
        with self._engine.connect() as connection:
            _see_room(connection, owner, per_owner=per_owner, in_all=in_all)

    def add(self, job: Job, files: Sequence[NewFile], *, per_owner: int, in_all: int) -> None:
        """Take a job. Raises `JobsFull`."""
        row = {
            "job_id": job.job_id,
            "owner": job.owner,
            "owner_name": job.owner_name,
            "name": job.name,
            "state": job.state.value,
            "options": _OPTIONS.dump_python(job.options, mode="json"),
            "created_at": job.created_at.isoformat(),
            "server": job.server,
        }
        rows = [
            {
                "job_id": job.job_id,
                "number": number,
                "name": file.name,
                "path": file.path,
                "is_upload": file.is_upload,
                "n_bytes": file.n_bytes,
                "state": (FileState.FAILED if file.code else FileState.WAITING).value,
                "code": file.code,
            }
            for number, file in enumerate(files, 1)
        ]
        with writing(self._engine) as connection:
            _see_room(connection, job.owner, per_owner=per_owner, in_all=in_all)
            connection.execute(_jobs.insert().values(row))
            connection.execute(_files.insert(), rows)

    def job(self, job_id: str) -> Job:
        """One job. Raises `UnknownJob`."""
        found, _ = self.jobs(job_id=job_id, limit=1)
        if not found:
            raise UnknownJob(f"没有编号为 {job_id} 的任务，可能已删除。")
        return found[0]

    def jobs(
        self,
        *,
        job_id: str | None = None,
        owner: str | None = None,
        states: Sequence[JobState] = (),
        is_oldest_first: bool = False,
        offset: int = 0,
        limit: int = 50,
    ) -> tuple[list[Job], int]:
        """Jobs, and how many fit in all."""
        conditions = []
        if job_id is not None:
            conditions.append(_jobs.c.job_id == job_id)
        if owner is not None:
            conditions.append(_jobs.c.owner == owner)
        if states:
            conditions.append(_jobs.c.state.in_([state.value for state in states]))
        order = (_jobs.c.created_at, _jobs.c.job_id)
        ordered = order if is_oldest_first else tuple(column.desc() for column in order)
        query = sa.select(_jobs).where(*conditions).order_by(*ordered).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(_jobs).where(*conditions))
            rows = connection.execute(query).all()
            counts = _counts(connection, [row.job_id for row in rows])
        return [_to_job(row, counts.get(row.job_id, FileCounts())) for row in rows], total or 0

    def known(self) -> set[str]:
        """The identifiers of all jobs."""
        with self._engine.connect() as connection:
            return set(connection.scalars(sa.select(_jobs.c.job_id)))

    def change(
        self,
        job_id: str,
        state: JobState,
        *,
        only_from: Iterable[JobState],
        at: datetime,
        code: str | None = None,
        held_by: str | None = None,
        only_held_by: str | None = None,
    ) -> bool:
        """Bring a job into another state; False where it is in none of `only_from`.

        `held_by` is the process that works on it from now on, `only_held_by` the one that must have done so.
        """
        values: dict[str, Any] = {"state": state.value, "code": code, "ended_at": None, "held_by": held_by}
        if state is JobState.RUNNING:
            values["begun_at"] = sa.func.coalesce(_jobs.c.begun_at, at.isoformat())
        if state.is_over:
            values["ended_at"] = at.isoformat()
        states = [each.value for each in only_from]
        change = _jobs.update().where(_jobs.c.job_id == job_id, _jobs.c.state.in_(states)).values(values)
        if only_held_by is not None:
            change = change.where(_jobs.c.held_by == only_held_by)
        with writing(self._engine) as connection:
            return connection.execute(change).rowcount > 0

    def running(self) -> dict[str, str | None]:
        """Those that are worked on, and by which process."""
        query = sa.select(_jobs.c.job_id, _jobs.c.held_by).where(_jobs.c.state == JobState.RUNNING.value)
        with self._engine.connect() as connection:
            return {row.job_id: row.held_by for row in connection.execute(query)}

    def requeue_running(self) -> None:
        """Let those that a stopped server had begun go on in their turn."""
        change = _jobs.update().where(_jobs.c.state == JobState.RUNNING.value)
        with writing(self._engine) as connection:
            connection.execute(change.values(state=JobState.QUEUED.value, held_by=None))

    def requeue(self, job_id: str, held_by: str | None) -> bool:
        """Let one go on that nobody works on any more; False where somebody else has seen to it."""
        change = _jobs.update().where(
            _jobs.c.job_id == job_id,
            _jobs.c.state == JobState.RUNNING.value,
            _jobs.c.held_by.is_not_distinct_from(held_by),
        )
        with writing(self._engine) as connection:
            change = change.values(state=JobState.QUEUED.value, held_by=None)
            return connection.execute(change).rowcount > 0

    def retry(self, job_id: str, *, per_owner: int, in_all: int) -> bool:
        """Let files that failed wait again and queue the job; False where it is not over.

        Raises `JobsFull`.
        """
        over = [state.value for state in JobState if state.is_over]
        with writing(self._engine) as connection:
            query = sa.select(_jobs.c.owner).where(_jobs.c.job_id == job_id, _jobs.c.state.in_(over))
            owner = connection.scalar(query)
            if owner is None:
                return False
            _see_room(connection, owner, per_owner=per_owner, in_all=in_all)
            connection.execute(
                _files.update()
                .where(_files.c.job_id == job_id, _files.c.state == FileState.FAILED.value)
                .values(state=FileState.WAITING.value, code=None)
            )
            connection.execute(
                _jobs.update()
                .where(_jobs.c.job_id == job_id)
                .values(state=JobState.QUEUED.value, code=None, ended_at=None, held_by=None)
            )
        return True

    def begin_again(self, job_id: str) -> None:
        """Let files that were transcribed wait again: what was written of them is lost."""
        done = sa.and_(_files.c.job_id == job_id, _files.c.state == FileState.DONE.value)
        with writing(self._engine) as connection:
            connection.execute(_files.update().where(done).values(state=FileState.WAITING.value, code=None))

    def delete(self, job_id: str) -> None:
        """Forget a job with its files and lines; their place in the database is overwritten."""
        with writing(self._engine) as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            for table in (_lines, _files, _jobs):
                connection.execute(table.delete().where(table.c.job_id == job_id))

    def files(
        self,
        job_id: str,
        *,
        state: FileState | None = None,
        after: int = 0,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[JobFile]:
        """Files of a job by their numbers, those beyond `after`."""
        query = sa.select(_files).where(_files.c.job_id == job_id, _files.c.number > after)
        if state is not None:
            query = query.where(_files.c.state == state.value)
        query = query.order_by(_files.c.number).offset(offset)
        with self._engine.connect() as connection:
            return [
                _to_file(row) for row in connection.execute(query if limit is None else query.limit(limit))
            ]

    def file(self, job_id: str, number: int) -> JobFile:
        """One file. Raises `UnknownJob`."""
        for file in self.files(job_id, after=number - 1, limit=1):
            if file.number == number:
                return file
        raise UnknownJob(f"任务里没有第 {number} 个文件。", code="job.unknown_file")

    def finish_file(
        self,
        job_id: str,
        number: int,
        *,
        digest: str,
        fingerprint: str,
        seconds: float,
        notes: Sequence[str],
        worked_s: float = 0.0,
    ) -> None:
        """Put on record that a file has its transcript, and the time since the one before it."""
        self._end_file(
            job_id,
            number,
            worked_s,
            state=FileState.DONE.value,
            code=None,
            digest=digest,
            fingerprint=fingerprint,
            seconds=seconds,
            notes=list(notes),
        )

    def fail_file(self, job_id: str, number: int, code: str, *, worked_s: float = 0.0) -> None:
        """Put on record why a file has none."""
        self._end_file(job_id, number, worked_s, state=FileState.FAILED.value, code=code)

    def lines(self, job_id: str, number: int | None = None) -> dict[int, dict[str, LineEdit]]:
        """What people wrote, by file and segment."""
        query = sa.select(_lines).where(_lines.c.job_id == job_id)
        if number is not None:
            query = query.where(_lines.c.number == number)
        found: dict[int, dict[str, LineEdit]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                line = LineEdit(
                    segment_id=row.segment_id,
                    text=row.text,
                    author=row.author,
                    at=datetime.fromisoformat(row.at),
                )
                found.setdefault(row.number, {})[row.segment_id] = line
        return found

    def write_line(self, job_id: str, number: int, line: LineEdit) -> None:
        """Put a line in place of an earlier one."""
        key = {"job_id": job_id, "number": number, "segment_id": line.segment_id}
        with writing(self._engine) as connection:
            connection.execute(_lines.delete().filter_by(**key))
            connection.execute(
                _lines.insert().values(
                    key | {"text": line.text, "author": line.author, "at": line.at.isoformat()}
                )
            )

    def drop_line(self, job_id: str, number: int, segment_id: str) -> None:
        """Take a person's line back."""
        key = {"job_id": job_id, "number": number, "segment_id": segment_id}
        with writing(self._engine) as connection:
            connection.execute(_lines.delete().filter_by(**key))

    def _end_file(self, job_id: str, number: int, worked_s: float, **values: Any) -> None:
        change = _files.update().where(_files.c.job_id == job_id, _files.c.number == number)
        job = _jobs.update().where(_jobs.c.job_id == job_id)
        with writing(self._engine) as connection:
            connection.execute(change.values(values))
            connection.execute(job.values(worked_s=_jobs.c.worked_s + worked_s))


def _see_room(connection: sa.Connection, owner: str, *, per_owner: int, in_all: int) -> None:
    query = sa.select(_jobs.c.owner, sa.func.count()).where(_jobs.c.state.in_(_ALIVE)).group_by(_jobs.c.owner)
    alive: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    if alive.get(owner, 0) >= per_owner:
        raise JobsFull(
            f"您已有 {per_owner} 个任务未完成，请等其中一个完成，或取消一个。", code="job.too_many"
        )
    if sum(alive.values()) >= in_all:
        raise JobsFull(f"排队的任务已有 {in_all} 个，暂不接收新任务，请稍后再试。")


def _counts(connection: sa.Connection, job_ids: Sequence[str]) -> dict[str, FileCounts]:
    query = (
        sa.select(
            _files.c.job_id,
            _files.c.state,
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(_files.c.seconds), 0.0),
            sa.cast(sa.func.sum(_files.c.n_bytes), sa.BigInteger),  # else PostgreSQL answers a decimal
        )
        .where(_files.c.job_id.in_(job_ids))
        .group_by(_files.c.job_id, _files.c.state)
    )
    found: dict[str, dict[str, Any]] = {}
    for job_id, state, number, seconds, bytes_in_all in connection.execute(query):
        counts, n_bytes = found.setdefault(job_id, {}), int(bytes_in_all)  # a decimal with PostgreSQL
        counts[state] = number
        if state == FileState.DONE:
            counts |= {"done_s": seconds, "done_bytes": n_bytes}
        if state == FileState.WAITING:
            counts["waiting_bytes"] = n_bytes
    return {job_id: FileCounts(**counts) for job_id, counts in found.items()}


def _to_job(row: Any, files: FileCounts) -> Job:
    return Job(
        job_id=row.job_id,
        owner=row.owner,
        owner_name=row.owner_name,
        name=row.name,
        state=JobState(row.state),
        options=_OPTIONS.validate_python(row.options),
        created_at=datetime.fromisoformat(row.created_at),
        begun_at=datetime.fromisoformat(row.begun_at) if row.begun_at else None,
        ended_at=datetime.fromisoformat(row.ended_at) if row.ended_at else None,
        code=row.code,
        worked_s=row.worked_s,
        held_by=row.held_by,
        server=row.server,
        files=files,
    )


def _to_file(row: Any) -> JobFile:
    return JobFile(
        job_id=row.job_id,
        number=row.number,
        name=row.name,
        path=row.path,
        is_upload=row.is_upload,
        n_bytes=row.n_bytes,
        state=FileState(row.state),
        code=row.code,
        digest=row.digest,
        fingerprint=row.fingerprint,
        seconds=row.seconds,
        notes=tuple(row.notes or ()),
    )
