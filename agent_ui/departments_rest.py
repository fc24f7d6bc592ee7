"""The directory of departments over REST.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: what a row of the CSV means, where the directory is kept.

The directory has an ETag. A change that brings `If-Match` is refused with 412 where somebody else was faster.
"""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from agent_ui.door import author_of
from agent_ui.order_bodies import UnitOut
from calls.orders.directory_file import DirectoryChanged, DirectoryFile, mark_of
from knowledge_base.decoding import decode
from knowledge_base.types import UnreadableFile

TOLD_ERRORS = 100


def departments_router(directories: DirectoryFile) -> APIRouter:
    """`/v1/departments`."""
    router = APIRouter(prefix="/v1/departments", tags=["orders"])

    @router.get("")
    def list_departments(response: Response) -> list[UnitOut]:
        """List the centre, its districts and everybody to whom orders go."""
        return _listed(directories, response)

    @router.put(
        "",
        openapi_extra={
            "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
        },
    )
    async def put_departments(
        request: Request,
        response: Response,
        if_match: Annotated[str | None, Header(description="The ETag of what was looked at.")] = None,
    ) -> list[UnitOut]:
        """Take another directory from a CSV, the body of the request; all of it or nothing."""
        content = await request.body()
        expected = None if if_match in (None, "*") else if_match.strip().strip('"')
        await run_in_threadpool(_replace, directories, content, by=author_of(request), expected=expected)
        return _listed(directories, response)

    return router


def _replace(directories: DirectoryFile, content: bytes, *, by: str, expected: str | None) -> None:
    try:
        read = directories.replace(decode(content), by=by, expected=expected)
    except DirectoryChanged as error:
        raise HTTPException(412, {"code": error.code, "message": error.message}) from None
    except UnreadableFile as error:
        raise HTTPException(422, {"code": error.code, "message": error.message}) from None
    except OSError as error:
        message = "名录未能保存，请检查磁盘空间和权限。"
        raise HTTPException(507, {"code": "directory.not_saved", "message": message}) from error
    if read.directory is None:
        rows = [
            {"row": error.row, "code": error.code, "message": error.message}
            for error in read.errors[:TOLD_ERRORS]
        ]
        message = f"有 {len(read.errors)} 处不能导入，名录没有改变，请改好后再试。"
        raise HTTPException(422, {"code": "directory.bad_rows", "message": message, "rows": rows})


def _listed(directories: DirectoryFile, response: Response) -> list[UnitOut]:
    directory = directories.now
    response.headers["ETag"] = f'"{mark_of(directory)}"'
    return [UnitOut.model_validate(unit) for unit in directory.units.values()]
