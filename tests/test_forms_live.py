"""The form of a call in the real house: it grows, it survives, people change it, an order comes of it."""

import asyncio
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner
from websockets.asyncio.client import ClientConnection

from asr.types import Segment
from calls.wrapup.types import Draft, Field, Kind
from knowledge_base.database import open_database
from scripts.wrapup_cli import app as wrapups
from tests.databases import database_in
from tests.form_parts import TALK, ask, if_match, script, telling
from tests.house import START, House, Script, receive, receive_until, running, send, sound
from tests.real_server import free_port
from tests.test_door import cookie, peopled, signed_in
from tests.wrapup_parts import said

LEGS = START | {"channels": ["citizen", "operator"], "call_id": "c-1", "operator_id": "027"}
WRAPUP = "/v1/calls/c-1/wrapup"
KINDS = [kind.value for kind in Kind]


async def begin(house: House, **more: object) -> ClientConnection:
    line = await house.socket("/v1/calls/audio")
    await send(line, LEGS | more)
    assert (await receive(line))["type"] == "started"
    return line


async def end(line: ClientConnection) -> None:
    await send(line, {"type": "stop"})
    await receive_until(line, lambda message: message["type"] == "ended")


async def form_of(house: House, *, has: str = "", of: str = "c-1") -> dict[str, Any]:
    """The form once the whole call is drafted, or a field of that name."""
    async with asyncio.timeout(60):
        while True:
            form: dict[str, Any] = (await ask(house, "GET", f"/v1/calls/{of}/wrapup")).json()
            if form["is_final"] or (has and form[has]["value"]):
                return form
            await asyncio.sleep(0.05)


async def told(house: House, seconds: float = 7.0, **more: object) -> dict[str, Any]:
    """A whole call, and its form after that."""
    line = await begin(house, **more)
    await line.send(sound(seconds, channels=2))
    await end(line)
    return await form_of(house)


async def change(house: House, version: int, **fields: object) -> httpx.Response:
    return await ask(house, "PATCH", WRAPUP, json={"fields": fields}, headers=if_match(version))


async def test_the_form_grows_during_the_call_and_is_whole_after_it(tmp_path: Path) -> None:
    async with running(tmp_path, script()) as house, house.socket("/v1/screens/operators/027") as screen:
        line = await begin(house)
        await line.send(sound(2.5, channels=2))
        first = (await receive_until(screen, lambda event: event["type"] == "work_order.drafted"))[-1]
        assert not first["work_order"]["is_final"]
        assert first["work_order"]["place"]["value"] == ""
        await line.send(sound(4.5, channels=2))
        await end(line)
        events = await receive_until(
            screen, lambda event: event["type"] == "work_order.drafted" and event["work_order"]["is_final"]
        )
        form = events[-1]["work_order"]
        assert events[-1]["seq"] > next(one["seq"] for one in events if one["type"] == "call.ended")
        assert form["kind"]["value"] in KINDS
        assert form["caller_phone"]["value"] == "13900000152"
        assert form["district"]["value"] == "定海区"
        assert "东大街18号" in form["place"]["value"]
        assert form["place"]["spans"][0]["segment_id"] == "citizen-2"
        assert 0 < len(form["summary"]["value"]) <= 60
        async with house.socket("/v1/screens/calls/c-1") as other:
            assert (await receive(other))["work_order"] == form
        assert (await ask(house, "GET", WRAPUP)).json() == form


async def test_what_a_person_set_stays_and_the_change_is_kept_with_both_values(tmp_path: Path) -> None:
    async with running(tmp_path, script()) as house:
        line = await begin(house)
        await line.send(sound(4.5, channels=2))
        before = await form_of(house, has="kind")
        assert not before["is_final"]
        answer = await change(house, before["version"], kind="求助", caller_name="王小明")
        assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
        await line.send(sound(2.5, channels=2))
        await end(line)
        form = await form_of(house)
        drafted = form["kind"]["drafted"]
        assert drafted
        assert (form["kind"]["value"], form["kind"]["set_by"]) == ("求助", "本机")
        assert (form["caller_name"]["value"], form["caller_phone"]["value"]) == ("王小明", "13900000152")
        assert not form["caller_name"]["is_unsure"]
        database = open_database(database_in(tmp_path))
        with database.connect() as connection:
            asked = 'SELECT field, drafted, value, "by" FROM wrapup_corrections'
            rows = [tuple(row) for row in connection.exec_driver_sql(asked)]
        database.dispose()
        assert ("kind", before["kind"]["drafted"], "求助", "本机") in rows
        back = await change(house, 1, kind=None)
        assert (back.json()["kind"]["value"], back.json()["kind"]["set_by"]) == (drafted, None)


