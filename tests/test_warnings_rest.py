"""Warnings over REST: who sees which, what is done with them, orders, alarms, mails."""

import asyncio
import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from insight.raised.store import WarningStore
from insight.raised.types import RaisedWarning
from knowledge_base.database import migrate, open_database, writing
from tests.databases import database_in
from tests.house import Script, running, send
from tests.raised_parts import form_of, tell_call
from tests.test_access import PASSWORD
from tests.test_alarms import open_call, saying
from tests.test_browser_watch import GAS
from tests.test_door import peopled, signed_in
from tests.test_raised_deeds import TOLD, warning_of

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
LOOKOUT = "/v1/warnings/lookout"
FRESH = replace(TOLD, raised_at=NOW, since=NOW - timedelta(hours=4), sample_ids=("c-2", "c-1"))


def kept(folder: Path, *told: Any, **changes: Any) -> list[RaisedWarning]:
    """Warnings that lie in the database before (or while) a house is open."""
    engine = open_database(database_in(folder))
    migrate(engine)
    store = WarningStore(engine)
    found = []
    for one in told or (FRESH,):
        warning = replace(warning_of(one), changed_at=NOW, department_ids=("SZ04",), **changes)
        found.append(store.add(warning, author="系统", day="20260610"))
    engine.dispose()
    return found


def told_calls(folder: Path) -> None:
    engine = open_database(database_in(folder))
    migrate(engine)
    with writing(engine) as connection:
        for number, call_id in enumerate(("c-1", "c-2")):
            form = form_of("停水", place="东港街道3号", summary="张伟，13912345670，家里停水")
            at = NOW - timedelta(hours=3 - number)
            tell_call(connection, call_id, at, form, caller=f"1391234567{number}")
    engine.dispose()


async def step(client: httpx.AsyncClient, warning: RaisedWarning, deed: str, **more: Any) -> httpx.Response:
    body = {"deed": deed, "version": 1} | more
    return await client.post(f"/v1/warnings/{warning.warning_id}/steps", json=body)


async def test_one_warning_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    (warning,) = kept(tmp_path)
    told_calls(tmp_path)
    async with peopled(tmp_path) as house, signed_in(house, "zhao") as zhao:
        path = f"/v1/warnings/{warning.warning_id}"
        found = await answer_that(zhao, path, lambda found: len(found["samples"]) == 2)
        assert found["warning"]["title"] == "普陀区：停水"
        assert "平时同样时段约 1.3 人" in found["warning"]["explanation"]
        assert {sample["call_id"] for sample in found["samples"]} == {"c-1", "c-2"}
        assert "1391234567" not in str(found)  # masked: calls of the past
        assert len(found["hours"]) >= 48
        assert sum(hour["callers"] for hour in found["hours"]) == 2
        assert set(found["deeds"]) == {"acknowledge", "assign", "mute", "close", "rate"}
        page = (await zhao.get("/v1/warnings", params={"state": "open", "q": "停水"})).json()
        assert [one["warning_id"] for one in page["warnings"]] == [warning.warning_id]
        assert page["counts"] == {"open": 1}
        assert (await zhao.get("/v1/warnings/Y-none")).status_code == 404


async def test_deeds_conflicts_and_undo(tmp_path: Path) -> None:
    (warning,) = kept(tmp_path)
    async with peopled(tmp_path) as house, signed_in(house, "zhao") as zhao:
        answer = (await step(zhao, warning, "acknowledge", note="看过")).json()
        assert (answer["warning"]["state"], answer["warning"]["changed_by"]) == ("acknowledged", "zhao")
        assert "undo" in answer["deeds"]
        late = await step(zhao, warning, "close")
        assert (late.status_code, late.json()["detail"]["code"]) == (412, "warning.changed")
        assert late.json()["detail"]["current"]["state"] == "acknowledged"
        back = (await step(zhao, warning, "undo", version=2)).json()
        assert back["warning"]["state"] == "open"
        wrong = await step(zhao, warning, "mute", version=3, until="2020-01-01T00:00:00")
        assert (wrong.status_code, wrong.json()["detail"]["code"]) == (422, "warning.until_bad")
        until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
        muted = (await step(zhao, warning, "mute", version=3, until=until, is_everywhere=True)).json()
        assert muted["warning"]["state"] == "muted"
        (mute,) = (await zhao.get("/v1/warnings/lookout")).json()["mutes"]
        assert (mute["matter"], mute["district"], mute["author"]) == ("停水", None, "zhao")
        assert (await zhao.delete(f"/v1/warnings/mutes/{mute['mute_id']}")).status_code == 204
        assert (await zhao.delete(f"/v1/warnings/mutes/{mute['mute_id']}")).status_code == 404
        rated = (await step(zhao, warning, "rate", version=4, is_true=True)).json()
        assert (rated["warning"]["is_true"], rated["warning"]["rated_by"]) == (True, "zhao")


