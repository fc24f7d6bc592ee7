"""Work orders through the real application: from a call to its end, who may do what, many at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.orders.store import OrderFilter, OrderStore
from calls.orders.types import MatterType, OrderContent, OrderState
from calls.orders.views import View
from knowledge_base.database import open_database
from tests.databases import in_both_houses, prepare
from tests.house import START, receive, running, send, sound
from tests.test_access import PASSWORD
from tests.test_door import cookie, peopled, signed_in

MATTER = {"type": "求助", "summary": "路灯不亮", "address": "定海区环城南路216号", "district": "定海区"}


@asynccontextmanager
async def opened(data_dir: Path, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running(data_dir, **changes) as house,
        httpx.AsyncClient(base_url=house.url, timeout=60, limits=httpx.Limits(max_connections=50)) as client,
    ):
        yield client


async def begin(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v1/orders", json=MATTER | changes)
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    assert answer.headers["ETag"] == f'"{order["version"]}"'
    assert answer.headers["Location"] == f"/v1/orders/{order['order_id']}"
    return order


async def step(
    client: httpx.AsyncClient, order: dict[str, Any], deed: str, *, code: int = 200, **with_: Any
) -> dict[str, Any]:
    """The order after the step, or the detail of the refusal."""
    answer = await client.post(
        f"/v1/orders/{order['order_id']}/steps",
        json={"deed": deed} | with_,
        headers={"If-Match": f'"{order["version"]}"'},
    )
    assert answer.status_code == code, answer.text
    told: dict[str, Any] = answer.json()
    if code == 200:
        assert answer.headers["ETag"] == f'"{told["version"]}"'
        return told
    detail: dict[str, Any] = told["detail"]
    assert detail["message"].endswith("。")
    return detail


@in_both_houses
async def test_an_order_from_beginning_to_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as client:
        units = (await client.get("/v1/departments")).json()
        assert len(units) == 1 + 6 + 122
        electricity = next(unit["unit_id"] for unit in units if unit["name"] == "舟山供电公司")
        order = await begin(client, urgency="紧急")
        assert (order["state"], order["version"], order["due_at"]) == ("draft", 1, None)
        order = await step(client, order, "accept")
        assert (await step(client, order, "dispatch", code=422))["code"] == "order.department_needed"
        refused = await step(client, order, "dispatch", code=422, department_id="X")
        assert refused["code"] == "order.unknown_department"
        order = await step(client, order, "dispatch", department_id=electricity)
        assert (order["content"]["department_id"], order["is_overdue"]) == (electricity, False)
        assert order["due_at"] > order["dispatched_at"]
        assert (await step(client, order, "send_back", code=422))["code"] == "order.reason_needed"
        order = await step(client, order, "send_back", note="不归我们管")
        assert (order["state"], order["returns"], order["due_at"]) == ("returned", 1, None)
        order = await step(client, order, "dispatch")
        order = await step(client, order, "take")
        order = await step(client, order, "suspend", note="等配件")
        assert (order["state"], order["resumes_to"], order["due_at"]) == ("suspended", "handling", None)
        assert order["left_s"] > 0
        order = await step(client, order, "resume")
        assert (order["state"], order["left_s"]) == ("handling", None)
        order = await step(client, order, "answer", answer="已修好。")
        order = await step(client, order, "follow_up", satisfaction="unsatisfied")
        order = await step(client, order, "rework", note="灯还是不亮")
        order = await step(client, order, "answer", answer="换了灯。")
        order = await step(client, order, "follow_up", satisfaction="satisfied")
        order = await step(client, order, "close")
        assert (order["state"], order["answer"], order["reworks"]) == ("closed", "换了灯。", 1)
        assert (await step(client, order, "rework", code=409, note="再办"))["code"] == "order.over"
        history = (await client.get(f"/v1/orders/{order['order_id']}/history")).json()
        assert [one["version"] for one in history] == list(range(1, order["version"] + 1))
        assert history[0]["changes"]["summary"] == [None, "路灯不亮"]
        assert history[3]["action"] == "send_back"
        assert (history[3]["note"], history[3]["author"]) == ("不归我们管", "本机")
        assert history[3]["changes"]["returns"] == [0, 1]


async def test_a_change_needs_the_version_that_was_seen(tmp_path: Path) -> None:
    async with opened(tmp_path) as client:
        order = await begin(client)
        url = f"/v1/orders/{order['order_id']}"
        for tag, code, refusal in (
            (None, 428, "order.if_match_needed"),
            ("*", 400, "order.bad_if_match"),
            ('"7"', 412, "order.changed"),
        ):
            headers = {"If-Match": tag} if tag else {}
            answer = await client.put(url, json=MATTER | {"summary": "两盏灯不亮"}, headers=headers)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (code, refusal)
        assert answer.json()["detail"]["current"]["content"]["summary"] == "路灯不亮"
        answer = await client.put(url, json=MATTER | {"summary": "两盏灯不亮"}, headers={"If-Match": '"1"'})
        assert answer.json()["content"]["summary"] == "两盏灯不亮"
        order = answer.json()
        order = await step(client, await step(client, order, "accept"), "dispatch", department_id="SZ05")
        answer = await client.put(url, json=MATTER, headers={"If-Match": f'"{order["version"]}"'})
        assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "order.not_editable")
        answer = await client.get("/v1/orders/20260101-000099")
        assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "order.unknown")


async def test_an_order_goes_on_in_another(tmp_path: Path) -> None:
    async with opened(tmp_path) as client:
        first, second, third = [await begin(client) for _ in range(3)]
        await step(client, second, "merge", into=first["order_id"], note="同一盏灯")
        told = await step(client, second, "merge", code=412, into=first["order_id"])
        assert told["current"]["merged_into"] == first["order_id"]
        first = (await client.get(f"/v1/orders/{first['order_id']}")).json()
        assert first["version"] == 2
        history = (await client.get(f"/v1/orders/{first['order_id']}/history")).json()
        assert (history[1]["action"], history[1]["note"]) == ("absorbed", second["order_id"])
        refused = {
            second["order_id"]: (409, "order.target_over"),
            third["order_id"]: (422, "order.merge_into_itself"),
            "nowhere": (404, "order.unknown"),
            None: (422, "order.target_needed"),
        }
        for into, (code, refusal) in refused.items():
            assert (await step(client, third, "merge", code=code, into=into))["code"] == refusal
        assert (await client.get(f"/v1/orders/{third['order_id']}")).json()["version"] == 1


@in_both_houses
async def test_orders_are_found(tmp_path: Path) -> None:
    async with opened(tmp_path) as client:
        one = await begin(client, summary="100% 漏水", caller_phone="13900000000", urgency="特急")
        two = await begin(client, type="投诉", district="普陀区", detail="ETC 扣费")
        await step(client, await step(client, one, "accept"), "dispatch", department_id="SZ15")

        async def found(**asked: Any) -> list[str]:
            answer = await client.get("/v1/orders", params=asked)
            assert answer.status_code == 200, answer.text
            listed = answer.json()
            assert listed["total"] >= len(listed["orders"])
            return [order["order_id"] for order in listed["orders"]]

        first, second = one["order_id"], two["order_id"]
        assert await found() == [second, first]
        assert await found(limit=1, offset=1) == [first]
        assert await found(state=["draft", "closed"]) == [second]
        assert await found(type="投诉") == [second]
        assert await found(urgency="特急") == [first]
        assert await found(department_id="SZ15") == [first]
        assert await found(district="普陀区") == [second]
        assert await found(caller_phone="13900000000") == [first]
        assert await found(q="100%") == [first]
        assert await found(q="1_0%") == []
        assert await found(q="etc") == [second], "whatever the size of letters"
        assert await found(overdue=True) == []
        assert await found(due_before="2126-01-01T00:00:00") == [first]
        assert await found(due_before="2026-01-01T00:00:00+08:00") == []
        assert await found(returned_from=1) == []


async def test_an_operator_has_the_orders_of_the_own_calls(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "li") as li, signed_in(house, "wang") as wang:
        async with house.socket("/v1/calls/audio", additional_headers=cookie(li)) as line:
            await send(line, START | {"call_id": "c-1"})
            await receive(line)
            await line.send(sound(0.1))
            await send(line, {"type": "stop"})
            await receive(line)
        for client, body, code, refusal in (
            (li, MATTER, 403, "order.call_needed"),
            (wang, MATTER | {"call_id": "c-1"}, 404, "call.unknown"),
            (li, MATTER | {"call_id": "c-2"}, 404, "call.unknown"),
        ):
            answer = await client.post("/v1/orders", json=body)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (code, refusal)
        order = await begin(li, call_id="c-1", author="somebody else")
        assert (order["operator_id"], order["created_by"]) == ("027", "li")
        url = f"/v1/orders/{order['order_id']}"
        assert (await wang.get(url)).json()["detail"]["code"] == "order.unknown"
        assert (await wang.get("/v1/orders")).json() == {"orders": [], "total": 0}
        assert (await wang.post(f"{url}/comments", json={"text": "看看"})).status_code == 404
        assert (await li.get("/v1/orders")).json()["total"] == 1
        order = await step(li, order, "accept")
        refused = await step(li, order, "dispatch", code=403, department_id="SZ05")
        assert refused["code"] == "order.not_your_part"
        async with signed_in(house, "zhao") as zhao:
            order = await step(zhao, order, "dispatch", department_id="SZ05")
            said = await zhao.post(f"{url}/comments", json={"text": " 请尽\u202e快 "})
            assert (said.status_code, said.json()["text"]) == (201, "请尽快")
            empty = await zhao.post(f"{url}/comments", json={"text": " "})
            assert empty.json()["detail"]["code"] == "order.comment_empty"
        (comment,) = (await li.get(f"{url}/comments")).json()
        assert (comment["author"], comment["text"]) == ("zhao", "请尽快")
        assert [one["author"] for one in (await li.get(f"{url}/history")).json()] == ["li", "li", "zhao"]
        async with signed_in(house, "admin") as admin:
            entries = (await admin.get("/v1/audit", params={"q": order["order_id"]})).json()["entries"]
        assert {entry["action"] for entry in entries} == {
            "POST /v1/orders",
            "POST /v1/orders/{order_id}/steps",
            "POST /v1/orders/{order_id}/comments",
        }
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as nobody:
            for path in ("/v1/orders", url, f"{url}/history", "/v1/departments"):
                assert (await nobody.get(path)).status_code == 401


async def test_an_admin_brings_the_directory(tmp_path: Path) -> None:
    rows = "编号,名称,类别,上级\nZ,热线中心,中心,\nB1,供水公司,部门,Z\n"
    url = "/v1/departments"
    async with (
        peopled(tmp_path) as house,
        signed_in(house, "zhao") as zhao,
        signed_in(house, "admin") as admin,
    ):
        assert len((await zhao.get(url)).json()) == 129
        assert (await zhao.put(url, content=rows.encode())).status_code == 403
        answer = await admin.put(url, content=f"{rows}B2,供气公司,部门,Y\n,,,\n".encode())
        detail = answer.json()["detail"]
        assert (answer.status_code, detail["code"]) == (422, "directory.bad_rows")
        assert [(row["row"], row["code"]) for row in detail["rows"]] == [
            (4, "directory.parent"),
            (5, "directory.empty"),
        ]
        assert (await admin.put(url, content=b"")).json()["detail"]["code"] == "kb.file_empty"
        assert len((await zhao.get(url)).json()) == 129
        answer = await admin.put(url, content=rows.encode("gb18030"), headers={"Content-Type": "text/csv"})
        assert [unit["name"] for unit in answer.json()] == ["热线中心", "供水公司"]
        assert (await zhao.get(url)).json() == answer.json()
        order = await step(zhao, await begin(zhao), "accept")
        refused = await step(zhao, order, "dispatch", code=422, department_id="SZ05")
        assert refused["code"] == "order.unknown_department"
        await step(zhao, order, "dispatch", department_id="B1")


async def test_a_hundred_edits_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each writes its own mark behind what it saw; whoever was too late looks again."""
    async with opened(tmp_path) as client:
        orders = [(await begin(client, detail="|"))["order_id"] for _ in range(10)]
        refused = 0

        async def edit(number: int) -> None:
            nonlocal refused
            url = f"/v1/orders/{orders[number % len(orders)]}"
            current = (await client.get(url)).json()
            while True:
                content = current["content"] | {"detail": f"{current['content']['detail']}{number}|"}
                answer = await client.put(
                    url,
                    json=content | {"author": f"p{number}"},
                    headers={"If-Match": f'"{current["version"]}"'},
                )
                if answer.status_code == 200:
                    break
                assert answer.status_code == 412, answer.text
                refused += 1
                current = answer.json()["detail"]["current"]
            said = await client.post(f"{url}/comments", json={"text": str(number)})
            assert said.status_code == 201

        await asyncio.gather(*(edit(number) for number in range(100)))
        assert refused > 0, "nobody was in anybody's way"
        for place, order_id in enumerate(orders):
            mine = {str(number) for number in range(100) if number % len(orders) == place}
            order = (await client.get(f"/v1/orders/{order_id}")).json()
            written = order["content"]["detail"].strip("|").split("|")
            assert (order["version"], len(written), set(written)) == (11, 10, mine)
            history = (await client.get(f"/v1/orders/{order_id}/history")).json()
            assert [one["version"] for one in history] == list(range(1, 12))
            assert [one["author"] for one in history[1:]] == [f"p{number}" for number in written]
            for before, after in pairwise(history[1:]):
                assert before["changes"]["detail"][1] == after["changes"]["detail"][0]
            comments = (await client.get(f"/v1/orders/{order_id}/comments")).json()
            assert (len(comments), {one["text"] for one in comments}) == (10, mine)


