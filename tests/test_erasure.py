"""A person who wants to be forgotten: all that a call leads to, erased, and every byte looked through."""

import asyncio
import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from calls.orders.erasure import ERASED
from calls.tables import calls
from knowledge_base.database import migrate, open_database, writing
from scripts.backing_up import back_up
from scripts.backup_store import BackupStore
from scripts.cli import app
from scripts.erasing import find_by_number
from scripts.restoring import restore
from tests.databases import USUAL, database_in
from tests.form_parts import if_match, script
from tests.house import START, House, receive, receive_until, running, send, sound
from tests.test_door import peopled, signed_in
from tests.waiting import until_true

NUMBER, NAME, PHRASE = "13812349876", "欧阳珊瑚", "鹦鹉螺灯塔的蓝色铁门"
DICTATED = "一三八一二三四九八七六"
SECRETS = (NUMBER, NAME, PHRASE, "鹦鹉螺", "蓝色铁门", DICTATED)
TALK = (
    "坐席:您好，12345热线，请问有什么可以帮您？",
    f"市民:我要投诉，定海区昌国街道东大街18号{PHRASE}坏了，没有人来管。",
    f"市民:{PHRASE}再不修我就不想活了，我要跳楼。",
    "坐席:好的，请问您贵姓，留个电话。",
    f"市民:我叫{NAME}，电话是{NUMBER}。",
    f"市民:再念一遍，{DICTATED}。",
)


def traces(folder: Path) -> dict[str, set[str]]:
    """In which files any of the secrets stands, in any way in which we write."""
    ways = {
        written: secret
        for secret in SECRETS
        for written in (
            secret.encode(),
            secret.encode("utf-16-le"),
            secret.encode("gb18030"),
            secret.encode("unicode-escape"),
        )
    }
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*")):
        for data in _contents(path):
            if its := {secret for written, secret in ways.items() if written in data}:
                found.setdefault(path.relative_to(folder).as_posix(), set()).update(its)
    return found


def _contents(path: Path) -> Iterator[bytes]:
    try:
        data = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return
    yield data
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
        yield from (archive.read(name) for name in archive.namelist())


async def order_of(client: httpx.AsyncClient) -> dict[str, Any]:
    """An order of the call with files and comments, brought to its end."""
    made = await client.post("/v1/calls/c-1/wrapup/order")
    assert made.status_code == 200, made.text
    order: dict[str, Any] = (await client.get(f"/v1/orders/{made.json()['order_id']}")).json()
    path = f"/v1/orders/{order['order_id']}"
    content = {name: order["content"][name] for name in ("summary", "district", "address")} | {
        "type": "咨询",
        "detail": PHRASE,
        "caller_name": NAME,
        "caller_phone": NUMBER,
    }
    order = (await client.put(path, json=content, headers=if_match(order["version"]))).json()
    for name, text in (("一.txt", f"{PHRASE} {NUMBER}"), ("二.txt", NAME)):
        brought = await client.post(
            f"{path}/attachments", files={"file": (name, text.encode(), "text/plain")}
        )
        assert brought.status_code == 201, brought.text
    said = await client.post(f"{path}/comments", json={"text": f"{NAME}又来电"})
    assert said.status_code == 201
    for step in (
        {"deed": "answer_at_once", "answer": f"{PHRASE}已修"},
        {"deed": "follow_up", "satisfaction": "satisfied", "note": NUMBER},
        {"deed": "close"},
    ):
        taken = await client.post(f"{path}/steps", json=step, headers=if_match(order["version"]))
        assert taken.status_code == 200, taken.text
        order = taken.json()
    return order


