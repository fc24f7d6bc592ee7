"""Attachments in a store that servers share: brought to one, fetched from any, none lost while it is away."""

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from calls.orders.attachments import Attachments
from calls.orders.erasure import OrderEraser
from calls.orders.types import AttachmentAway
from knowledge_base.objects.opening import open_objects
from knowledge_base.objects.types import Objects
from tests.conftest import Clock
from tests.house import running
from tests.object_store import ObjectStore
from tests.order_parts import order_desk
from tests.test_orders_advice import PNG, attach, make
from tests.test_orders_rest import begin
from tests.waiting import until_true
from tests.wrapup_parts import sample_lore

pytestmark = pytest.mark.filterwarnings("error")

SHA = hashlib.sha256(PNG).hexdigest()
NAME = f"attachments/{SHA[:2]}/{SHA}"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_bytes_go_to_the_store_and_come_from_there(
    engine: Engine, tmp_path: Path, clock: Clock, objects: Objects
) -> None:
    order = make(order_desk(engine, tmp_path, clock, sample_lore), "路灯不亮")
    one, other = (Attachments(engine, tmp_path / name, objects) for name in ("a", "b"))
    for name in ("灯.png", "又一张.png"):
        (tmp_path / "in").write_bytes(PNG)
        one.add(order.order_id, tmp_path / "in", name, author="li", now=clock())
    assert [(stored.name, stored.n_bytes) for stored in objects.under("attachments/")] == [(NAME, len(PNG))]
    one.lend(SHA, tmp_path / "here")
    sender = one.sender()
    assert sender is not None
    (one.folder / "incoming" / "x").mkdir(parents=True)
    (one.folder / "incoming" / "x" / "file").write_bytes(b"being received")
    sender.round()
    assert [path.name for path in files_in(one.folder)] == ["file"]
    for number, store in enumerate((one, other)):
        store.lend(SHA, tmp_path / f"lent {number}")
        assert (tmp_path / f"lent {number}").read_bytes() == PNG
    objects.set_text(NAME, "not what it was")
    with pytest.raises(AttachmentAway):
        other.lend(SHA, tmp_path / "changed")
    objects.delete(NAME)
    with pytest.raises(AttachmentAway):
        other.lend(SHA, tmp_path / "gone")


def test_erased_bytes_go_from_the_store_and_come_from_no_server_again(
    engine: Engine, tmp_path: Path, clock: Clock, objects: Objects
) -> None:
    desk = order_desk(engine, tmp_path, clock, sample_lore)
    orders = [make(desk, "路灯不亮").order_id for _ in range(2)]
    one, other = (Attachments(engine, tmp_path / name, objects) for name in ("a", "b"))
    for order_id in orders:
        (tmp_path / "in").write_bytes(PNG)
        one.add(order_id, tmp_path / "in", "灯.png", author="li", now=clock())
    eraser = OrderEraser(engine, other)
    eraser.erase(orders[0], who="li", reason="本人要求", now=clock(), is_over=False)
    assert objects.size(NAME) == len(PNG)  # another order has the same
    eraser.erase(orders[1], who="li", reason="本人要求", now=clock(), is_over=False)
    assert objects.size(NAME) is None
    # The server that took them still has them, and does not bring them there again.
    sender = one.sender()
    assert sender is not None
    sender.round()
    assert (objects.size(NAME), len(files_in(one.folder))) == (None, 1)
    os.utime(one.place(SHA), (0, 0))
    sender.round()
    assert (objects.size(NAME), files_in(one.folder)) == (None, [])


def test_nothing_is_erased_while_the_store_is_away(
    engine: Engine, tmp_path: Path, clock: Clock, object_store: ObjectStore
) -> None:
    objects = open_objects(object_store.bucket(), endpoint=object_store.endpoint)
    assert objects is not None
    order = make(order_desk(engine, tmp_path, clock, sample_lore), "路灯不亮")
    files = Attachments(engine, tmp_path / "a", objects)
    (tmp_path / "in").write_bytes(PNG)
    files.add(order.order_id, tmp_path / "in", "灯.png", author="li", now=clock())
    object_store.cable.cut()
    with pytest.raises(AttachmentAway):
        OrderEraser(engine, files).erase(order.order_id, who="li", reason="", now=clock(), is_over=False)
    object_store.cable.mend()
    assert [one.name for one in files.every(order.order_id)] == ["灯.png"]
    assert objects.size(NAME) == len(PNG)
    objects.close()


async def test_two_houses_share_attachments(
    tmp_path: Path, postgres_url: str, object_store: ObjectStore
) -> None:
    settings: dict[str, Any] = {
        "database_url": postgres_url,
        "bus": "database",
        "lease_s": 60.0,
        "objects": object_store.bucket(),
        "s3_endpoint": object_store.endpoint,
    }
    objects = open_objects(settings["objects"], endpoint=object_store.endpoint)
    assert objects is not None
    async with (
        running(tmp_path / "a", **settings) as one,
        running(tmp_path / "b", **settings) as other,
        httpx.AsyncClient(base_url=one.url, timeout=120) as asks_one,
        httpx.AsyncClient(base_url=other.url, timeout=120) as asks_other,
    ):
        order = await begin(asks_one)
        url = f"/v1/orders/{order['order_id']}/attachments"
        made = await attach(asks_one, order, "灯.png", PNG)
        assert made.status_code == 201, made.text
        await until_true(lambda: not files_in(tmp_path / "a" / "attachments"))
        for client in (asks_one, asks_other):
            fetched = await client.get(f"{url}/{made.json()['attachment_id']}")
            assert (fetched.status_code, fetched.content) == (200, PNG)
            part = await client.get(f"{url}/{made.json()['attachment_id']}", headers={"Range": "bytes=2-5"})
            assert (part.status_code, part.content) == (206, PNG[2:6])
        # While the store is away files are taken, and are fetched from whoever took them.
        object_store.cable.cut()
        other_png = PNG + b"more"
        later = await attach(asks_one, order, "灯下.png", other_png)
        assert later.status_code == 201, later.text
        there = f"{url}/{later.json()['attachment_id']}"
        assert (await asks_one.get(there)).content == other_png
        for path in (there, f"{url}/{made.json()['attachment_id']}"):
            refused = await asks_other.get(path)
            assert (refused.status_code, refused.json()["detail"]["code"]) == (503, "order.attachment_away")
        object_store.cable.mend()
        await until_true(lambda: asyncio.to_thread(lambda: len(list(objects.under("attachments/"))) == 2))
        assert (await asks_other.get(there)).content == other_png
        for name in ("a", "b"):
            await until_true(lambda name=name: not files_in(tmp_path / name / "attachments"))
    objects.close()
