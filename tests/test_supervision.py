"""Supervision of work orders: each list, and matters that are handed to partner offices."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, update

from calls.orders.tables import orders
from calls.orders.types import (
    MatterType,
    Order,
    OrderContent,
    OrderState,
    Part,
    Person,
    Satisfaction,
    UnknownOrder,
    Urgency,
)
from calls.supervision.desk import SupervisionDesk
from calls.supervision.types import BadHandover, Watch
from tests.databases import both_databases
from tests.order_parts import order_desk
from tests.test_door import peopled, signed_in
from tests.test_orders_rest import begin, opened

NOW = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)
BOSS = Person(name="王", parts=frozenset(Part))


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> SupervisionDesk:
    return SupervisionDesk.open(engine, order_desk(engine, tmp_path, lambda: NOW))


def add(desk: SupervisionDesk, engine: Engine, *, phone: str = "", **changes: Any) -> Order:
    content = OrderContent(type=MatterType.HELP, summary="路灯不亮", caller_phone=phone)
    order = desk.orders.begin(content, BOSS, call_id=None, operator_id=None)
    if changes:
        with engine.begin() as connection:
            connection.execute(update(orders).where(orders.c.order_id == order.order_id).values(changes))
    return order


def ids(desk: SupervisionDesk, watch: Watch) -> list[str]:
    return [order.order_id for order in desk.orders_of(watch, limit=50)]


@both_databases
def test_deadlines_that_are_over_and_those_of_the_next_day(desk: SupervisionDesk, engine: Engine) -> None:
    def due(hours: float, state: OrderState = OrderState.HANDLING) -> str:
        moment = (NOW + timedelta(hours=hours)).isoformat(timespec="microseconds")
        return add(desk, engine, state=state.value, due_at=moment).order_id

    late, later, soon, _far = due(-5), due(-1), due(3), due(30)
    due(-1, OrderState.ANSWERED)
    due(3, OrderState.SUSPENDED)
    assert ids(desk, Watch.OVERDUE) == [late, later]
    assert ids(desk, Watch.DUE_SOON) == [soon]
    assert desk.counts()[Watch.OVERDUE] == 2


@both_databases
def test_returned_twice_unsatisfied_and_urgent(desk: SupervisionDesk, engine: Engine) -> None:
    add(desk, engine, returns=1)
    twice = add(desk, engine, returns=2).order_id
    add(desk, engine, returns=3, state=OrderState.MERGED.value)
    assert ids(desk, Watch.RETURNED) == [twice]
    unsatisfied = add(desk, engine, satisfaction=Satisfaction.UNSATISFIED.value).order_id
    add(desk, engine, satisfaction=Satisfaction.NEUTRAL.value)
    assert ids(desk, Watch.UNSATISFIED) == [unsatisfied]
    urgent = add(desk, engine, urgency=Urgency.CRITICAL.value).order_id
    add(desk, engine, urgency=Urgency.URGENT.value, state=OrderState.ANSWERED.value)
    assert ids(desk, Watch.URGENT) == [urgent]


@both_databases
def test_the_third_order_of_a_caller_within_a_month(desk: SupervisionDesk, engine: Engine) -> None:
    many = [add(desk, engine, phone="13900000001").order_id for _ in range(3)]
    for _ in range(2):
        add(desk, engine, phone="13900000002")
    for _ in range(4):
        add(desk, engine, phone="")
    old = (NOW - timedelta(days=31)).isoformat(timespec="microseconds")
    for _ in range(3):
        add(desk, engine, phone="13900000003", created_at=old)
    assert ids(desk, Watch.REPEATED) == many
    assert desk.counts()[Watch.REPEATED] == 3


@both_databases
def test_a_handover_is_a_line_of_the_history_and_changes_nothing_else(
    desk: SupervisionDesk, engine: Engine
) -> None:
    order = add(desk, engine)
    after = desk.hand_over(order.order_id, " 消防 119 ", "楼道堵塞", author="王")
    assert (after.version, after.state, after.content) == (2, order.state, order.content)
    step = desk.orders.store.history(order.order_id)[-1]
    assert (step.action, step.author, step.note, step.changes) == (
        "handed_over",
        "王",
        "消防 119：楼道堵塞",
        {},
    )
    desk.hand_over(order.order_id, "公安 110", "有人：闹事", author="李")
    told = desk.store.handovers(order_ids=[order.order_id])
    assert {(one.office, one.reason) for one in told} == {
        ("消防 119", "楼道堵塞"),
        ("公安 110", "有人：闹事"),
    }
    for office, reason in (
        ("", "好"),
        ("公安：110", "好"),
        ("好" * 41, "好"),
        ("公安", " "),
        ("公安", "好" * 501),
    ):
        with pytest.raises(BadHandover):
            desk.hand_over(order.order_id, office, reason, author="王")
    with pytest.raises(UnknownOrder):
        desk.hand_over("x", "公安", "好", author="王")
    assert desk.orders.store.order(order.order_id).version == 3


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(tmp_path) as opened_client:
        yield opened_client


async def test_lists_counts_and_the_export_over_rest(client: httpx.AsyncClient) -> None:
    order = await begin(client, urgency="特急", summary="=煤气泄漏")
    told = (await client.get("/v1/supervision", params={"watch": "urgent"})).json()
    assert told["counts"]["urgent"] == 1
    assert set(told["counts"]) == {watch.value for watch in Watch}
    assert [one["order"]["order_id"] for one in told["orders"]] == [order["order_id"]]
    body = {"order_id": order["order_id"], "office": "燃气公司", "reason": "请立即到场"}
    many = await asyncio.gather(*(client.post("/v1/supervision/handovers", json=body) for _ in range(4)))
    assert [one.status_code for one in many] == [201] * 4
    told = (await client.get("/v1/supervision", params={"watch": "urgent"})).json()
    assert len(told["orders"][0]["handovers"]) == 4
    assert told["orders"][0]["order"]["version"] == 5
    file = (await client.get("/v1/supervision/handovers/file")).text
    rows = list(csv.reader(io.StringIO(file.removeprefix("\ufeff"))))
    assert len(rows) == 5
    assert rows[1][:2] == [order["order_id"], "'=煤气泄漏"]
    bad = await client.post("/v1/supervision/handovers", json=body | {"reason": " "})
    assert (bad.status_code, bad.json()["detail"]["code"]) == (422, "handover.reason_needed")
    unknown = await client.post("/v1/supervision/handovers", json=body | {"order_id": "x"})
    assert (unknown.status_code, unknown.json()["detail"]["code"]) == (404, "order.unknown")


async def test_numbers_of_citizens_are_masked_in_lists_and_exports(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "zhao") as boss:
        order = await begin(boss, urgency="紧急", summary="请回电13900000152", caller_phone="13900000152")
        body = {"order_id": order["order_id"], "office": "公安 110", "reason": "联系13900000152"}
        assert (await boss.post("/v1/supervision/handovers", json=body)).status_code == 201
        for path in ("?watch=urgent", "/handovers", "/handovers/file"):
            told = (await boss.get(f"/v1/supervision{path}")).text
            assert "139****0152" in told, path
            assert "13900000152" not in told, path
            assert "公安 110" in told, path


async def test_supervision_is_for_who_sees_all_calls(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "li") as own, signed_in(house, "zhao") as boss:
        for path in ("/v1/supervision", "/v1/supervision/handovers", "/v1/alarms"):
            assert (await own.get(path)).status_code == 403
            assert (await boss.get(path)).status_code == 200
