"""Alarms end to end: what a citizen says raises one on every screen that is concerned, and is seen to."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from agent_ui.events import CALL_LIST_EVENTS, SCREEN_EVENTS
from asr.types import AudioFrame, Party, Segment
from calls.records import Records
from calls.session import Recognise
from calls.types import AlarmRaised, Stream
from knowledge_base.database import open_database
from tests.call_parts import segment
from tests.databases import database_in
from tests.house import START, House, Script, receive, receive_until, running, send, sound

LIST, CALL = "/v1/screens/calls", "/v1/screens/calls/c-1"


def saying(*texts: str, with_partials: int = 0) -> Recognise:
    """Ears that hear one of the texts in each second of a leg."""

    async def recognise(
        call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
    ) -> AsyncIterator[Segment]:
        heard_s, number = 0.0, numbers.get(Party.CITIZEN, 0)
        async for frame in frames:
            heard_s = frame.end_s
            while number < min(len(texts), int(heard_s + 1e-6)):
                number += 1
                for is_final in (*[False] * with_partials, True):
                    yield segment(
                        number,
                        texts[number - 1],
                        call_id=call_id,
                        start_s=number - 1.0,
                        end_s=float(number),
                        is_final=is_final,
                    )

    return recognise


async def open_call(house: House, seconds: float, call_id: str = "c-1") -> ClientConnection:
    line = await house.socket("/v1/calls/audio")
    await send(line, START | {"call_id": call_id, "operator_id": "027", "caller": "13900000000"})
    await receive(line)
    await line.send(sound(seconds))
    return line


def is_type(name: str) -> Any:
    return lambda event: event["type"] == name


async def test_an_alarm_comes_to_the_list_the_call_and_the_operator(tmp_path: Path) -> None:
    script = Script(recognise=saying("你好", "我家有煤气的味道"))
    async with running(tmp_path, script) as house:
        async with (
            house.socket(LIST) as everybody,
            house.socket("/v1/screens/operators/027") as operator,
        ):
            line = await open_call(house, 3.2)
            for screen in (everybody, operator):
                alarm = (await receive_until(screen, is_type("alarm.raised")))[-1]
                assert (alarm["call_id"], alarm["kind"], alarm["severity"]) == ("c-1", "gas", "critical")
                assert alarm["said"][alarm["start"] : alarm["end"]] == "煤气的味道"
                (SCREEN_EVENTS if screen is operator else CALL_LIST_EVENTS).validate_python(alarm)
        async with house.socket(CALL) as call, house.socket(LIST) as late:
            (shown,) = (await receive(call))["alarms"]
            (listed,) = (await receive(late))["alarms"]
            CALL_LIST_EVENTS.validate_python(
                {"type": "snapshot", "seq": 1, "at": shown["at"], "calls": [], "alarms": [listed]}
            )
        assert (listed["alarm_id"], listed["operator_id"], listed["caller"]) == (
            "c-1.gas",
            "027",
            "13900000000",
        )
        assert shown | {"at": ""} == listed | {"at": ""}
        await send(line, {"type": "stop"})
        await receive_until(line, is_type("ended"))


async def test_it_is_durable_before_it_is_shown_and_raised_once(tmp_path: Path) -> None:
    script = Script(recognise=saying("楼上着火了", "真的着火了", "着火了呀", with_partials=3))
    async with running(tmp_path, script) as house:
        database = open_database(database_in(tmp_path))
        records = Records(database)
        async with house.socket(LIST) as screen:
            line = await open_call(house, 4.2)
            alarm = (await receive_until(screen, is_type("alarm.raised")))[-1]
            assert alarm["segment_id"] == "citizen-1"
            kept = records.read(Stream.call("c-1"), since=0, limit=100)
            assert [entry.fact.alarm_id for entry in kept if isinstance(entry.fact, AlarmRaised)] == [
                "c-1.fire"
            ]
            await send(line, {"type": "stop"})
            events = await receive_until(screen, is_type("call.ended"))
            assert "alarm.raised" not in [event["type"] for event in events]
        kept = records.read(Stream.call("c-1"), since=0, limit=100)
        assert sum(isinstance(entry.fact, AlarmRaised) for entry in kept) == 1
        database.dispose()


async def test_a_call_that_is_taken_up_after_a_restart_raises_no_alarm_twice(tmp_path: Path) -> None:
    texts = ("楼上着火了", "真的着火了", "有人被困在电梯里")
    async with running(tmp_path, Script(recognise=saying(*texts))) as house:
        line = await open_call(house, 1.2)
        async with house.socket(LIST) as screen:
            snapshot = await receive(screen)
            if not snapshot["alarms"]:
                await receive_until(screen, is_type("alarm.raised"))
    async with running(tmp_path, Script(recognise=saying(*texts))) as house, house.socket(LIST) as screen:
        assert [alarm["kind"] for alarm in (await receive(screen))["alarms"]] == ["fire"]
        line = await house.socket("/v1/calls/audio")
        await send(line, START | {"call_id": "c-1", "reconnect": True, "buffered": True})
        await receive(line)
        await line.send(sound(3.0))
        alarm = (await receive_until(screen, is_type("alarm.raised")))[-1]
        assert alarm["kind"] == "trapped"
        await send(line, {"type": "stop"})
        events = await receive_until(screen, is_type("call.ended"))
        assert "alarm.raised" not in [event["type"] for event in events]


async def test_an_alarm_is_taken_once_and_rated_and_every_screen_sees_it(tmp_path: Path) -> None:
    async with (
        running(tmp_path, Script(recognise=saying("有人要跳楼"))) as house,
        house.socket(LIST) as screen,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        line = await open_call(house, 1.2)
        await receive_until(screen, is_type("alarm.raised"))
        open_ones = (await client.get("/v1/alarms", params={"is_open": True})).json()["alarms"]
        assert [alarm["alarm_id"] for alarm in open_ones] == ["c-1.suicide"]
        taken = await client.post("/v1/alarms/c-1.suicide/take", json={"note": "已转110"})
        assert taken.json()["taken_by"] == "本机"
        event = (await receive_until(screen, is_type("alarm.taken")))[-1]
        assert (event["alarm_id"], event["note"], event["by"]) == ("c-1.suicide", "已转110", "本机")
        again = await client.post("/v1/alarms/c-1.suicide/take", json={"note": "我来", "author": "李"})
        assert (again.json()["taken_by"], again.json()["note"]) == ("本机", "已转110")
        rated = await client.post("/v1/alarms/c-1.suicide/rate", json={"is_true": False})
        assert rated.json()["is_true"] is False
        assert (await receive_until(screen, is_type("alarm.rated")))[-1]["is_true"] is False
        assert (await client.get("/v1/alarms", params={"is_open": True})).json()["alarms"] == []
        assert len((await client.get("/v1/alarms", params={"is_rated": True})).json()["alarms"]) == 1
        unknown = await client.post("/v1/alarms/c-9.gas/take", json={})
        assert (unknown.status_code, unknown.json()["detail"]["code"]) == (404, "alarm.unknown")
        assert (await client.post("/v1/alarms/c-1.suicide/rate", json={})).status_code == 422
        await send(line, {"type": "stop"})
        await receive_until(line, is_type("ended"))


async def test_a_recording_of_long_ago_raises_none(tmp_path: Path) -> None:
    body = {
        "digest": "a" * 64,
        "name": "旧录音.wav",
        "started_at": "2026-03-05T10:32:05+08:00",
        "seconds": 5.0,
        "segments": [
            {
                "segment_id": "citizen-1",
                "party": "citizen",
                "start_s": 0.0,
                "end_s": 2.0,
                "text": "楼上着火了",
                "raw_text": "楼上着火了",
            }
        ],
    }
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        answer = await client.post("/v1/calls/recorded", json=body)
        assert answer.is_success, answer.text
        assert (await client.get("/v1/alarms")).json()["alarms"] == []


@pytest.mark.parametrize("text", ["煤气怎么开户", "没有人受伤"])
async def test_an_ordinary_call_raises_none(tmp_path: Path, text: str) -> None:
    async with running(tmp_path, Script(recognise=saying(text, with_partials=2))) as house:
        async with house.socket(LIST) as screen:
            line = await open_call(house, 1.2)
            await send(line, {"type": "stop"})
            events = await receive_until(screen, is_type("call.ended"))
        assert "alarm.raised" not in [event["type"] for event in events]
