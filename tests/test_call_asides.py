"""Notes, edits, history and transfers over real sockets, and a call's sound and lines over HTTP."""

import io
import json
import wave
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection

from agent_ui.events import SCREEN_EVENTS
from tests.house import START, House, Script, receive, receive_until, running, send, sound

LEGS = START | {"channels": ["citizen", "operator"], "call_id": "c-1", "operator_id": "027"}


async def begin(house: House, **more: object) -> ClientConnection:
    line = await house.socket("/v1/calls/audio")
    await send(line, LEGS | more)
    assert (await receive(line))["type"] == "started"
    return line


def is_type(*names: str) -> Any:
    return lambda event: event["type"] in names


def is_final(text: str) -> Any:
    """Whether that is said in an event, or already in the snapshot."""
    return lambda event: (
        event["seq"]
        and any(
            segment["text"] == text
            for segment in (event.get("segment"), *event.get("segments", ()))
            if segment
        )
    )


async def snapshot_of(house: House, path: str) -> dict[str, Any]:
    async with house.socket(path) as screen:
        snapshot = await receive(screen)
        SCREEN_EVENTS.validate_python(snapshot)
        return snapshot


async def get(house: House, path: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as client:
        return await client.get(house.url + path)


async def test_a_changed_and_a_removed_line_can_be_put_back(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        line = await begin(house)
        async with house.socket("/v1/screens/calls/c-1") as screen:
            await receive(screen)  # the snapshot: what comes after it comes as an event
            await line.send(sound(1.2, channels=2))
            await receive_until(screen, lambda event: event["type"] == "segment.shown" and event["seq"])
            for text in ("路面积水了", ""):
                correct = {"type": "segment.correct", "segment_id": "citizen-1", "text": text}
                await send(screen, correct)
                await receive_until(screen, is_type("segment.corrected"))
            snapshot = await snapshot_of(house, "/v1/screens/calls/c-1")
            assert [edit["original"]["text"] for edit in snapshot["edits"]] == ["第0秒"]
            assert "citizen-1" not in [one["segment_id"] for one in snapshot["segments"]]
            await send(screen, {"type": "segment.restore", "segment_id": "citizen-1"})
            restored = (await receive_until(screen, is_type("segment.corrected")))[-1]
            assert restored["segment"]["text"] == "第0秒"
            await send(screen, {"type": "segment.restore", "segment_id": "citizen-1"})
            assert (await receive_until(screen, is_type("error")))[-1]["code"] == "segment.unchanged"
        assert (await snapshot_of(house, "/v1/screens/calls/c-1"))["edits"] == []
        await send(line, {"type": "stop"})


async def test_a_note_is_taken_changed_removed_and_brought_back(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        line = await begin(house)
        async with house.socket("/v1/screens/calls/c-1") as screen:
            await receive(screen)  # the snapshot: what comes after it comes as an event
            write = {"type": "note.write", "note_id": "n-1"}
            for text, event in (("下午", "note.taken"), ("下午三点", "note.changed"), ("", "note.changed")):
                await send(screen, write | {"text": text})
                told = (await receive_until(screen, is_type("note.taken", "note.changed")))[-1]
                assert (told["type"], told["text"]) == (event, text)
            assert (await snapshot_of(house, "/v1/screens/calls/c-1"))["notes"] == []
            await send(line, {"type": "stop"})
            await receive_until(screen, is_type("call.ended"))
            await send(screen, write | {"text": "下午三点"})  # after the call, too
            await receive_until(screen, is_type("note.changed"))
        (note,) = (await snapshot_of(house, "/v1/screens/calls/c-1"))["notes"]
        assert (note["text"], note["by"]) == ("下午三点", "本机")
        assert note["at"] < note["changed_at"]


async def test_a_call_holds_a_bounded_number_of_notes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calls.commands.MAX_NOTES", 1)
    async with running(tmp_path) as house:
        line = await begin(house)
        async with house.socket("/v1/screens/calls/c-1") as screen:
            for number in (1, 2):
                await send(screen, {"type": "note.write", "note_id": f"n-{number}", "text": "记"})
            assert (await receive_until(screen, is_type("error")))[-1]["code"] == "note.too_many"
        await send(line, {"type": "stop"})


async def test_a_handed_over_call_is_whole_at_the_other_operators_screen(tmp_path: Path) -> None:
    async with running(tmp_path, Script({"第1秒": ("T001",)})) as house:
        line = await begin(house)
        mine, theirs = "/v1/screens/operators/027", "/v1/screens/operators/031"
        async with (
            house.socket(mine) as old,
            house.socket(theirs) as new,
            house.socket("/v1/screens/calls") as calls,
        ):
            assert (await receive(new))["call"] is None
            await line.send(sound(2.2, channels=2))
            await receive_until(old, is_type("suggestion.shown"))
            await send(old, {"type": "note.write", "note_id": "n-1", "text": "要回电"})
            await receive_until(old, is_type("note.taken"))
            await send(old, {"type": "call.transfer", "operator_id": "031", "message": "问异地提取"})
            told = (await receive_until(old, is_type("call.transferred")))[-1]
            assert (told["from_operator"], told["to_operator"]) == ("027", "031")
            assert (await receive_until(calls, is_type("call.transferred")))[-1]["call_id"] == "c-1"
            snapshot = (await receive_until(new, is_type("snapshot")))[-1]
            SCREEN_EVENTS.validate_python(snapshot)
            assert snapshot["call"]["operator_id"] == "031"
            assert {one["text"] for one in snapshot["segments"]} >= {"第0秒", "第1秒"}
            assert [card["article_id"] for card in snapshot["cards"]] == ["T001"]
            assert [note["text"] for note in snapshot["notes"]] == ["要回电"]
            assert [one["message"] for one in snapshot["transfers"]] == ["问异地提取"]
            # What is said from now on comes to the new one, and no more to the old one.
            await line.send(sound(1.0, channels=2))
            await receive_until(new, is_final("第2秒"))
            again = await snapshot_of(house, theirs)
            assert {one["text"] for one in again["segments"]} >= {"第0秒", "第1秒", "第2秒"}
            assert again["seq"] > snapshot["seq"]
            left = await snapshot_of(house, mine)
            assert left["call"]["operator_id"] == "031"
            assert "第2秒" not in {one["text"] for one in left["segments"]}
            # Handing it back undoes it.
            await send(new, {"type": "call.transfer", "operator_id": "027"})
            back = (await receive_until(old, is_type("snapshot")))[-1]
            assert back["call"]["operator_id"] == "027"
            assert {one["text"] for one in back["segments"]} >= {"第0秒", "第2秒"}
        row = (await get(house, "/v1/calls/c-1")).json()["call"]
        assert row["operator_id"] == "027"
        await send(line, {"type": "stop"})


async def test_a_screen_that_was_away_during_the_transfer_gets_the_whole_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        early = await begin(house, call_id="c-0", operator_id="031")
        await send(early, {"type": "stop"})
        await receive(early)
        seq = (await snapshot_of(house, "/v1/screens/operators/031"))["seq"]
        line = await begin(house)
        await line.send(sound(1.2, channels=2))
        async with house.socket("/v1/screens/calls/c-1") as screen:
            await receive_until(screen, lambda event: "第0秒" in json.dumps(event, ensure_ascii=False))
            await send(screen, {"type": "call.transfer", "operator_id": "031"})
            await receive_until(screen, is_type("call.transferred"))
        snapshot = await snapshot_of(house, f"/v1/screens/operators/031?since={seq}")
        assert (snapshot["type"], snapshot["call_id"]) == ("snapshot", "c-1")
        assert "第0秒" in {one["text"] for one in snapshot["segments"]}
        await send(line, {"type": "stop"})
        async with house.socket("/v1/screens/operators/031") as screen:
            await receive_until(
                screen,
                lambda event: (
                    "ended" in (event["type"].split(".")[-1], (event.get("call") or {}).get("state"))
                ),
            )


async def test_nobody_in_a_call_is_given_another(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        mine, theirs = await begin(house), await begin(house, call_id="c-2", operator_id="031")
        async with house.socket("/v1/screens/calls/c-1") as screen:
            transfer = {"type": "call.transfer"}
            for operator_id, code in (("031", "transfer.operator_busy"), ("027", "transfer.same_operator")):
                await send(screen, transfer | {"operator_id": operator_id})
                assert (await receive_until(screen, is_type("error")))[-1]["code"] == code
            await send(mine, {"type": "stop"})
            await receive_until(screen, is_type("call.ended"))
            await send(screen, transfer | {"operator_id": "040"})
            assert (await receive_until(screen, is_type("error")))[-1]["code"] == "transfer.too_late"
        await send(theirs, {"type": "stop"})


@pytest.mark.parametrize("encoding", ["pcm_s16le", "mulaw", "alaw"])
async def test_a_stretch_of_the_sound_is_what_came_in(tmp_path: Path, encoding: str) -> None:
    async with running(tmp_path) as house:
        rate = 16_000 if encoding == "pcm_s16le" else 8_000
        width = 2 if encoding == "pcm_s16le" else 1
        line = await begin(house, encoding=encoding, sample_rate=rate)
        data = np.random.default_rng(1).integers(0, 255, rate * 2 * width * 3, dtype=np.uint8).tobytes()
        for start in range(0, len(data), rate * 2 * width):
            await line.send(data[start : start + rate * 2 * width])
        async with house.socket("/v1/screens/calls/c-1") as screen:
            await receive_until(screen, is_final("第1秒"))
        answer = await get(house, "/v1/calls/c-1/audio?from_s=1&to_s=2.5")  # while the call goes on
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) == len(answer.content)
        with wave.open(io.BytesIO(answer.content)) as heard:
            assert (heard.getnchannels(), heard.getframerate(), heard.getsampwidth()) == (2, rate, 2)
            assert heard.getnframes() == 1.5 * rate
            samples = heard.readframes(10**9)
        if encoding == "pcm_s16le":
            assert samples == data[rate * 4 : rate * 10]
        last = await get(house, "/v1/calls/c-1/audio?last_s=10")
        assert last.headers["x-start-s"] == "0.000"  # no more than there is
        await send(line, {"type": "stop"})
        await receive_until(line, is_type("ended"))
        assert (await get(house, "/v1/calls/c-1/audio?last_s=1")).headers["x-start-s"] == "2.000"


async def test_sound_that_is_not_there_has_a_status_and_a_code(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        line = await begin(house)
        await line.send(sound(1.0, channels=2))
        await send(line, {"type": "stop"})
        await receive_until(line, is_type("ended"))
        for path, status, code in (
            ("nobody/audio", 404, "call.unknown"),
            ("c-1/audio?from_s=7", 416, "call.audio_out_of_range"),
            ("c-1/audio?from_s=0.8&to_s=0.2", 416, "call.audio_out_of_range"),
            ("c-1/audio?from_s=-1", 422, None),
            ("c-1/audio?last_s=601", 422, None),
        ):
            answer = await get(house, f"/v1/calls/{path}")
            assert answer.status_code == status
            assert code is None or answer.json()["detail"]["code"] == code
        (tmp_path / "audio" / "c-1.raw").unlink()
        assert (await get(house, "/v1/calls/c-1/audio")).json()["detail"]["code"] == "call.no_audio"


async def test_earlier_lines_and_earlier_calls_are_found(tmp_path: Path) -> None:
    async with running(tmp_path, Script({"第1秒": ("T001",)})) as house:
        for call_id, caller in (("c-1", "13900000152"), ("c-2", "13900000152"), ("c-3", "13900000159")):
            line = await begin(house, call_id=call_id, caller=caller, channels=["citizen"])
            await line.send(sound(3.0 if call_id == "c-1" else 1.0))
            await send(line, {"type": "stop"})
            await receive_until(line, is_type("ended"))
        lines = (await get(house, "/v1/calls/c-1/lines?before_s=2&limit=1")).json()
        assert ([one["text"] for one in lines["segments"]], lines["earlier"]) == (["第1秒"], 1)
        calls = (await get(house, "/v1/calls?caller=13900000152")).json()["calls"]
        assert {call["call_id"]: call["matter"] for call in calls} == {"c-1": "标题T001", "c-2": None}
        assert (await get(house, "/v1/calls?caller=1390000015")).json()["calls"] == []