async def test_of_two_who_change_at_once_one_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, script()) as house:
        await told(house)
        answers = await asyncio.gather(
            *(change(house, 0, summary=f"第{number}种写法") for number in range(6))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]
        won = next(answer.json() for answer in answers if answer.status_code == 200)
        detail = next(answer.json()["detail"] for answer in answers if answer.status_code == 412)
        assert (detail["code"], detail["current"]["summary"]["value"]) == (
            "wrapup.changed",
            won["summary"]["value"],
        )
        assert (await ask(house, "PATCH", WRAPUP, json={"fields": {"kind": "投诉"}})).status_code == 428


async def test_what_cannot_be_kept_is_refused_with_a_code(tmp_path: Path) -> None:
    async with running(tmp_path, script()) as house:
        await told(house)
        for fields, code in (
            ({"kind": "抱怨"}, "wrapup.not_one_of"),
            ({"urgency": "马上"}, "wrapup.not_one_of"),
            ({"summary": "字" * 61}, "wrapup.too_long"),
            ({"department": "ZX"}, "wrapup.unknown_department"),
            ({"department": "没有的"}, "wrapup.unknown_department"),
        ):
            answer = await change(house, 0, **fields)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (422, code)
        assert (await change(house, 0, knowledge="T001")).status_code == 422
        assert (await ask(house, "GET", "/v1/calls/nobody/wrapup")).status_code == 404


async def test_an_order_is_made_once_and_follows_the_form_until_it_is_sent_on(tmp_path: Path) -> None:
    async with running(tmp_path, script()) as house:
        form = await told(house)
        assert form["department_id"]
        answers = await asyncio.gather(*(ask(house, "POST", f"{WRAPUP}/order") for _ in range(4)))
        assert {answer.status_code for answer in answers} == {200}
        (order_id,) = {answer.json()["order_id"] for answer in answers}
        order = (await ask(house, "GET", f"/v1/orders/{order_id}")).json()
        assert (order["state"], order["call_id"], order["operator_id"]) == ("accepted", "c-1", "027")
        assert order["content"]["summary"] == form["summary"]["value"]
        assert order["content"]["department_id"] == form["department_id"]
        assert (await ask(house, "GET", "/v1/orders?call_id=c-1")).json()["total"] == 1
        made = (await ask(house, "GET", WRAPUP)).json()
        assert made["order"] == {"order_id": order_id, "state": "accepted", "by": "本机"}
        changed = (await change(house, made["version"], summary="东大街18号门口积水")).json()
        order = (await ask(house, "GET", f"/v1/orders/{order_id}")).json()
        assert order["content"]["summary"] == "东大街18号门口积水"
        step = {"deed": "dispatch"}
        sent = await ask(
            house, "POST", f"/v1/orders/{order_id}/steps", json=step, headers=if_match(order["version"])
        )
        assert sent.status_code == 200
        late = await change(house, changed["version"], summary="又改")
        assert (late.status_code, late.json()["detail"]["code"]) == (409, "wrapup.closed")


async def test_an_order_needs_a_type_and_a_summary(tmp_path: Path) -> None:
    async with running(tmp_path, script("市民:喂。")) as house:
        form = await told(house, 1.5)
        version = form["version"]
        for name, value, code in (
            ("kind", "咨询", "wrapup.kind_needed"),
            ("summary", "公积金", "wrapup.summary_needed"),
        ):
            answer = await ask(house, "POST", f"{WRAPUP}/order")
            assert (answer.status_code, answer.json()["detail"]["code"]) == (422, code)
            version = (await change(house, version, **{name: value})).json()["version"]
        assert (await ask(house, "POST", f"{WRAPUP}/order")).status_code == 200