async def test_a_warning_becomes_an_order_that_its_department_has(tmp_path: Path) -> None:
    first, second = kept(tmp_path, FRESH, replace(FRESH, matter="路灯不亮"))
    async with (
        peopled(tmp_path) as house,
        signed_in(house, "admin") as admin,
        signed_in(house, "zhao") as zhao,
    ):
        body = {"name": "qian", "password": PASSWORD, "role": "department", "department_id": "SZ05"}
        assert (await admin.post("/v1/accounts", json=body)).status_code == 201
        needed = await step(zhao, first, "assign")
        assert (needed.status_code, needed.json()["detail"]["code"]) == (422, "warning.order_needed")
        unknown = await step(zhao, first, "assign", order_id="20260101-999999")
        assert (unknown.status_code, unknown.json()["detail"]["code"]) == (404, "order.unknown")
        async with signed_in(house, "qian") as qian:
            assert (await qian.get("/v1/warnings")).json()["total"] == 0
            assert (await qian.get(f"/v1/warnings/{first.warning_id}")).status_code == 404
            new = {"department_id": "SZ05", "urgency": "特急", "detail": "请现场查看"}
            assigned = (await step(zhao, first, "assign", new_order=new)).json()
            order = assigned["order"]
            assert (order["state"], assigned["warning"]["state"]) == ("dispatched", "assigned")
            found = (await zhao.get(f"/v1/orders/{order['order_id']}")).json()["content"]
            assert found["summary"] == "预警：普陀区：停水"
            assert found["detail"].startswith("请现场查看\n")
            assert first.warning_id in found["detail"]
            theirs = (await qian.get("/v1/warnings")).json()
            assert [one["warning_id"] for one in theirs["warnings"]] == [first.warning_id]
            seen = (await qian.get(f"/v1/warnings/{first.warning_id}")).json()
            assert (seen["deeds"], seen["samples"]) == ([], [])
            refused = await step(qian, first, "close", version=2)
            assert (refused.status_code, refused.json()["detail"]["code"]) == (403, "warning.not_your_part")
        joined = (await step(zhao, second, "assign", order_id=order["order_id"])).json()
        assert joined["order"]["order_id"] == order["order_id"]
        orders = (await zhao.get("/v1/orders")).json()["total"]
        late = await step(zhao, second, "assign", new_order={})
        assert late.status_code == 412
        assert (await zhao.get("/v1/orders")).json()["total"] == orders


async def test_who_may_not_see_is_not_let_in(tmp_path: Path) -> None:
    kept(tmp_path)
    async with peopled(tmp_path) as house, signed_in(house, "li") as li, signed_in(house, "zhao") as zhao:
        for path in ("/v1/warnings", "/v1/warnings/file", "/v1/warnings/lookout", "/v1/warnings/mails"):
            assert (await li.get(path)).status_code == 403, path
        assert (await zhao.get("/v1/warnings/mails")).status_code == 403
        assert (await zhao.get("/v1/warnings/lookout")).status_code == 200


async def test_the_list_opens_in_a_spreadsheet(tmp_path: Path) -> None:
    kept(tmp_path, replace(FRESH, matter="=停水"))
    async with peopled(tmp_path) as house, signed_in(house, "zhao") as zhao:
        answer = await zhao.get("/v1/warnings/file")
        assert answer.content.startswith(b"\xef\xbb\xbf")
        header, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert (header[0], header[2], row[2]) == ("编号", "事项", "'=停水")
        assert row[header.index("人数")] == "12"


