"""Nothing is there to recognise calls: their screens are told, once each time, and the line goes on."""

from pathlib import Path

from tests.house import START, Script, receive, receive_until, running, send, sound

NO_EARS = "asr.no_ears"


async def test_the_screens_of_a_running_call_are_told_once_that_text_comes_later(tmp_path: Path) -> None:
    script = Script()
    async with running(tmp_path, script) as house, house.socket("/v1/calls/audio") as line:
        await send(line, START | {"call_id": "c-1"})
        await receive(line)
        async with house.socket("/v1/screens/calls/c-1") as screen:
            script.deaf_s = 60.0
            told = await receive_until(screen, lambda event: event["type"] == "call.degraded")
            assert told[-1]["code"] == NO_EARS
            script.deaf_s = 0.0
            await line.send(sound(2.5))
            await receive_until(screen, lambda event: event["type"] == "segment.shown")
            await send(line, {"type": "stop"})
            rest = await receive_until(screen, lambda event: event["type"] == "call.ended")
        await receive_until(line, lambda message: message["type"] == "ended")
    assert [event["code"] for event in told + rest if event["type"] == "call.degraded"] == [NO_EARS]