async def told(house: House, client: httpx.AsyncClient) -> dict[str, Any]:
    """A call with everything that a call can lead to; returns its order."""
    async with (
        house.socket("/v1/screens/operators/027") as screen,
        house.socket("/v1/calls/audio") as line,
    ):
        start = START | {"channels": ["citizen", "operator"], "call_id": "c-1", "operator_id": "027"}
        await send(line, start | {"caller": NUMBER, "meta": {"name": NAME}})
        await receive(line)
        await line.send(sound(7.0, channels=2))
        await receive_until(screen, lambda event: event["type"] == "alarm.raised")
        await send(screen, {"type": "note.write", "note_id": "n-1", "text": f"{PHRASE}，{NAME}"})
        correction = {"type": "segment.correct", "segment_id": "citizen-1", "text": f"改过：{PHRASE}"}
        await send(screen, correction)
        await receive_until(screen, lambda event: event["type"] == "segment.corrected")
        await send(line, {"type": "stop"})
        await receive_until(line, lambda event: event["type"] == "ended")

    async def form() -> bool:
        return bool((await client.get("/v1/calls/c-1/wrapup")).json()["is_final"])

    await until_true(form)
    version = (await client.get("/v1/calls/c-1/wrapup")).json()["version"]
    changed = await client.patch(
        "/v1/calls/c-1/wrapup",
        json={"fields": {"caller_name": NAME, "kind": "投诉", "summary": f"{PHRASE}坏了"}},
        headers=if_match(version),
    )
    assert changed.status_code == 200, changed.text
    order = await order_of(client)
    today = datetime.now(UTC).date().isoformat()
    report = await client.post("/v1/reports", json={"kind": "issue", "first": today, "last": today})
    assert report.status_code in (201, 422), report.text

    async def is_found() -> bool:
        page = (await client.get("/v1/calls/search", params={"q": "鹦鹉螺"})).json()
        return page["total"] == 1 and not page["behind"]

    await until_true(is_found)
    return order


def backed(data: Path, store: BackupStore, **options: Any) -> None:
    back_up(data, store, now=datetime.now(UTC), **options)