@asynccontextmanager
async def departments(
    data_dir: Path,
) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, httpx.AsyncClient]]]:
    """A supervisor, and an account of each of two departments."""
    async with (
        peopled(data_dir) as house,
        signed_in(house, "admin") as admin,
        signed_in(house, "zhao") as zhao,
    ):
        for name, unit in (("dian", "SZ05"), ("shui", "SZ15")):
            body = {"name": name, "password": PASSWORD, "role": "department", "department_id": unit}
            assert (await admin.post("/v1/accounts", json=body)).status_code == 201
        async with signed_in(house, "dian") as dian, signed_in(house, "shui") as shui:
            yield zhao, {"dian": dian, "shui": shui}


async def test_a_department_has_the_orders_that_were_dispatched_to_it(tmp_path: Path) -> None:
    async with departments(tmp_path) as (zhao, of):
        dian, shui = of["dian"], of["shui"]
        me = (await dian.get("/v1/session")).json()
        assert (me["role"], me["department_id"], me["scopes"]) == (
            "department",
            "SZ05",
            ["orders:department"],
        )
        order = await begin(zhao, department_id="SZ05")
        url = f"/v1/orders/{order['order_id']}"

        async def seen_by(client: httpx.AsyncClient) -> tuple[int, int]:
            listed = await client.get("/v1/orders")
            return (await client.get(url)).status_code, listed.json()["total"]

        order = await step(zhao, order, "accept")
        assert await seen_by(dian) == (404, 0), "it only names them so far"
        order = await step(zhao, order, "dispatch")
        assert (await seen_by(dian), await seen_by(shui)) == ((200, 1), (404, 0))
        told = (await dian.get(url)).json()
        assert (told["deeds"], told["is_editable"]) == (["take", "send_back"], False)
        counts = (await dian.get("/v1/orders/counts")).json()
        assert counts == {"states": {"dispatched": 1}, "overdue": 0, "due_soon": 0}
        assert (await step(shui, order, "take", code=404))["code"] == "order.unknown"
        assert (await step(dian, order, "suspend", code=403, note="等"))["code"] == "order.not_your_part"
        order = await step(dian, order, "take")
        assert (await dian.post(f"{url}/comments", json={"text": "已派人"})).status_code == 201
        order = await step(dian, order, "send_back", note="不归我们管")
        assert await seen_by(dian) == (404, 0), "what was sent back is no longer theirs"
        order = await step(zhao, order, "dispatch", department_id="SZ15")
        assert (await seen_by(dian), await seen_by(shui)) == ((404, 0), (200, 1))
        order = await step(shui, await step(shui, order, "take"), "answer", answer="已修好。")
        assert (await shui.get(url)).json()["deeds"] == []
        assert (await zhao.get(url)).json()["deeds"] == ["rework", "follow_up"]
        refused = await dian.post("/v1/orders", json=MATTER)
        assert (refused.status_code, refused.json()["detail"]["code"]) == (403, "order.not_your_part")
        for path in ("/v1/articles", "/v1/search?q=水", "/v1/accounts", "/v1/webhooks", "/v1/calls/c-1"):
            assert (await dian.get(path)).status_code in (403, 404), path
        assert (await dian.get("/v1/calls")).json()["calls"] == []
        authors = [one["author"] for one in (await zhao.get(f"{url}/history")).json()]
        assert authors == ["zhao"] * 3 + ["dian"] * 2 + ["zhao"] + ["shui"] * 2


