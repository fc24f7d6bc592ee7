"""Help with an order: others that are alike, departments it may go to, attachments, the list as a file."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from calls.orders.attachments import MOST_OF_ONE_ORDER, Attachments
from calls.orders.desk import OrderDesk
from calls.orders.kinds import media_of
from calls.orders.suggesting import Why
from calls.orders.types import Deed, MatterType, Order, OrderContent, Part, Person, Wish
from calls.orders.vectors import OrderVectors
from tests.conftest import Clock
from tests.order_parts import order_desk
from tests.test_orders_rest import begin, departments, opened, step
from tests.wrapup_parts import embed, sample_lore

LI = Person(name="li", parts=frozenset(Part))
DAY_S = 86_400
PDF = b"%PDF-1.7\n" + b"x" * 100
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


def make(desk: OrderDesk, summary: str, **content: Any) -> Order:
    whole = OrderContent(**({"type": MatterType.HELP, "summary": summary} | content))
    return desk.begin(whole, LI, call_id=None, operator_id=None)


def do(desk: OrderDesk, order: Order, *deeds: Deed, **with_: Any) -> Order:
    for deed in deeds:
        order = desk.move(order.order_id, Wish(deed=deed, **with_), LI, expected=order.version)
    return order


@pytest.fixture
def desk(engine: Engine, tmp_path: Path, clock: Clock) -> OrderDesk:
    return order_desk(engine, tmp_path, clock, sample_lore)


def test_duplicates_and_repeats_are_found_among_the_orders_of_a_month(desk: OrderDesk, clock: Clock) -> None:
    place = {"district": "定海区", "address": "环城南路216号"}
    long_ago = make(desk, "环城南路路灯不亮", caller_phone="13900000000", **place)
    clock.advance(31 * DAY_S)
    first = make(desk, "环城南路的路灯不亮了", caller_phone="13900000000", **place)
    elsewhere = make(desk, "环城南路路灯不亮", district="普陀区", address="东海中路8号")
    other = make(desk, "公交车在站点不停靠", caller_phone="13900000000", **place)
    gone = make(desk, "环城南路路灯不亮", **place)
    desk.move(gone.order_id, Wish(deed=Deed.MERGE, into=first.order_id), LI, expected=1)
    clock.advance(60)
    new = make(desk, "环城南路路灯不亮", caller_phone="+86 139 0000 0000", **place)
    alike = desk.alike(new)
    assert [one.order_id for one in alike.duplicates] == [first.order_id]
    assert (alike.duplicates[0].place, alike.duplicates[0].is_same_caller) == (1.0, True)
    assert alike.repeats.order_ids == (new.order_id, other.order_id, first.order_id)
    assert alike.repeats.is_repeated
    assert not desk.alike(other).repeats.is_repeated
    assert desk.alike(elsewhere).duplicates == ()
    assert desk.alike(long_ago).duplicates == ()


def test_a_vector_is_made_once_for_a_text_and_anew_for_another_model(engine: Engine, desk: OrderDesk) -> None:
    asked: list[str] = []

    def counted(text: str) -> Any:
        asked.append(text)
        return embed(text)

    order = make(desk, "路灯不亮")
    vectors = OrderVectors(engine, counted, model="characters")
    assert np.array_equal(vectors.keep(order.order_id, "路灯不亮"), embed("路灯不亮"))
    assert asked == []
    vectors.keep(order.order_id, "路灯全灭")
    other = OrderVectors(engine, counted, model="another")
    (remembered,) = other.recent(order.created_at)
    assert remembered.vector is None
    other.keep(order.order_id, "路灯不亮")
    assert asked == ["路灯全灭", "路灯不亮"]
    (remembered,) = other.recent(order.created_at)
    assert remembered.vector is not None


def test_departments_come_with_their_reasons(desk: OrderDesk) -> None:
    summary = "路灯不亮，晚上看不清路"
    suggested = desk.departments(make(desk, summary, detail="小区外面的路灯坏了好几天了。"))
    assert suggested
    (knowledge,) = suggested[0].reasons
    assert (knowledge.why, bool(knowledge.detail)) == (Why.KNOWLEDGE, True)
    assert all(0 <= one.confidence < 1 for one in suggested)
    assert desk.departments(make(desk, "路灯不亮"))[0].unit_id == suggested[0].unit_id, "however short"
    # Who has answered the same before is told, whatever the articles say.
    handled = do(desk, make(desk, summary), Deed.ACCEPT)
    handled = do(desk, handled, Deed.DISPATCH, department_id="SZ15")
    do(desk, handled, Deed.TAKE, Deed.ANSWER, answer="已修好。")
    again = {one.unit_id: one for one in desk.departments(make(desk, summary))}
    assert (again["SZ15"].reasons[-1].why, again["SZ15"].reasons[-1].detail) == (Why.HISTORY, "1")
    # What the order says itself comes first.
    own = desk.departments(make(desk, summary, department_id="SZ01"))
    assert (own[0].unit_id, own[0].reasons[0].why) == ("SZ01", Why.WRITTEN_DOWN)


def test_the_department_of_the_district_is_an_alternative(desk: OrderDesk) -> None:
    order = make(desk, "路灯不亮", district="普陀区")
    handled = do(desk, make(desk, "路灯不亮"), Deed.ACCEPT)
    city = next(unit for unit in desk.directory.units.values() if unit.name == "市综合行政执法局")
    handled = do(desk, handled, Deed.DISPATCH, department_id=city.unit_id)
    do(desk, handled, Deed.TAKE, Deed.ANSWER, answer="已办。")
    found = {desk.directory.units[one.unit_id].name: one for one in desk.departments(order)}
    assert found["普陀区综合行政执法局"].reasons[0].why is Why.DISTRICT


def test_nothing_is_suggested_where_nothing_is_known(engine: Engine, tmp_path: Path, clock: Clock) -> None:
    desk = order_desk(engine, tmp_path, clock)
    assert desk.departments(make(desk, "路灯不亮")) == ()


async def test_what_is_alike_is_told_with_reasons_and_only_of_orders_one_may_see(tmp_path: Path) -> None:
    async with departments(tmp_path) as (zhao, of):
        place = {"caller_phone": "13900000000", "department_id": "SZ05"}
        orders = [await begin(zhao, **place) for _ in range(3)]
        told = (await zhao.get(f"/v1/orders/{orders[2]['order_id']}/alike")).json()
        assert [one["order"]["order_id"] for one in told["duplicates"]] == [
            orders[0]["order_id"],
            orders[1]["order_id"],
        ]
        assert told["duplicates"][0]["reasons"] == ["same_matter", "same_place", "same_caller"]
        assert (told["is_repeated"], len(told["repeats"])) == (True, 2)
        mine = await step(zhao, await step(zhao, orders[2], "accept"), "dispatch")
        seen = (await of["dian"].get(f"/v1/orders/{mine['order_id']}/alike")).json()
        assert seen == {"duplicates": [], "repeats": [], "is_repeated": False}
        assert (await of["shui"].get(f"/v1/orders/{mine['order_id']}/alike")).status_code == 404
        listed = await zhao.get(f"/v1/orders/{mine['order_id']}/departments")
        assert [one["reasons"][0]["why"] for one in listed.json()] == ["written_down"]


async def attach(
    client: httpx.AsyncClient, order: dict[str, Any], name: str, content: bytes
) -> httpx.Response:
    return await client.post(f"/v1/orders/{order['order_id']}/attachments", files={"file": (name, content)})


async def test_a_department_attaches_and_takes_back_what_it_brought(tmp_path: Path) -> None:
    async with departments(tmp_path) as (zhao, of):
        dian = of["dian"]
        order = await step(zhao, await begin(zhao, department_id="SZ05"), "accept")
        order = await step(zhao, order, "dispatch")
        url = f"/v1/orders/{order['order_id']}/attachments"
        made = await attach(dian, order, "../现场\u202e照片.PNG", PNG)
        assert made.status_code == 201, made.text
        file = made.json()
        assert (file["name"], file["n_bytes"], file["media_type"]) == ("现场照片.PNG", 108, "image/png")
        fetched = await zhao.get(f"{url}/{file['attachment_id']}")
        assert fetched.content == PNG
        assert fetched.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E7%8E%B0")
        assert fetched.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert fetched.headers["x-content-type-options"] == "nosniff"
        inline = await zhao.get(f"{url}/{file['attachment_id']}", params={"inline": True})
        assert inline.headers["content-disposition"].startswith("inline")
        own = (await attach(zhao, order, "说明.pdf", PDF)).json()
        pdf = await zhao.get(f"{url}/{own['attachment_id']}", params={"inline": True})
        assert pdf.headers["content-disposition"].startswith("attachment")
        refused = await dian.patch(f"{url}/{own['attachment_id']}", json={"is_removed": True})
        assert (refused.status_code, refused.json()["detail"]["code"]) == (403, "order.not_your_part")
        gone = await dian.patch(f"{url}/{file['attachment_id']}", json={"is_removed": True})
        assert gone.json()["is_removed"] is True
        back = await zhao.patch(f"{url}/{file['attachment_id']}", json={"is_removed": False})
        assert [(one["action"], one["author"]) for one in back.json()["steps"]] == [
            ("attached", "dian"),
            ("detached", "dian"),
            ("attached", "zhao"),
        ]
        assert (await of["shui"].get(url)).status_code == 404
        assert (await of["shui"].get(f"{url}/{file['attachment_id']}")).status_code == 404
        assert (await attach(of["shui"], order, "a.png", PNG)).status_code == 404
        unknown = await zhao.get(f"{url}/99")
        assert unknown.json()["detail"]["code"] == "order.unknown_attachment"


async def test_what_cannot_be_an_attachment_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, attachment_max_mb=1) as client:
        order = await begin(client)
        for name, content, status, code in (
            ("页面.html", b"<script>", 422, "order.attachment_type"),
            ("照片.jpg", b"<html>", 422, "order.attachment_type"),
            ("空.txt", b"", 422, "order.attachment_type"),
            ("大.png", PNG + bytes(1_100_000), 413, "upload.too_large"),
        ):
            answer = await attach(client, order, name, content)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (status, code), name
        nothing = await client.post(
            f"/v1/orders/{order['order_id']}/attachments", files={"author": (None, "li")}
        )
        assert nothing.json()["detail"]["code"] == "order.attachment_needed"
        assert [path for path in (tmp_path / "attachments").rglob("*") if path.is_file()] == []
    full = 10**9
    async with opened(tmp_path, min_free_mb=full) as client:
        answer = await attach(client, order, "说明.pdf", PDF)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (507, "upload.disk_full")
        assert answer.json()["detail"]["message"].endswith("。")


def test_the_same_bytes_lie_once_and_orders_have_their_bounds(
    engine: Engine, desk: OrderDesk, tmp_path: Path, clock: Clock
) -> None:
    store = Attachments(engine, tmp_path / "files")
    order = make(desk, "路灯不亮")

    def bring(name: str) -> None:
        (tmp_path / "in").write_bytes(PNG)
        store.add(order.order_id, tmp_path / "in", name, author="li", now=clock())

    for number in range(MOST_OF_ONE_ORDER):
        bring(f"{number}.png")
    assert len([path for path in (tmp_path / "files").rglob("*") if path.is_file()]) == 1
    with pytest.raises(Exception, match="最多"):
        bring("more.png")
    store.set_removed(order.order_id, 1, True, author="li", now=clock())
    bring("more.png")
    into = make(desk, "路灯")
    desk.move(order.order_id, Wish(deed=Deed.MERGE, into=into.order_id), LI, expected=1)
    with pytest.raises(Exception, match="已经结束"):
        store.set_removed(order.order_id, 2, True, author="li", now=clock())


@pytest.mark.parametrize(
    ("name", "head", "media"),
    [
        ("a.JPG", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a.docx", b"PK\x03\x04", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.txt", "说明".encode(), "text/plain; charset=utf-8"),
        ("a.wav", b"RIFF\0\0\0\0WAVE", "audio/wav"),
        ("a.txt", b"\0\1", None),
        ("a.exe", b"MZ", None),
        ("a.svg", b"<svg/>", None),
        ("png", b"\x89PNG\r\n\x1a\n", None),
    ],
)
def test_a_file_is_what_its_ending_says(name: str, head: bytes, media: str | None) -> None:
    assert media_of(name, head) == media


async def test_the_list_leaves_as_a_file_that_excel_opens(tmp_path: Path) -> None:
    async with departments(tmp_path) as (zhao, of):
        formula = await begin(zhao, summary='=HYPERLINK("http://x")', department_id="SZ05")
        await begin(zhao, type="投诉")
        answer = await zhao.get("/v1/orders/file")
        assert answer.content.startswith(b"\xef\xbb\xbf")
        assert answer.headers["content-disposition"].startswith('attachment; filename="orders-')
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [row["类型"] for row in rows] == ["投诉", "求助"]
        assert rows[1]["诉求摘要"] == '\'=HYPERLINK("http://x")'
        assert (rows[1]["状态"], rows[1]["承办单位"]) == ("草稿", "市公安局")
        only = await zhao.get("/v1/orders/file", params={"type": "投诉"})
        assert len(only.text.strip().splitlines()) == 2
        assert len((await of["dian"].get("/v1/orders/file")).text.strip().splitlines()) == 1
        assert formula["deeds"] == ["accept", "merge"]


async def test_orders_come_by_deadline_where_that_is_asked(tmp_path: Path) -> None:
    async with opened(tmp_path) as client:
        ids = []
        for urgency in ("普通", "特急", "紧急"):
            order = await step(client, await begin(client, urgency=urgency), "accept")
            ids.append((await step(client, order, "dispatch", department_id="SZ05"))["order_id"])
        ids.append((await begin(client))["order_id"])

        async def listed(**asked: Any) -> list[int]:
            found = (await client.get("/v1/orders", params=asked)).json()["orders"]
            return [ids.index(one["order_id"]) for one in found]

        assert await listed(by_due=True) == [1, 2, 0, 3]
        assert 1 in await listed(due_soon=True)
        assert 3 not in await listed(due_soon=True)


def test_an_order_with_another_summary_is_compared_by_that(desk: OrderDesk) -> None:
    place = {"district": "定海区", "address": "环城南路216号"}
    make(desk, "公交车在站点不停靠", **place)
    order = make(desk, "路灯不亮", **place)
    assert desk.alike(order).duplicates == ()
    content = replace(order.content, summary="公交车在站点不停")
    order = desk.edit(order.order_id, content, LI, expected=1)
    assert len(desk.alike(order).duplicates) == 1