async def test_words_of_danger_are_a_warning_at_once_and_both_are_dealt_with_together(
    tmp_path: Path,
) -> None:
    async with (
        running(tmp_path, Script(recognise=saying("你好", GAS))) as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        line = await open_call(house, 2.2)
        found = await answer_that(client, "/v1/warnings", lambda found: found["total"] == 1)
        (warning,) = found["warnings"]
        assert (warning["layer"], warning["name"], warning["state"]) == ("safety", "燃气泄漏", "open")
        assert (warning["expected"], warning["probability"]) == (None, None)
        found = (await client.get(f"/v1/warnings/{warning['warning_id']}")).json()
        assert [sample["call_id"] for sample in found["samples"]] == ["c-1"]
        assert "mute" not in found["deeds"]
        path = f"/v1/warnings/{warning['warning_id']}/steps"
        taken = await client.post(path, json={"deed": "acknowledge", "version": 1, "note": "已通知燃气公司"})
        assert taken.status_code == 200
        (alarm,) = (await client.get("/v1/alarms")).json()["alarms"]
        assert (alarm["taken_by"], alarm["note"]) == ("本机", "已通知燃气公司")
        rated = await client.post(f"/v1/alarms/{alarm['alarm_id']}/rate", json={"is_true": False})
        assert rated.status_code == 200
        await answer_that(client, "/v1/warnings", lambda found: found["warnings"][0]["is_true"] is False)
        await send(line, {"type": "stop"})


async def answer_that(
    client: httpx.AsyncClient, path: str, is_it: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The answer, as soon as it is so."""
    async with asyncio.timeout(60):
        while True:
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            if is_it(found):
                return found
            await asyncio.sleep(0.1)


async def test_how_it_fares_storms_and_mails(tmp_path: Path) -> None:
    mail = {"mail_host": "127.0.0.1", "mail_port": 1, "mail_from": "a@example.cn", "mail_security": "none"}
    async with (
        running(tmp_path, **mail) as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        found = await answer_that(client, LOOKOUT, lambda found: found["is_ready"])
        assert found["layers"]["known"]["is_learning"]
        assert found["mails"]["is_on"]
        days = {"days": ["2026-08-02", "2026-08-01"]}
        answer = await client.put("/v1/warnings/storm-days", json=days)
        assert answer.json()["storm_days"] == ["2026-08-01", "2026-08-02"]
        bad = await client.post("/v1/warnings/mails", json={"recipient": "nobody"})
        assert (bad.status_code, bad.json()["detail"]["code"]) == (422, "mail.bad_address")
        sent = await client.post("/v1/warnings/mails", json={"recipient": "b@example.cn"})
        assert sent.status_code == 202
        await answer_that(client, LOOKOUT, lambda found: found["mails"]["failing"] > 0)
        (one,) = (await client.get("/v1/warnings/mails")).json()
        assert "拒绝" in one["last_error"]
        assert (await client.post(f"/v1/warnings/mails/{one['mail_id']}/retry")).status_code == 204
        assert (await client.post("/v1/warnings/mails/99/retry")).status_code == 404


async def test_without_a_mail_server_none_is_promised(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        refused = await client.post("/v1/warnings/mails", json={"recipient": "b@example.cn"})
        assert (refused.status_code, refused.json()["detail"]["code"]) == (409, "mail.off")


BAD: list[dict[str, Any]] = [
    {},
    {"deed": "explode", "version": 1},
    {"deed": "close", "version": 0},
    {"deed": "close", "version": 1, "note": "长" * 501},
    {"deed": "mute", "version": 1, "until": "gestern"},
    {"deed": "close", "version": 1, "note": "\ud83d"},
    {"deed": "\ud83d", "version": 1},
]


async def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    (warning,) = kept(tmp_path)
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        path = f"/v1/warnings/{warning.warning_id}"
        for body in BAD:
            headers = {"Content-Type": "application/json"}
            answer = await client.post(f"{path}/steps", content=json.dumps(body), headers=headers)
            assert answer.status_code == 422, (body, answer.text)
        assert (await client.get(path)).json()["warning"]["version"] == 1


async def test_where_several_say_that_it_is_goes_into_the_order(tmp_path: Path) -> None:
    (warning,) = kept(tmp_path)
    engine = open_database(database_in(tmp_path))
    with writing(engine) as connection:
        for number in range(5):
            form = form_of("停水", place="东港街道" if number < 4 else "沈家门")
            at = NOW - timedelta(hours=3, minutes=number)
            tell_call(connection, f"p-{number}", at, form, caller=f"1390000000{number}")
    engine.dispose()
    async with peopled(tmp_path) as house, signed_in(house, "zhao") as zhao:
        path = f"/v1/warnings/{warning.warning_id}"
        found = await answer_that(zhao, path, lambda found: len(found["places"]) > 0)
        assert found["places"] == [{"place": "东港街道", "callers": 4}]
        assigned = (await step(zhao, warning, "assign", new_order={})).json()
        order = (await zhao.get(f"/v1/orders/{assigned['order']['order_id']}")).json()
        assert "多人提到的地点：东港街道（4 人）" in order["content"]["detail"]