async def test_an_account_of_a_department_needs_one_that_there_is(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        body = {"name": "dian", "password": PASSWORD, "role": "department"}
        for change, code in (
            ({}, "access.department_needed"),
            ({"department_id": "X"}, "access.unknown_department"),
            ({"department_id": "ZX"}, "access.unknown_department"),  # the centre handles none
        ):
            answer = await admin.post("/v1/accounts", json=body | change)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (422, code)
        made = await admin.post("/v1/accounts", json=body | {"department_id": "SZ05"})
        assert (made.status_code, made.json()["department_id"]) == (201, "SZ05")
        refused = await admin.patch("/v1/accounts/dian", json={"department_id": ""})
        assert refused.json()["detail"]["code"] == "access.department_needed"
        refused = await admin.patch("/v1/accounts/li", json={"role": "department"})
        assert refused.json()["detail"]["code"] == "access.department_needed"
        # With a seat beside it, it hears no calls all the same.
        changed = await admin.patch("/v1/accounts/dian", json={"operator_id": "027", "department_id": "SZ15"})
        assert changed.json()["department_id"] == "SZ15"
        async with signed_in(house, "dian") as dian:
            assert (await dian.get("/v1/session")).json()["operator_id"] is None
        entries = (await admin.get("/v1/audit", params={"q": "department_id"})).json()["entries"]
        assert "SZ05→SZ15" in entries[0]["target"]


@given(
    states=st.sampled_from(OrderState),
    seat=st.sampled_from([None, "027", "028"]),
    author=st.sampled_from(["li", "wang"]),
    unit=st.sampled_from([None, "SZ05", "SZ15"]),
    was_dispatched=st.booleans(),
    view=st.builds(
        View,
        is_all=st.booleans(),
        seat=st.sampled_from([None, "027"]),
        author=st.sampled_from([None, "li"]),
        department_id=st.sampled_from([None, "SZ05"]),
    ),
)
@settings(max_examples=60, deadline=None)
def test_the_database_shows_what_the_rule_says(
    states: OrderState,
    seat: str | None,
    author: str,
    unit: str | None,
    was_dispatched: bool,
    view: View,
) -> None:
    with TemporaryDirectory() as folder:
        prepare(Path(folder) / "zhiting.db")
        engine = open_database(Path(folder) / "zhiting.db")
        store, now = OrderStore(engine), datetime(2026, 3, 5, tzinfo=UTC)
        content = OrderContent(type=MatterType.HELP, summary="灯", department_id=unit)
        order = store.add(content, author=author, now=now, day="20260305", operator_id=seat)
        order = store.change(
            order.order_id,
            lambda one: replace(one, version=2, state=states, dispatched_at=now if was_dispatched else None),
            expected=1,
            action="edited",
            author=author,
        )
        found, total = store.orders(OrderFilter(view=view))
        assert (total == 1) == view.shows(order)
        assert [one.order_id for one in found] == [order.order_id] * total
        engine.dispose()
