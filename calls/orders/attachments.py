"""Files that belong to orders: a row for each in the database, the bytes once on disk, by their hash.

In: files that have come whole, names as people call them. Out: `Attachment`s, their bytes.
Not known here: HTTP, who may see an order.

What is removed is hidden, can be brought back, and stays in the history; its bytes stay as well, until the
order is erased (calls/orders/erasure.py). Where servers share a store the bytes go there as soon as that
answers.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from calls.moments import stamp
from calls.orders.events import attached
from calls.orders.kinds import media_of
from calls.orders.store import read_order
from calls.orders.tables import attachment_steps as _steps
from calls.orders.tables import attachments as _attachments
from calls.orders.types import (
    Attachment,
    AttachmentAway,
    AttachmentStep,
    BadOrder,
    StepRefused,
    UnknownOrder,
)
from calls.webhooks.outbox import put
from knowledge_base.database import writing
from knowledge_base.objects.sending import Candidate, Sender
from knowledge_base.objects.types import NoSuchObject, Objects, ObjectsAway

log = logging.getLogger(__name__)

MOST_OF_ONE_ORDER = 20
_PIECE = 1 << 20
_TOP, _HASH_SIGNS = "attachments", 64
_FORGOTTEN_AFTER_S = 600.0
"""When bytes go that no order has: another server erased it before they were in the store."""


@dataclass(frozen=True, slots=True)
class Attachments:
    """All methods block. Any thread may call them."""

    engine: Engine
    folder: Path
    objects: Objects | None = None
    """What all servers share; None: the bytes stay in the folder."""

    def add(self, order_id: str, file: Path, name: str, *, author: str, now: datetime) -> Attachment:
        """Take a file, which is moved. Raises `BadOrder`, `UnknownOrder`, `StepRefused`, `OSError`."""
        with file.open("rb") as opened:
            head = opened.read(_PIECE)
            if media_of(name, head) is None:
                message = (
                    "这个文件不能作附件：可传图片、PDF、Word、Excel、文本、录音和视频，内容要与扩展名相符。"
                )
                raise BadOrder(message, code="order.attachment_type")
            digest = hashlib.sha256(head)
            while piece := opened.read(_PIECE):
                digest.update(piece)
            os.fsync(opened.fileno())
        sha256, n_bytes = digest.hexdigest(), file.stat().st_size
        place = self.place(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        row = {
            "order_id": order_id,
            "name": name,
            "n_bytes": n_bytes,
            "sha256": sha256,
            "author": author,
            "at": stamp(now),
            "is_removed": False,
        }
        with writing(self.engine) as connection:
            order = read_order(connection, order_id)
            if order.state.is_over:
                raise StepRefused("工单已经结束，不能再加附件。", code="order.over")
            mine = sa.and_(_attachments.c.order_id == order_id, ~_attachments.c.is_removed)
            held = connection.scalar(sa.select(sa.func.count()).select_from(_attachments).where(mine))
            if (held or 0) >= MOST_OF_ONE_ORDER:
                message = f"一张工单最多 {MOST_OF_ONE_ORDER} 个附件，请先移除不需要的。"
                raise BadOrder(message, code="order.attachments_many")
            file.replace(place)  # while nobody can take the same content away (calls/orders/erasure.py)
            key = connection.execute(_attachments.insert().values(row)).inserted_primary_key
            assert key is not None
            self._note(connection, key[0], "attached", author=author, now=now)
        if self.objects is not None:
            with suppress(ObjectsAway, FileNotFoundError):  # the sender brings it there, or has done so
                self.objects.put(_stored_name(sha256), place)
        return self.attachment(order_id, key[0])

    def every(self, order_id: str) -> list[Attachment]:
        """All of an order, also those that were removed, oldest first."""
        found = sa.select(_attachments).where(_attachments.c.order_id == order_id)
        with self.engine.connect() as connection:
            rows = connection.execute(found.order_by(_attachments.c.attachment_id)).all()
            ids = [row.attachment_id for row in rows]
            steps = connection.execute(
                sa.select(_steps).where(_steps.c.attachment_id.in_(ids)).order_by(_steps.c.step_id)
            ).all()
        by_file: dict[int, list[sa.Row[Any]]] = {}
        for step in steps:
            by_file.setdefault(step.attachment_id, []).append(step)
        return [_to_attachment(row, by_file.get(row.attachment_id, [])) for row in rows]

    def attachment(self, order_id: str, attachment_id: int) -> Attachment:
        """One of an order. Raises `UnknownOrder`."""
        for one in self.every(order_id):
            if one.attachment_id == attachment_id:
                return one
        raise UnknownOrder("没有这个附件。", code="order.unknown_attachment")

    def set_removed(
        self, order_id: str, attachment_id: int, is_removed: bool, *, author: str, now: datetime
    ) -> Attachment:
        """Hide one, or bring it back; nothing happens where it is so already. Raises `UnknownOrder`."""
        if self.attachment(order_id, attachment_id).is_removed != is_removed:
            with writing(self.engine) as connection:
                if read_order(connection, order_id).state.is_over:
                    raise StepRefused("工单已经结束，附件不能再改。", code="order.over")
                change = _attachments.update().where(_attachments.c.attachment_id == attachment_id)
                connection.execute(change.values(is_removed=is_removed))
                action = "detached" if is_removed else "attached"
                self._note(connection, attachment_id, action, author=author, now=now)
        return self.attachment(order_id, attachment_id)

    def place(self, sha256: str) -> Path:
        """Where the bytes of that hash lie in the folder, if they lie there."""
        return self.folder / sha256[:2] / sha256

    def lend(self, sha256: str, into: Path) -> None:
        """Put the bytes of that hash into a new file, from the folder or from the store.

        Raises `AttachmentAway`, `OSError`.
        """
        with suppress(FileNotFoundError):
            shutil.copyfile(self.place(sha256), into)
            return
        if self.objects is None:
            raise AttachmentAway
        try:
            self.objects.fetch(_stored_name(sha256), into)
        except (ObjectsAway, NoSuchObject) as error:  # another server may not have brought it there yet
            raise AttachmentAway from error
        with into.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                log.error("an attachment in the object store is not what it was")
                raise AttachmentAway

    def sender(self) -> Sender | None:
        """What brings files to the store that could not be brought at once; None where there is none."""
        if self.objects is None:
            return None
        return Sender(
            objects=self.objects,
            find=lambda: _kept_in(self.folder),
            wanted=self._in_use,
            forget_s=_FORGOTTEN_AFTER_S,
        )

    def reach(self) -> None:
        """See that the store answers, before something goes from it. Raises `AttachmentAway`."""
        if self.objects is None:
            return
        try:
            self.objects.size(f"{_TOP}/reached")
        except ObjectsAway as error:
            raise AttachmentAway from error

    def drop(self, sha256: str) -> None:
        """Take the bytes of that hash away, here and from the store. Raises `AttachmentAway`."""
        if self.objects is not None:
            try:
                self.objects.delete(_stored_name(sha256))
            except ObjectsAway as error:
                raise AttachmentAway from error
        self.place(sha256).unlink(missing_ok=True)

    def _in_use(self, names: list[str]) -> set[str]:
        """Those of the store's names whose bytes some order has; others were erased."""
        hashes = [name.rpartition("/")[2] for name in names]
        with self.engine.connect() as connection:
            found = sa.select(_attachments.c.sha256).where(_attachments.c.sha256.in_(hashes))
            return {_stored_name(sha256) for sha256 in connection.scalars(found)}

    def _note(
        self, connection: Connection, attachment_id: int, action: str, *, author: str, now: datetime
    ) -> None:
        step = {"attachment_id": attachment_id, "action": action, "author": author, "at": stamp(now)}
        key = connection.execute(_steps.insert().values(step)).inserted_primary_key
        assert key is not None
        row = connection.execute(
            sa.select(_attachments).where(_attachments.c.attachment_id == attachment_id)
        ).one()
        order = read_order(connection, row.order_id)
        put(connection, attached(order, key[0], action=action, name=row.name, author=author, now=now))


def _stored_name(sha256: str) -> str:
    return f"{_TOP}/{sha256[:2]}/{sha256}"


def _kept_in(folder: Path) -> Iterator[Candidate]:
    for path in sorted(folder.glob("[0-9a-f][0-9a-f]/*")):
        if len(path.name) == _HASH_SIGNS:
            yield Candidate(_stored_name(path.name), path)


def file_name_of(attachment: Attachment) -> str:
    """What a download is called: never a way into another folder."""
    return PurePosixPath(attachment.name).name or "附件"


def _to_attachment(row: sa.Row[Any], steps: list[sa.Row[Any]]) -> Attachment:
    return Attachment(
        attachment_id=row.attachment_id,
        order_id=row.order_id,
        name=row.name,
        n_bytes=row.n_bytes,
        sha256=row.sha256,
        author=row.author,
        at=datetime.fromisoformat(row.at),
        is_removed=row.is_removed,
        steps=tuple(
            AttachmentStep(action=one.action, author=one.author, at=datetime.fromisoformat(one.at))
            for one in steps
        ),
    )
