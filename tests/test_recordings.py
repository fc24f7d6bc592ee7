"""Recordings played as calls: the real application takes files over HTTP, good ones and bad ones."""

import asyncio
import io
import wave
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from asr.file_decode import FileLimits, decode_bounded
from asr.types import BadAudio
from tests.board import until
from tests.house import House, Script, running

URL = "/v1/calls/recordings"


def wav(seconds: float, *, channels: int = 1, rate: int = 16_000, alike: bool = False) -> bytes:
    noise = np.random.default_rng(3).integers(-3000, 3000, (round(seconds * rate), channels))
    if alike:
        noise[:, 1] = noise[:, 0]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(noise.astype("<i2").tobytes())
    return out.getvalue()


async def play(house: House, content: bytes, **query: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        return await client.post(URL, params={"name": "试.wav"} | query, content=content)


async def until_over(house: House, call_id: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client, asyncio.timeout(60):
        while True:
            said: dict[str, Any] = (await client.get(f"{URL}/{call_id}")).json()
            if said["state"] in ("ended", "failed"):
                return said
            await asyncio.sleep(0.05)


async def call_of(house: House, call_id: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        found: dict[str, Any] = (await client.get(f"/v1/calls/{call_id}")).json()
        return found


async def test_a_recording_is_a_call_at_the_pace_of_speech(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        answer = await play(house, wav(3.2, channels=2), speed=2, left="operator", operator_id="027")
        assert answer.status_code == 201
        said = answer.json()
        assert (said["parties"], said["seconds"]) == (["operator", "citizen"], 3.2)
        assert (await until_over(house, said["call_id"]))["position_s"] == 3.2
        assert loop.time() - begun >= 1.6
        found = await call_of(house, said["call_id"])
    assert (found["call"]["state"], found["call"]["end_reason"]) == ("ended", "hangup")
    assert (found["call"]["seconds"], found["call"]["operator_id"]) == (3.2, "027")
    assert sorted((s["party"], s["text"]) for s in found["segments"]) == [
        (party, f"第{n}秒") for party in ("citizen", "operator") for n in range(3)
    ]
    assert list((tmp_path / "recordings").iterdir()) == []


@pytest.mark.parametrize(("left", "alike"), [("mixed", False), ("citizen", True)])
async def test_two_channels_can_be_laid_together(tmp_path: Path, left: str, alike: bool) -> None:
    async with running(tmp_path) as house:
        said = (await play(house, wav(1.0, channels=2, alike=alike), left=left, speed=4)).json()
        assert (said["parties"], said["is_alike"]) == (["mixed"], alike)
        await until_over(house, said["call_id"])
        assert (tmp_path / "audio" / f"{said['call_id']}.raw").stat().st_size == 32_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "asr.file_empty"),
        (b"this is a letter, not a recording\n" * 200, "asr.file_unreadable"),
        (wav(1.0)[:20], "asr.file_unreadable"),
        (wav(0.0), "asr.file_no_sound"),
    ],
)
async def test_a_bad_file_is_refused_in_words_and_leaves_nothing(
    tmp_path: Path, content: bytes, code: str
) -> None:
    async with running(tmp_path) as house:
        answer = await play(house, content)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (422, code)
        assert "请" in answer.json()["detail"]["message"]
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            assert (await client.get("/v1/calls")).json() == {"calls": [], "total": 0}
            assert (await client.get(URL)).json() == []
    assert list((tmp_path / "recordings").iterdir()) == []


async def test_a_file_that_broke_off_plays_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        said = (await play(house, wav(4.0)[: 44 + 48_000], speed=4)).json()
        assert (said["is_truncated"], said["seconds"]) == (True, 1.5)
        assert (await until_over(house, said["call_id"]))["state"] == "ended"


@pytest.mark.parametrize(
    ("ending", "codec"), [("mp3", "libmp3lame"), ("m4a", "aac"), ("ogg", "libopus"), ("mka", "pcm_s16le")]
)
async def test_whatever_people_have_can_be_played(tmp_path: Path, ending: str, codec: str) -> None:
    path = tmp_path / f"r.{ending}"
    with av.open(str(path), "w") as out, av.open(io.BytesIO(wav(3.0, rate=48_000))) as source:
        stream = out.add_stream(codec, rate=48_000)
        for frame in source.decode(audio=0):
            frame.pts = None
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    decoded = await decode_bounded(path, tmp_path / "out")
    assert decoded.seconds == pytest.approx(3.0, abs=0.1)
    assert (decoded.sample_rate_hz, decoded.is_truncated) == (16_000, False)
    assert (tmp_path / "out").stat().st_size == decoded.samples * decoded.channels * 2


async def test_too_long_and_too_much_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav(3.0))
    with pytest.raises(BadAudio) as refused:
        await decode_bounded(path, tmp_path / "out", FileLimits(max_s=2.5))
    assert refused.value.code == "asr.file_too_long"
    with pytest.raises(BadAudio) as refused:
        await decode_bounded(path, tmp_path / "out", FileLimits(memory_bytes=30_000_000))
    assert refused.value.code == "asr.file_too_costly"

    async def much() -> Any:
        for _ in range(202):
            yield bytes(1_000_000)

    async with running(tmp_path / "data") as house:
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            answer = await client.post(URL, params={"name": "x"}, content=much())
        assert (answer.status_code, answer.json()["detail"]["code"]) == (413, "recording.too_large")
    assert list((tmp_path / "data" / "recordings").iterdir()) == []


