"""What came of a job: papers of its files, with the lines that people put right, one by one or all together.

In: jobs and files on record, the words of the house. Out: `Paper`s, an archive.
Not known here: HTTP, how anything is recognised.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asr.batch.manifest import Manifest
from asr.batch.papers.formats import Format, put_on_paper
from asr.batch.papers.types import LineEdit, Paper, paper_of, with_edits
from asr.batch.recorded import RecordedEars
from asr.batch.sources import Named, result_names
from calls.jobs.store import JobStore
from calls.jobs.turn import BOOK
from calls.jobs.types import FileState, Job, JobFile, JobRefused, UnknownJob, job_sentence

_LEFT_OUT = "未转写.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All methods block. Any thread may call them."""

    store: JobStore
    ears: RecordedEars
    is_on_network: bool = False
    """Whether folders of jobs are ones that several servers have."""

    def paper(self, file: JobFile, folder: Path) -> Paper:
        """The transcript of one file; `folder` is its job's. Raises `UnknownJob`."""
        manifest = Manifest(folder / BOOK, is_on_network=self.is_on_network)
        try:
            edits = self.store.lines(file.job_id, file.number).get(file.number, {})
            return self._paper(file, manifest, edits)
        finally:
            manifest.close()

    def write_line(
        self, file: JobFile, folder: Path, segment_id: str, text: str | None, *, author: str, at: datetime
    ) -> Paper:
        """Put a line in place of a recognised one; None takes it back. Raises `UnknownJob`."""
        paper = self.paper(file, folder)
        if segment_id not in {segment.segment_id for segment in paper.segments}:
            raise UnknownJob("没有这一行，请刷新后再试。", code="job.unknown_line")
        if text is None:
            self.store.drop_line(file.job_id, file.number, segment_id)
        else:
            edit = LineEdit(segment_id=segment_id, text=text.strip(), author=author, at=at)
            self.store.write_line(file.job_id, file.number, edit)
        return self.paper(file, folder)

    def archive(self, job: Job, folder: Path, formats: Iterable[Format], target: Path) -> None:
        """Write all transcripts, and a list of what has none, into a ZIP file.

        Raises `JobRefused`, `OSError`.
        """
        if not job.files.done:
            raise JobRefused("还没有转写好的文件。", code="job.no_result")
        files = self.store.files(job.job_id)
        names = result_names(Named(path=Path(file.path), name=file.name) for file in files)
        edits = self.store.lines(job.job_id)
        manifest = Manifest(folder / BOOK, is_on_network=self.is_on_network)
        try:
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in files:
                    if file.state is not FileState.DONE:
                        continue
                    paper = self._paper(file, manifest, edits.get(file.number, {}))
                    for form in formats:
                        archive.writestr(f"{names[Path(file.path)]}.{form}", put_on_paper(paper, form))
                if left_out := [file for file in files if file.state is not FileState.DONE]:
                    archive.writestr(_LEFT_OUT, _list_of(left_out))
        finally:
            manifest.close()

    def _paper(self, file: JobFile, manifest: Manifest, edits: Mapping[str, LineEdit]) -> Paper:
        if file.state is not FileState.DONE or file.digest is None or file.fingerprint is None:
            raise UnknownJob("这个文件还没有转写好。", code="job.no_result")
        transcript = manifest.transcript(file.digest, file.fingerprint)
        if transcript is None:
            raise UnknownJob("这个文件的转写结果已不在。", code="job.no_result")
        paper = paper_of(
            transcript,
            name=file.name,
            call_id=f"{file.job_id}-{file.number}",
            lexicon=self.ears.lexicon(),
            keep_fillers=self.ears.keep_fillers,
        )
        return with_edits(paper, edits)


def _list_of(files: Iterable[JobFile]) -> bytes:
    """Files without a transcript as CSV, with a byte order mark so that Excel reads it as UTF-8."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("录音", "错误代码", "原因"))
    for file in files:
        name = f"'{file.name}" if file.name[:1] in ("=", "+", "-", "@") else file.name  # no formula
        rows.writerow((name, file.code or "", job_sentence(file.code) if file.code else "还没有转写。"))
    return ("\ufeff" + text.getvalue()).encode()