@pytest.mark.skipif(USUAL != "sqlite", reason="looks through the files of the data folder")
async def test_nothing_of_a_person_is_left_in_any_file(tmp_path: Path) -> None:
    data, store = tmp_path / "data", BackupStore(tmp_path / "backups")
    async with (
        running(data, script(*TALK)) as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        hook = {"name": "市平台", "url": "http://127.0.0.1:9/", "events": ["*"]}
        assert (await client.post("/v1/webhooks", json=hook)).status_code == 201
        order = await told(house, client)
        await asyncio.to_thread(backed, data, store)
        before = traces(data)
        places = {name.partition("/")[0].removesuffix("-wal") for name in before}
        assert places >= {"zhiting.db", "attachments"}
        assert set().union(*before.values()) == set(SECRETS)
        assert set().union(*traces(store.folder).values()) == set(SECRETS)

        env = {"ZHITING_DATA_DIR": str(data)}
        runner = CliRunner()
        listed = await asyncio.to_thread(runner.invoke, app, ["erase", NUMBER, "--dry-run"], env=env)
        assert listed.stdout.split() == ["c-1", order["order_id"]]
        done = await asyncio.to_thread(runner.invoke, app, ["erase", f"+86 {NUMBER}", "--yes"], env=env)
        assert done.exit_code == 0, done.output
        assert "已删除 2 项，共 2 项" in done.output
        again = await asyncio.to_thread(runner.invoke, app, ["erase", NUMBER, "--yes"], env=env)
        assert "通话 0 通，工单 0 张" in again.output

        left = (await client.get(f"/v1/orders/{order['order_id']}")).json()
        assert (left["state"], left["content"]["summary"]) == ("closed", ERASED)
        assert (await client.get(f"/v1/orders/{order['order_id']}/attachments")).json() == []
        history = (await client.get(f"/v1/orders/{order['order_id']}/history")).json()
        assert [one["action"] for one in history][-2:] == ["close", "erased"]
        assert (await client.get("/v1/calls/c-1")).status_code == 404
        await until_true(lambda: traces(data) == {})  # the log written ahead is emptied while calls go on

        assert traces(store.folder) != {}  # as documented: until the state is gone
        await asyncio.to_thread(backed, data, store)
        old = store.read(store.names()[0])
        await asyncio.to_thread(restore, store, old, tmp_path / "restored", now=datetime.now(UTC))
        assert traces(tmp_path / "restored") == {}
        await asyncio.to_thread(backed, data, store, keep=1)
        assert traces(store.folder) == {}
    assert traces(data) == {}


async def test_an_order_is_erased_by_admins_once_it_is_over(tmp_path: Path) -> None:
    async with (
        peopled(tmp_path) as house,
        signed_in(house, "admin") as admin,
        signed_in(house, "zhao") as boss,
    ):
        body = {"type": "咨询", "summary": PHRASE, "caller_phone": NUMBER, "caller_name": NAME}
        order = (await boss.post("/v1/orders", json=body)).json()
        path = f"/v1/orders/{order['order_id']}"
        same = {"file": ("同.txt", PHRASE.encode(), "text/plain")}
        other = (await boss.post("/v1/orders", json=body | {"summary": "别的"})).json()
        for each in (order, other):
            assert (
                await boss.post(f"/v1/orders/{each['order_id']}/attachments", files=same)
            ).status_code == 201
        accepted = await boss.post(
            f"{path}/steps", json={"deed": "accept"}, headers=if_match(order["version"])
        )
        version = accepted.json()["version"]
        why = {"reason": f"本人 {NUMBER} 要求"}
        assert (await boss.delete(path, params=why)).status_code == 403
        early = await admin.delete(path, params=why)
        assert (early.status_code, early.json()["detail"]["code"]) == (409, "order.not_over")
        for step in (
            {"deed": "answer_at_once", "answer": "好"},
            {"deed": "follow_up", "satisfaction": "neutral"},
        ):
            taken = await boss.post(f"{path}/steps", json=step, headers=if_match(version))
            version = taken.json()["version"]
        closed = await boss.post(f"{path}/steps", json={"deed": "close"}, headers=if_match(version))
        assert closed.json()["state"] == "closed"
        gone = await admin.delete(path, params=why)
        assert gone.status_code == 200, gone.text
        assert gone.json()["what"] == "order"
        assert NUMBER not in gone.text
        assert gone.json()["counts"]["order_attachments"] == 1
        kept = (await admin.get(f"/v1/orders/{other['order_id']}/attachments")).json()
        file = f"/v1/orders/{other['order_id']}/attachments/{kept[0]['attachment_id']}"
        assert (await admin.get(file)).content.decode() == PHRASE  # the same bytes are another order's too
        assert (await admin.delete("/v1/orders/20260101-000009", params=why)).status_code == 404
        deleted = (await admin.get("/v1/retention/deletions")).json()["deletions"]
        assert [one["call_id"] for one in deleted] == [order["order_id"]]


async def test_what_may_not_go_is_told_and_the_rest_goes(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "zhao") as boss:
        body = {"type": "求助", "summary": PHRASE, "caller_phone": f"0{NUMBER}"}
        order = (await boss.post("/v1/orders", json=body)).json()
        accept = {"deed": "accept"}
        path = f"/v1/orders/{order['order_id']}/steps"
        assert (await boss.post(path, json=accept, headers=if_match(1))).status_code == 200
        await boss.post("/v1/orders", json=body)  # a draft
        (tmp_path / "before-upgrade" / "20260101").mkdir(parents=True)
        runner, env = CliRunner(), {"ZHITING_DATA_DIR": str(tmp_path)}
        done = await asyncio.to_thread(runner.invoke, app, ["erase", NUMBER, "--yes"], env=env)
        assert done.exit_code == 1
        assert "已删除 1 项，共 2 项" in done.output
        assert f"{order['order_id']}：工单还没有办结" in done.output
        assert "before-upgrade/20260101" in done.output
        short = await asyncio.to_thread(runner.invoke, app, ["erase", "12345"], env=env)
        assert (short.exit_code, "至少要有 7 位" in short.output) == (2, True)


@pytest.mark.parametrize(
    ("kept", "asked", "is_it"),
    [
        (NUMBER, NUMBER, True),
        (f"+86 {NUMBER}", NUMBER, True),
        (NUMBER, f"0086-{NUMBER}", True),
        ("5820123", "0580-5820123", True),
        ("9876", NUMBER, False),
        (NUMBER, f"{NUMBER}1", False),
        ("", NUMBER, False),
    ],
)
def test_a_number_is_the_same_however_it_is_written(
    tmp_path: Path, kept: str, asked: str, is_it: bool
) -> None:
    engine = open_database(database_in(tmp_path))
    migrate(engine)
    row = {"call_id": "c-1", "state": "ended", "started_at": "2026-03-05T10:00:00+00:00", "seconds": 1.0}
    with writing(engine) as connection:
        connection.execute(insert(calls).values(row | {"caller": kept}))
    found = find_by_number(engine, asked)
    engine.dispose()
    assert found.calls == (("c-1",) if is_it else ())
