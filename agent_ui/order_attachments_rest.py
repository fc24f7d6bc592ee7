"""Files that belong to work orders, over REST: bring, list, fetch, remove and bring back.

In: HTTP requests that passed the door. Out: JSON, files; errors as `{"code", "message"}` under `detail`.
Not known here: where files lie, which kinds are taken.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict

from agent_ui.door import note_target
from agent_ui.order_access import OrderAccess, person_of, see_scope
from agent_ui.paging import RowNumber
from agent_ui.uploads import UploadLimits, UploadRefused, disk_full, receive_form
from calls.orders.attachments import file_name_of
from calls.orders.desk import OrderDesk
from calls.orders.kinds import PICTURES, media_by_name
from calls.orders.types import Attachment, BadOrder, NotYourPart, Part, Person

_INCOMING = "incoming"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentLimits:
    """How much one file may hold, and how much room must be left."""

    max_bytes: int
    min_free_bytes: int


class AttachmentStepOut(BaseModel):
    """A file came, or was taken away."""

    model_config = ConfigDict(from_attributes=True)

    action: str
    author: str
    at: datetime


class AttachmentOut(BaseModel):
    """A file that belongs to an order; one that was removed can be brought back."""

    model_config = ConfigDict(from_attributes=True)

    attachment_id: int
    name: str
    n_bytes: int
    media_type: str
    author: str
    at: datetime
    is_removed: bool
    steps: list[AttachmentStepOut]

    @classmethod
    def of(cls, attachment: Attachment) -> "AttachmentOut":
        """The same for people."""
        values: dict[str, Any] = {
            name: getattr(attachment, name) for name in cls.model_fields if name != "media_type"
        }
        return cls.model_validate(values | {"media_type": media_by_name(attachment.name)})


class AttachmentChangeIn(BaseModel):
    """Whether it is removed."""

    is_removed: bool
    author: str = ""


def order_attachments_router(desk: OrderDesk, limits: AttachmentLimits) -> APIRouter:
    """`/v1/orders/{order_id}/attachments`."""
    router = APIRouter(
        prefix="/v1/orders/{order_id}/attachments", tags=["orders"], dependencies=[Depends(see_scope)]
    )
    access = OrderAccess(desk)
    store = desk.attachments

    @router.get("")
    def list_attachments(order_id: str, request: Request) -> list[AttachmentOut]:
        """List the files of an order, also those that were removed, oldest first."""
        with access.answering(request):
            access.seen(order_id, request)
        return [AttachmentOut.of(one) for one in store.every(order_id)]

    @router.post("", status_code=201, openapi_extra=_DOCUMENTED)
    async def add_attachment(order_id: str, request: Request) -> AttachmentOut:
        """Bring a file, as a form with the field `file`."""
        with access.answering(request):
            await run_in_threadpool(access.seen, order_id, request)
        bounds = UploadLimits(max_bytes=limits.max_bytes, min_free_bytes=limits.min_free_bytes)
        with _incoming(store.folder) as folder, _storing(), access.answering(request):
            form = await receive_form(request, folder, bounds)
            if not form.files:
                raise BadOrder("请选择一个文件。", code="order.attachment_needed")
            file, given = form.files[0], form.fields.get("author", [""])[0]
            person = person_of(request, given)
            added = await run_in_threadpool(
                lambda: store.add(order_id, file.path, file.name, author=person.name, now=desk.clock())
            )
        note_target(request, added.name)
        return AttachmentOut.of(added)

    @router.get("/{attachment_id}", response_class=FileResponse)
    def get_attachment(
        order_id: str,
        attachment_id: RowNumber,
        request: Request,
        *,
        inline: Annotated[bool, Query(description="Show a picture in the page.")] = False,
    ) -> FileResponse:
        """Fetch a file. A browser saves it, and never runs what is in it."""
        with access.answering(request):
            access.seen(order_id, request)
            attachment = store.attachment(order_id, attachment_id)
        media = media_by_name(attachment.name)
        way = "inline" if inline and media in PICTURES else "attachment"
        headers = {
            "Content-Disposition": f"{way}; filename*=UTF-8''{quote(file_name_of(attachment))}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        }
        return FileResponse(store.place(attachment.sha256), media_type=media, headers=headers)

    @router.patch("/{attachment_id}")
    def change_attachment(
        order_id: str, attachment_id: RowNumber, body: AttachmentChangeIn, request: Request
    ) -> AttachmentOut:
        """Remove a file, or bring it back; for whoever brought it, and for the centre."""
        with access.answering(request):
            access.seen(order_id, request)
            attachment = store.attachment(order_id, attachment_id)
            person = person_of(request, body.author)
            _see_whose(attachment, person)
            changed = store.set_removed(
                order_id, attachment_id, body.is_removed, author=person.name, now=desk.clock()
            )
        note_target(request, f"{changed.name} {'removed' if changed.is_removed else 'kept'}")
        return AttachmentOut.of(changed)

    return router


_DOCUMENTED = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            }
        },
    }
}


def _see_whose(attachment: Attachment, person: Person) -> None:
    if attachment.author != person.name and Part.CENTRE not in person.parts:
        raise NotYourPart("附件由上传的人或中心移除。")


@contextmanager
def _incoming(folder: Path) -> Iterator[Path]:
    """A folder for what comes in, beside where it will lie, gone afterwards."""
    try:
        (folder / _INCOMING).mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(dir=folder / _INCOMING))
    except OSError:
        raise _told(disk_full()) from None
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except UploadRefused as error:
        raise _told(error) from None
    except OSError:
        raise _told(disk_full()) from None


def _told(error: UploadRefused) -> HTTPException:
    return HTTPException(error.status, {"code": error.code, "message": error.message})
