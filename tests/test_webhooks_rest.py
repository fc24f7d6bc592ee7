"""Webhooks through the real application: an admin sets receivers, many changes at once are told in order."""

import asyncio
import json
from pathlib import Path

import httpx

from calls.webhooks.signing import key_of
from tests.house import START, Script, receive, receive_until, running, send, sound
from tests.test_door import peopled, signed_in
from tests.test_webhooks import receiving


async def test_an_admin_sets_receivers_and_the_house_sends(tmp_path: Path) -> None:
    async with receiving() as receiver, peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        body = {"name": "市工单系统", "url": receiver.url, "events": ["order.created"]}
        for change, code in (
            ({"url": "ftp://x"}, "webhook.bad_url"),
            ({"url": "http://a:b@x/"}, "webhook.bad_url"),
            ({"url": "http://[::1"}, "webhook.bad_url"),
            ({"events": ["order.nothing"]}, "webhook.unknown_event"),
            ({"secret": "short"}, "webhook.bad_secret"),
        ):
            answer = await admin.post("/v1/webhooks", json=body | change)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (422, code)
        made = (await admin.post("/v1/webhooks", json=body)).json()
        assert key_of(made["secret"]) is not None
        url = f"/v1/webhooks/{made['receiver_id']}"
        listed = (await admin.get("/v1/webhooks")).json()
        assert listed["receivers"][0]["secret"] is None
        assert "order.dispatch" in listed["events"]
        order = {"type": "求助", "summary": "路灯不亮"}
        order_id = (await admin.post("/v1/orders", json=order)).json()["order_id"]
        assert (await admin.post(f"{url}/ping")).status_code == 202
        await receiver.has(2)
        assert receiver.ids()[0] == f"{order_id}.v1"
        assert receiver.ids()[1].startswith("ping-")
        paused = (await admin.patch(url, json={"is_paused": True, "name": "旧系统"})).json()
        assert (paused["standing"], paused["pause"], paused["name"]) == ("paused", "by_hand", "旧系统")
        assert (await admin.patch(url, json={"is_paused": False})).json()["standing"] == "fine"
        assert (await admin.post(f"{url}/secret")).json()["secret"] != made["secret"]
        assert (await admin.post(f"{url}/skip")).status_code == 200
        async with signed_in(house, "zhao") as zhao:
            assert (await zhao.get("/v1/webhooks")).status_code == 403
        assert (await admin.delete(url)).status_code == 204
        assert (await admin.delete(url)).json()["detail"]["code"] == "webhook.unknown"


async def test_two_hundred_changes_at_once_are_told_once_each_and_in_order(tmp_path: Path) -> None:
    async with receiving() as receiver, running(tmp_path) as house:
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            await client.post("/v1/webhooks", json={"name": "甲", "url": receiver.url})
            order = {"type": "求助", "summary": "路灯不亮"}
            ids = [(await client.post("/v1/orders", json=order)).json()["order_id"] for _ in range(4)]

            async def edit(number: int) -> None:
                url = f"/v1/orders/{ids[number % 4]}"
                version = 1
                while True:
                    answer = await client.put(
                        url,
                        json=order | {"detail": str(number)},
                        headers={"If-Match": f'"{version}"'},
                    )
                    if answer.status_code == 200:
                        return
                    version = answer.json()["detail"]["current"]["version"]

            await asyncio.gather(*(edit(number) for number in range(40)))
        await receiver.has(44)
        for order_id in ids:
            mine = [one for one in receiver.ids() if one.startswith(order_id)]
            assert mine == [f"{order_id}.v{version}" for version in range(1, 12)]


async def test_calls_are_told_and_what_is_said_only_to_who_names_it(tmp_path: Path) -> None:
    script = Script(suggests={"第1秒": ("T001",)})
    async with (
        receiving() as crm,
        receiving() as quality,
        running(tmp_path, script) as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        await client.post("/v1/webhooks", json={"name": "客户系统", "url": crm.url})
        wanted = ["segment.shown", "suggestion.shown", "call.ended"]
        await client.post("/v1/webhooks", json={"name": "质检", "url": quality.url, "events": wanted})
        async with house.socket("/v1/calls/audio") as line:
            await send(line, START | {"call_id": "c:1", "operator_id": "027", "caller": "13900000000"})
            assert (await receive(line))["type"] == "started"
            await line.send(sound(2.5))
            await send(line, {"type": "stop"})
            await receive_until(line, lambda message: message["type"] == "ended")
        await crm.has(2)
        begun, ended = (json.loads(body) for _, body in crm.got)
        assert (begun["type"], begun["call_id"], begun["call"]["caller"]) == (
            "call.started",
            "c:1",
            "13900000000",
        )
        assert (ended["type"], ended["reason"]) == ("call.ended", "hangup")
        assert all(one.isascii() and one.startswith("call:") for one in crm.ids())
        await quality.has(4)
        told = [json.loads(body) for _, body in quality.got]
        assert told[-1]["type"] == "call.ended"
        assert {one["segment"]["text"] for one in told if one["type"] == "segment.shown"} >= {
            "第0秒",
            "第1秒",
        }
        cards = [one["suggestion"]["cards"] for one in told if one["type"] == "suggestion.shown"]
        assert cards[0][0]["article_id"] == "T001"
        assert all(one["id"] == key for one, key in zip(told, quality.ids(), strict=True))


async def test_what_waits_of_a_deleted_call_is_deleted_too(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        hook = {"name": "质检", "url": "http://127.0.0.1:9/hook", "events": ["*", "segment.shown"]}
        await client.post("/v1/webhooks", json=hook)
        for call_id in ("c-1", "c-10"):
            async with house.socket("/v1/calls/audio") as line:
                await send(line, START | {"call_id": call_id})
                await receive(line)
                await line.send(sound(1.0))
                await send(line, {"type": "stop"})
                await receive_until(line, lambda message: message["type"] == "ended")

        async def waiting() -> int:
            listed = (await client.get("/v1/webhooks")).json()["receivers"]
            return int(listed[0]["waiting"])

        before = await waiting()
        assert before % 2 == 0
        gone = await client.delete("/v1/calls/c-1", params={"reason": "市民要求"})
        assert gone.status_code == 200
        assert await waiting() == before / 2 > 0