async def test_a_department_is_set_by_its_identifier(tmp_path: Path) -> None:
    async with running(tmp_path, script()) as house:
        await told(house)
        units = (await ask(house, "GET", "/v1/departments")).json()
        district = next(unit for unit in units if unit["kind"] == "区县")
        below = next(unit for unit in units if unit["parent_id"] == district["unit_id"])
        form = (await change(house, 0, department=below["unit_id"])).json()
        assert form["department_id"] == below["unit_id"]
        assert form["department"]["value"] == below["name"]
        assert form["department"]["drafted"] != form["department"]["value"]
        again = (await change(house, 1, department=None)).json()
        assert again["department"]["value"] == again["department"]["drafted"]
        assert again["department_id"] not in (None, below["unit_id"])


async def test_a_form_goes_on_after_a_restart_in_mid_call(tmp_path: Path) -> None:
    port = free_port()
    async with running(tmp_path, script(), on_port=port) as house:
        line = await begin(house, caller="13755556666")
        await line.send(sound(4.5, channels=2))
        before = await form_of(house, has="place")
        await change(house, before["version"], urgency="紧急")
    async with running(tmp_path, script(), on_port=port) as house:
        assert (await form_of(house, has="place"))["urgency"]["value"] == "紧急"
        line = await begin(house, caller="13755556666", reconnect=True, buffered=True)
        await line.send(sound(3.0, channels=2))
        await end(line)
        form = await form_of(house)
        assert (form["urgency"]["value"], form["caller_phone"]["value"]) == ("紧急", "13900000152")
        assert "东大街18号" in form["place"]["value"]  # said before the restart


async def test_a_call_whose_end_nobody_drafted_is_found_at_the_next_start(tmp_path: Path) -> None:
    async with running(tmp_path, Script(recognise=telling(*TALK))) as house:  # without knowledge: no drafts
        line = await begin(house)
        await line.send(sound(7.0, channels=2))
        await end(line)
        assert (await ask(house, "GET", WRAPUP)).json()["engine"] == ""
    async with running(tmp_path, script()) as house:
        assert (await form_of(house))["caller_phone"]["value"] == "13900000152"


async def test_a_line_put_right_after_the_call_is_drafted_again(tmp_path: Path) -> None:
    async with running(tmp_path, script()) as house:
        await told(house)
        async with house.socket("/v1/screens/calls/c-1") as screen:
            await receive(screen)
            text = "我姓李，电话是13900000153。"
            await send(screen, {"type": "segment.correct", "segment_id": "citizen-3", "text": text})
            event = (await receive_until(screen, lambda event: event["type"] == "work_order.drafted"))[-1]
        assert event["work_order"]["caller_phone"]["value"] == "13900000153"
        assert event["work_order"]["is_final"]


async def test_cards_that_were_used_are_knowledge_used(tmp_path: Path) -> None:
    async with running(tmp_path, script(suggests={TALK[1].split(":")[1]: ("T001", "T002")})) as house:
        line = await begin(house)
        await line.send(sound(2.5, channels=2))
        async with house.socket("/v1/screens/calls/c-1") as screen:
            shown = (await receive_until(screen, lambda event: '"T001"' in str(event).replace("'", '"')))[-1]
            suggestion_id = shown.get("suggestion_id") or shown["suggestion"]["suggestion_id"]
            mark = {"type": "suggestion.mark", "suggestion_id": suggestion_id, "article_id": "T001"}
            await send(screen, mark | {"mark": "copied"})
            await receive_until(screen, lambda event: event["type"] == "suggestion.marked")
        await end(line)
        first = (await form_of(house))["knowledge"][0]
        assert first == {"article_id": "T001", "title": "标题T001", "is_used": True}


@dataclass
class Slow:
    """A language model that answers after a while, or breaks."""

    answer: Draft | None
    is_broken: bool = False
    name: str = "model"
    asked: int = 0

    async def draft(self, segments: Sequence[Segment], *, embedded: Draft, caller: str) -> Draft | None:
        self.asked += 1
        assert len(segments) == len(TALK)
        await asyncio.sleep(0.05)
        if self.is_broken:
            raise RuntimeError("no answer")
        return self.answer and replace(embedded, summary=self.answer.summary)


