"""The audio socket's protocol, spoken by an ordinary client to the real application."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.house import START, House, Script, receive, receive_until, running, send, sound

AUDIO = "/v1/calls/audio"


async def closing_code(line: ClientConnection) -> int:
    async with asyncio.timeout(60):
        with suppress(ConnectionClosed):
            async for _ in line:
                pass
    assert line.close_code is not None
    return line.close_code


async def test_a_call_from_start_to_end(tmp_path: Path) -> None:
    async with running(tmp_path) as house, house.socket(AUDIO) as line:
        await send(line, START | {"operator_id": "027", "caller": "13900000001", "meta": {"queue": "一"}})
        started = await receive(line)
        assert started["type"] == "started"
        for _ in range(32):
            await line.send(sound(0.1))
        await send(line, {"type": "dtmf", "digit": "5"})
        await send(line, {"type": "stop"})
        ended = await receive(line)
        assert ended == {"type": "ended", "call_id": started["call_id"], "seconds": 3.2}
        assert await closing_code(line) == 1000
        async with house.socket(f"/v1/screens/calls/{started['call_id']}") as screen:
            snapshot = await receive(screen)
        assert [s["text"] for s in snapshot["segments"]] == ["第0秒", "第1秒", "第2秒"]
        assert snapshot["call"]["state"] == "ended"
        assert snapshot["call"]["caller"] == "13900000001"
        assert (tmp_path / "audio" / f"{started['call_id']}.raw").stat().st_size == 3.2 * 32_000


@pytest.mark.parametrize(
    ("first", "code", "close_code"),
    [
        ("not json", "call.bad_message", 1007),
        (json.dumps({"type": "stop"}), "call.not_started", 1007),
        (json.dumps({"type": "begin"}), "call.bad_message", 1007),
        (json.dumps(START | {"encoding": "opus"}), "asr.unknown_encoding", 1007),
        (json.dumps(START | {"sample_rate": 7999}), "asr.bad_sample_rate", 1007),
        (json.dumps(START | {"encoding": "alaw"}), "asr.bad_sample_rate", 1007),
        (json.dumps(START | {"channels": []}), "call.bad_message", 1007),
        (json.dumps(START | {"channels": ["citizen", "citizen"]}), "call.bad_message", 1007),
        (json.dumps(START | {"channels": ["mixed", "citizen"]}), "call.bad_message", 1007),
        (json.dumps(START | {"call_id": "../../etc/passwd"}), "call.bad_message", 1007),
        (json.dumps(START | {"reconnect": True}), "call.bad_message", 1007),
        (json.dumps(START | {"reconnect": True, "call_id": "nobody"}), "call.unknown", 4404),
        (b"\x00\x00", "call.not_started", 1007),
    ],
)
async def test_a_wrong_beginning_is_refused_in_words(
    tmp_path: Path, first: str | bytes, code: str, close_code: int
) -> None:
    async with running(tmp_path) as house, house.socket(AUDIO) as line:
        await line.send(first)
        error = await receive(line)
        assert (error["type"], error["code"], error["recoverable"]) == ("error", code, False)
        assert error["message"]
        assert await closing_code(line) == close_code


async def test_mistakes_in_mid_call_are_told_and_disturb_nothing(tmp_path: Path) -> None:
    stereo = START | {"channels": ["citizen", "operator"], "call_id": "c-1"}
    async with running(tmp_path) as house, house.socket(AUDIO) as line:
        await send(line, stereo)
        await receive(line)
        await line.send(sound(1.0, channels=2))
        for wrong, code in (
            (b"\x00" * 1003, "asr.misaligned"),
            (json.dumps(stereo), "call.already_started"),
            ("{", "call.bad_message"),
            (json.dumps({"type": "dtmf", "digit": "12"}), "call.bad_message"),
        ):
            await line.send(wrong)
            error = await receive(line)
            assert (error["code"], error["recoverable"]) == (code, True)
        await line.send(b"")
        await line.send(sound(1.0, channels=2))
        await send(line, {"type": "stop"})
        assert (await receive(line))["seconds"] == 2.0


async def test_a_pause_stops_media_time(tmp_path: Path) -> None:
    async with running(tmp_path) as house, house.socket(AUDIO) as line:
        await send(line, START)
        await receive(line)
        await line.send(sound(1.0))
        await send(line, {"type": "pause"})
        await line.send(sound(5.0))
        await send(line, {"type": "unpause"})
        await line.send(sound(1.0))
        await send(line, {"type": "stop"})
        assert (await receive(line))["seconds"] == 2.0


async def test_an_identifier_is_used_once(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        async with house.socket(AUDIO) as line, house.socket(AUDIO) as other:
            await send(line, START | {"call_id": "c-1"})
            await receive(line)
            await send(other, START | {"call_id": "c-1"})
            assert (await receive(other))["code"] == "call.id_in_use"
            assert await closing_code(other) == 4409
            await send(line, {"type": "stop"})
            assert (await receive(line))["type"] == "ended"
        async with house.socket(AUDIO) as again:
            await send(again, START | {"call_id": "c-1"})
            assert (await receive(again))["code"] == "call.id_in_use"


@pytest.mark.parametrize("limit", ["calls", "ears"])
async def test_a_full_house_refuses_and_takes_again_later(tmp_path: Path, limit: str) -> None:
    script = Script(max_calls=1 if limit == "ears" else 100)
    async with running(tmp_path, script, max_calls=1 if limit == "calls" else 100) as house:
        async with house.socket(AUDIO) as line:
            await send(line, START)
            await receive(line)
            async with house.socket(AUDIO) as other:
                await send(other, START)
                error = await receive(other)
                assert (error["code"], error["recoverable"]) == ("call.refused", False)
                assert await closing_code(other) == 1013
            await send(line, {"type": "stop"})
            await receive(line)
        async with house.socket(AUDIO) as line:
            await send(line, START)
            assert (await receive(line))["type"] == "started"


async def test_a_vanished_line_comes_back_and_the_missing_time_is_told(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with running(tmp_path) as house:
        line = await house.socket(AUDIO)
        await send(line, START | {"call_id": "c-1"})
        begun_s = loop.time()
        await receive(line)
        await line.send(sound(1.0))
        await events_until_text(house, "第0秒")
        await break_off(house, line)
        await asyncio.sleep(0.7)
        async with house.socket(AUDIO) as line:
            await send(line, START | {"call_id": "c-1", "reconnect": True})
            started = await receive(line)
            away_s = loop.time() - begun_s
            assert (started["call_id"], started["received_s"]) == ("c-1", 1.0)
            await line.send(sound(2.0))
            await send(line, {"type": "stop"})
            ended = await receive(line)
        async with house.socket("/v1/screens/calls/c-1?since=1") as screen:
            events = await receive_until(screen, lambda event: event["type"] == "call.ended")
        types = [event["type"] for event in events]
        assert types[:4] == ["segment.shown", "call.lost", "call.reconnected", "call.degraded"]
        gap = events[3]
        assert gap["code"] == "call.audio_gap"
        assert 0.5 < gap["seconds"] < away_s
        assert ended["seconds"] == pytest.approx(3.0 + gap["seconds"], abs=0.01)
        assert [event["seq"] for event in events] == list(range(2, 2 + len(events)))


async def events_until_text(house: House, text: str) -> None:
    def is_it(event: dict[str, Any]) -> bool:
        shown = event.get("segments", []) + ([event["segment"]] if "segment" in event else [])
        return any(segment["text"] == text and segment["is_final"] for segment in shown)

    async with house.socket("/v1/screens/calls/c-1") as screen:
        await receive_until(screen, is_it)


async def break_off(house: House, line: ClientConnection) -> None:
    """The line is gone, and the server has noticed."""
    async with house.socket("/v1/screens/calls/c-1") as screen:
        await receive(screen)
        line.transport.abort()
        await receive_until(screen, lambda event: event["type"] == "call.lost")


async def test_a_carrier_that_kept_the_sound_leaves_no_gap(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        line = await house.socket(AUDIO)
        await send(line, START | {"call_id": "c-1"})
        await receive(line)
        await line.send(sound(1.0))
        await events_until_text(house, "第0秒")
        await break_off(house, line)
        await asyncio.sleep(0.7)
        async with house.socket(AUDIO) as line:
            await send(line, START | {"call_id": "c-1", "reconnect": True, "buffered": True})
            assert (await receive(line))["received_s"] == 1.0
            await line.send(sound(1.0))
            await send(line, {"type": "stop"})
            assert (await receive(line))["seconds"] == 2.0


async def test_a_reconnect_must_keep_the_format_and_find_the_line_free(tmp_path: Path) -> None:
    async with running(tmp_path) as house, house.socket(AUDIO) as line:
        await send(line, START | {"call_id": "c-1"})
        await receive(line)
        again = START | {"call_id": "c-1", "reconnect": True}
        async with house.socket(AUDIO) as other:
            await send(other, again)
            assert (await receive(other))["code"] == "call.id_in_use"
        await break_off(house, line)
        async with house.socket(AUDIO) as other:
            await send(other, again | {"sample_rate": 8000})
            assert (await receive(other))["code"] == "call.format_changed"
        async with house.socket(AUDIO) as other:
            await send(other, again)
            assert (await receive(other))["type"] == "started"


async def test_a_call_whose_line_stays_away_ends_as_lost(tmp_path: Path) -> None:
    async with running(tmp_path, lost_after_s=0.3) as house:
        line = await house.socket(AUDIO)
        await send(line, START | {"call_id": "c-1"})
        await receive(line)
        await line.send(sound(1.5))
        async with house.socket("/v1/screens/calls/c-1") as screen:
            await receive(screen)  # the snapshot of a call that is not lost yet
            line.transport.abort()
            events = await receive_until(screen, lambda event: event["type"] == "call.ended")
        assert events[-1]["reason"] == "lost"
        assert "call.lost" in [event["type"] for event in events]


async def test_stopping_the_server_leaves_the_call_to_be_taken_up_again(tmp_path: Path) -> None:
    script = Script({"第0秒": ("T001",)})
    async with running(tmp_path, script) as house:
        line = await house.socket(AUDIO)
        await send(line, START | {"call_id": "c-1"})
        await receive(line)
        await line.send(sound(2.5))
        await events_until_text(house, "第1秒")
    again = Script()
    async with running(tmp_path, again) as house:
        async with house.socket("/v1/screens/calls/c-1") as screen:
            snapshot = await receive(screen)
        assert snapshot["call"]["state"] == "interrupted"
        assert [s["text"] for s in snapshot["segments"]] == ["第0秒", "第1秒"]
        assert [card["article_id"] for card in snapshot["cards"]] == ["T001"]
        async with house.socket(AUDIO) as line:
            await send(line, START | {"call_id": "c-1", "reconnect": True, "buffered": True})
            assert (await receive(line))["received_s"] == 2.5
            await line.send(sound(1.5))
            await send(line, {"type": "stop"})
            assert (await receive(line))["seconds"] == 4.0
        async with house.socket("/v1/screens/calls/c-1") as screen:
            snapshot = await receive(screen)
        assert [s["text"] for s in snapshot["segments"]] == ["第0秒", "第1秒", "第2秒", "第3秒"]
        assert [s["segment_id"] for s in snapshot["segments"]] == [f"citizen-{n}" for n in (1, 2, 3, 4)]
        assert [segment.text for segment in again.assistants[0].recalled] == ["第0秒", "第1秒"]


async def test_an_interrupted_call_that_nobody_takes_up_is_finished(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        line = await house.socket(AUDIO)
        await send(line, START | {"call_id": "c-1"})
        await receive(line)
        await line.send(sound(1.0))
        await events_until_text(house, "第0秒")
    async with running(tmp_path, resumable_s=0.1) as house, house.socket("/v1/screens/calls/c-1") as screen:
        events = await receive_until(
            screen, lambda event: event["type"] == "call.ended" or (event.get("call") or {}).get("end_reason")
        )
        ended = events[-1]
        assert ended.get("reason", (ended.get("call") or {}).get("end_reason")) == "interrupted"


async def test_the_token_is_asked_for_everywhere(tmp_path: Path) -> None:
    token = "a-token-long-enough"
    async with running(tmp_path, token=token) as house:
        stranger = House(port=house.port, token="another-token-entirely")
        for path in (AUDIO, "/v1/screens/calls", "/v1/screens/calls/c-1", "/v1/screens/operators/027"):
            async with stranger.socket(path) as line:
                assert await closing_code(line) == 4401
            async with house.socket(path) as line:
                if path == AUDIO:
                    await send(line, START)
                assert (await receive(line))["type"] in ("started", "snapshot")
        async with House(port=house.port).socket(f"/v1/screens/calls?token={token}") as line:
            assert (await receive(line))["type"] == "snapshot"


async def test_a_page_of_another_site_may_not_come_in(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        async with house.socket("/v1/screens/calls", origin="http://evil.example") as line:
            assert await closing_code(line) == 4403
        async with house.socket("/v1/screens/calls", origin=house.url) as line:
            assert (await receive(line))["type"] == "snapshot"