async def hold(house: House, *played: httpx.Response, is_held: bool) -> None:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        for one in played:
            answer = await client.patch(f"{URL}/{one.json()['call_id']}", json={"paused": is_held})
            assert answer.json()["state"] == ("paused" if is_held else "playing")


async def test_several_play_side_by_side_and_a_full_house_refuses(tmp_path: Path) -> None:
    async with running(tmp_path, Script(max_calls=2)) as house:
        first, second = await asyncio.gather(*(play(house, wav(8.0)) for _ in range(2)))
        assert (first.status_code, second.status_code) == (201, 201)
        await hold(house, first, second, is_held=True)  # however long the third one takes to be read
        third = await play(house, wav(2.0))
        assert (third.status_code, third.json()["detail"]["code"]) == (503, "call.refused")
        await hold(house, first, second, is_held=False)
        for answer in (first, second):
            assert (await until_over(house, answer.json()["call_id"]))["state"] == "ended"


async def test_pause_holds_and_stop_hangs_up(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        loop = asyncio.get_running_loop()

        async def position_s() -> float:
            return float((await client.get(f"{URL}/{call_id}")).json()["position_s"])

        async def until_past(at_s: float) -> None:
            async with asyncio.timeout(60):
                while await position_s() <= at_s:  # noqa: ASYNC110 - nothing else tells
                    await asyncio.sleep(0.05)

        call_id = (await play(house, wav(60.0))).json()["call_id"]
        await until_past(1.2)
        assert (await client.patch(f"{URL}/{call_id}", json={"paused": True})).json()["state"] == "paused"
        await asyncio.sleep(0.3)
        held_s = await position_s()
        await asyncio.sleep(0.5)
        assert await position_s() == held_s > 1.0
        goes_on_s = loop.time()
        await client.patch(f"{URL}/{call_id}", json={"paused": False})
        await until_past(held_s)
        assert await position_s() < held_s + loop.time() - goes_on_s + 0.3  # nothing is left out
        await client.delete(f"{URL}/{call_id}")
        assert (await until_over(house, call_id))["state"] == "ended"
        found = await call_of(house, call_id)
        assert found["call"]["end_reason"] == "hangup"
        assert len(found["segments"]) == int(found["call"]["seconds"]) >= 1
        gone = await client.delete(f"{URL}/nobody")
        assert (gone.status_code, gone.json()["detail"]["code"]) == (404, "recording.unknown")


@pytest.mark.parametrize("leaves_after_s", [0.0, 0.15])
async def test_a_recording_whose_sender_has_gone_becomes_no_call(
    tmp_path: Path, leaves_after_s: float
) -> None:
    async with running(tmp_path) as house:
        content = wav(1.0)
        _, writer = await asyncio.open_connection("127.0.0.1", house.port)
        head = (
            f"POST {URL}?name=a.wav HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\n"
            f"Content-Type: audio/wav\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        await writer.drain()
        await asyncio.sleep(leaves_after_s)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(3.0)  # decoding in the child process takes less, where nothing else is done
        await until(lambda: list((tmp_path / "recordings").iterdir()) == [])
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            assert (await client.get("/v1/calls")).json()["calls"] == []
            assert (await client.get(URL)).json() == []
        assert list((tmp_path / "recordings").iterdir()) == []
