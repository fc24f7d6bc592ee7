"""What the OpenAPI document says is so, for whoever asks: generated requests to every operation."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from scripts.fuzz_api import Asker, Findings, fuzz
from tests.house import START, House, receive, running, send, sound
from tests.test_access import PASSWORD
from tests.test_door import peopled, signed_in

EXAMPLES = 2
ROLES = ("admin", "li", "zhao", "sun", "dong")
MATTER = {"type": "求助", "summary": "路灯不亮", "address": "定海区环城南路216号", "district": "定海区"}


async def furnished(house: House, client: httpx.AsyncClient, admin: httpx.AsyncClient) -> dict[str, str]:
    """Put one of everything into the house; returns their identifiers by the names of parameters."""
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
    async with house.socket("/v1/calls/audio", additional_headers=headers) as line:
        await send(line, START | {"call_id": "c-1", "caller": "13800001111", "operator_id": "027"})
        await receive(line)
        await line.send(sound(1.2))
        await send(line, {"type": "stop"})
        assert (await receive(line))["type"] == "ended"

    async def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await admin.post(path, json=body)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    article = await made(
        "/v1/articles", {"title": "路灯报修", "body": "拨打供电热线。", "questions": ["路灯不亮"]}
    )
    order = await made("/v1/orders", MATTER)
    hook = await made("/v1/webhooks", {"name": "市平台", "url": "http://127.0.0.1:9/", "events": ["*"]})
    report = await made("/v1/reports", {"kind": "day", "day": "2026-03-04"})
    file = {"file": ("图.png", b"\x89PNG\r\n\x1a\n", "image/png")}
    brought = await client.post(f"/v1/orders/{order['order_id']}/attachments", files=file)
    assert brought.status_code == 201, brought.text
    return {
        "call_id": "c-1",
        "segment_id": "citizen-1",
        "article_id": article["article_id"],
        "order_id": order["order_id"],
        "attachment_id": str(brought.json()["attachment_id"]),
        "receiver_id": str(hook["receiver_id"]),
        "report_id": str(report["report_id"]),
        "term": "定海",
    }


def is_light(operation: str) -> bool:
    """These two start a process of the lowest priority, and have tests of their own."""
    return operation not in ("POST /v1/kb/publish", "POST /v1/kb/rollback")


def judge(findings: Findings) -> None:
    assert not findings.faults, "\n".join(map(str, findings.faults.values()))
    assert findings.operations > 140
    assert findings.asked >= findings.operations
    assert findings.statuses[200] > findings.asked / 10  # and it is no house that refuses everything


async def test_answers_are_as_the_document_says_behind_an_open_door(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        known = await furnished(house, client, client)
        askers = [Asker(name="anybody")]
        judge(
            await asyncio.to_thread(
                lambda: fuzz(house.url, askers, examples=2 * EXAMPLES, known=known, only=is_light)
            )
        )


async def test_answers_are_as_the_document_says_for_every_role_and_for_nobody(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, AsyncExitStack() as stack:
        admin = await stack.enter_async_context(signed_in(house, "admin"))
        units = (await admin.get("/v1/departments")).json()
        dong = {
            "name": "dong",
            "password": PASSWORD,
            "role": "department",
            "department_id": next(one["unit_id"] for one in units if one["name"] == "舟山供电公司"),
        }
        assert (await admin.post("/v1/accounts", json=dong)).status_code == 201
        clients = {name: await stack.enter_async_context(signed_in(house, name)) for name in ROLES}
        known = await furnished(house, clients["zhao"], admin)
        askers = [
            Asker(name=name, headers={"X-CSRF-Token": one.headers["X-CSRF-Token"]}, cookies=dict(one.cookies))
            for name, one in clients.items()
        ]
        askers.append(Asker(name="nobody"))
        findings = await asyncio.to_thread(
            lambda: fuzz(house.url, askers, examples=EXAMPLES // 2, known=known, only=is_light)
        )
        judge(findings)
        assert findings.statuses[401] > 0
        assert findings.statuses[403] > 0
