"""REST about single recordings of a job: transcript, sound, lines that people put right.

In: HTTP requests that passed the door. Out: files of every format, sound by stretches, JSON; errors as
`{"code", "message"}` under `detail`.
Not known here: how recordings are transcribed.
"""

import asyncio
from mimetypes import guess_type
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from agent_ui.door import author_of
from agent_ui.job_access import JobAccess, answering
from agent_ui.job_bodies import LineIn
from agent_ui.paging import RowNumber
from asr.batch.papers.formats import Format, put_on_paper
from calls.jobs.desk import JobDesk
from calls.jobs.types import UnknownJob

MEDIA = {
    Format.TXT: "text/plain; charset=utf-8",
    Format.SRT: "application/x-subrip; charset=utf-8",
    Format.VTT: "text/vtt; charset=utf-8",
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_NOT_KEPT = {"Cache-Control": "no-store"}
_NOT_GUESSED = {"X-Content-Type-Options": "nosniff"}


def job_files_router(desk: JobDesk) -> APIRouter:
    """The routes below `/v1/jobs/{job_id}/files`."""
    router = APIRouter(prefix="/v1/jobs/{job_id}/files", tags=["recordings"])
    access = JobAccess(desk)

    @router.get("/{number}/result", response_class=Response)
    async def get_result(
        job_id: str,
        number: RowNumber,
        request: Request,
        form: Annotated[Format, Query(alias="format")] = Format.JSON,
    ) -> Response:
        """The transcript of one file."""
        with answering():
            file, folder = await access.file(request, job_id, number)
            paper = await asyncio.to_thread(desk.results.paper, file, folder)
            content = await asyncio.to_thread(put_on_paper, paper, form)
        name = f"{PurePosixPath(file.name).name}.{form}"
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        return Response(content, media_type=MEDIA[form], headers=headers | _NOT_KEPT)

    @router.get("/{number}/audio", response_class=FileResponse)
    async def hear_file(
        job_id: str,
        number: RowNumber,
        request: Request,
        form: Annotated[Literal["original", "wav"], Query(alias="format")] = "original",
    ) -> Response:
        """The recording as it came, or as a WAV file that every player takes; stretches of it by `Range`."""
        with answering():
            file, folder = await access.file(request, job_id, number)
            path = Path(file.path)
            is_there = await asyncio.to_thread(
                lambda: path.is_file() and (file.is_upload or desk.is_readable(file.path))
            )
            if not is_there:
                raise UnknownJob("录音已不在原处。", code="job.no_audio")
            if form == "wav":
                path = await desk.sounds.wav(path, folder, number)
            return FileResponse(path, media_type=_sound_type(path), headers=_NOT_KEPT | _NOT_GUESSED)

    @router.put("/{number}/segments/{segment_id}", response_class=Response)
    async def write_line(
        job_id: str, number: RowNumber, segment_id: str, body: LineIn, request: Request
    ) -> Response:
        """Put a line right; what was recognised is kept beside it. Answers with the transcript as JSON."""
        with answering():
            file, folder = await access.file(request, job_id, number)
            paper = await asyncio.to_thread(
                lambda: desk.results.write_line(
                    file,
                    folder,
                    segment_id,
                    body.text,
                    author=author_of(request, body.author),
                    at=desk.clock(),
                )
            )
            return Response(put_on_paper(paper, Format.JSON), media_type=MEDIA[Format.JSON])

    return router


def _sound_type(path: Path) -> str:
    """What a browser is told that a recording is: never a page or a picture, whatever its ending says."""
    said, _ = guess_type(path.name)
    return said if said and said.startswith(("audio/", "video/")) else "application/octet-stream"