async def test_the_slower_engine_comes_after_the_first_draft_and_may_break(tmp_path: Path) -> None:
    better = Slow(Draft(summary=Field(value="定海区东大街18号门口路面积水", confidence=0.9)))
    async with running(tmp_path / "a", script(late=better)) as house:
        assert (await told(house))["engine"] in ("embedded", "model")
        async with house.socket("/v1/screens/calls/c-1") as screen:
            events = await receive_until(screen, lambda event: event["work_order"]["engine"] == "model")
        form = events[-1]["work_order"]
        assert form["summary"]["value"] == "定海区东大街18号门口路面积水"
    broken = Slow(None, is_broken=True)
    async with running(tmp_path / "b", script(late=broken)) as house:
        form = await told(house)
        await asyncio.sleep(0.2)
        assert broken.asked == 1
        assert (await form_of(house)) == form
        assert form["engine"] == "embedded"


async def test_corrections_are_written_down_with_the_text_that_they_belong_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, script()) as house:
        form = await told(house)
        version = (await change(house, 0, kind="求助", place=form["place"]["value"])).json()["version"]
        version = (await change(house, version, kind="建议", urgency="紧急")).json()["version"]
        await change(house, version, urgency=None)
    monkeypatch.setenv("ZHITING_DATA_DIR", str(tmp_path))
    for option, name in (("--json", "a.jsonl"), ("--csv", "a.csv")):
        done = CliRunner().invoke(wrapups, ["corrections", option, "--out", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {row["field"]: (row["drafted"], row["corrected"], row["is_right"]) for row in rows}
    assert found == {
        "kind": (form["kind"]["drafted"], "建议", False),
        "place": (form["place"]["value"], form["place"]["value"], True),
    }
    assert rows[0]["lines"][1] == {"party": "citizen", "text": TALK[1].split(":")[1]}
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["corrected"] for row in table] == [row["corrected"] for row in rows]
    assert TALK[5].split(":")[1] in table[0]["text"]


async def test_a_recording_is_drafted_and_told_to_nobody_else(tmp_path: Path) -> None:
    segments = [
        {
            "segment_id": each.segment_id,
            "party": each.party,
            "start_s": each.start_s,
            "end_s": each.end_s,
            "text": each.text,
            "raw_text": each.text,
        }
        for each in said(*TALK)
    ]
    body = {"digest": "ab" * 32, "name": "a.wav", "started_at": "2026-03-05T10:00:00+08:00", "seconds": 9.0}
    async with running(tmp_path, script()) as house, house.socket("/v1/screens/operators/027") as screen:
        assert (await receive(screen))["seq"] == 0
        answer = await ask(
            house, "POST", "/v1/calls/recorded", json=body | {"segments": segments, "operator_id": "027"}
        )
        form = await form_of(house, of=answer.json()["call_id"])
        assert (form["caller_phone"]["value"], form["is_final"]) == ("13900000152", True)
        await begin(house)
        assert (await receive(screen))["seq"] == 1  # nothing of the recording came between


async def test_an_operator_changes_the_own_calls_alone(tmp_path: Path) -> None:
    async with (
        peopled(tmp_path, script=script()) as house,
        signed_in(house, "li") as li,
        signed_in(house, "wang") as wang,
    ):
        async with house.socket("/v1/calls/audio", additional_headers=cookie(li)) as line:
            await send(line, LEGS)
            await receive(line)
            await line.send(sound(2.5, channels=2))
            await end(line)
        change_it = {"json": {"fields": {"kind": "建议"}, "author": "somebody else"}, "headers": if_match(0)}
        for answer in (
            await wang.get(WRAPUP),
            await wang.patch(WRAPUP, **change_it),
            await wang.post(f"{WRAPUP}/order"),
        ):
            assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "call.unknown")
        mine = await li.patch(WRAPUP, **change_it)
        assert (mine.status_code, mine.json()["kind"]["set_by"]) == (200, "li")
        async with signed_in(house, "admin") as admin:
            entries = (await admin.get("/v1/audit", params={"q": "wrapup"})).json()["entries"]
        assert [entry["target"] for entry in entries] == ["c-1 kind"]
