"""Twilio Media Streams and look-alikes: their frames, sent by a client of ours, become calls on record."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection

from calls.ingest.messages import BadMessage
from calls.ingest.rules import CarrierRules
from calls.ingest.signals import Begin, End, Sound
from calls.ingest.twilio import CARRIERS, TwilioReader
from scripts import caller_twilio
from scripts.caller_sounds import Impairment, packets_of
from tests.house import START, House, Script, receive, receive_until, running, send
from tests.line_parts import as_sent, plan, snapshot, spooled, talk, until_ended, until_received
from tests.test_audio_socket import closing_code

KEY = "CA0123456789"


async def test_a_call_of_both_tracks_is_on_record_sample_by_sample(tmp_path: Path) -> None:
    recording = talk()
    async with running(tmp_path) as house:
        await caller_twilio.call(recording, plan(house, "twilio"))
        seen = await until_ended(house, KEY)
    call = seen["call"]
    assert (call["operator_id"], call["caller"], call["dialled"]) == ("027", "13900000001", "12345")
    assert (call["end_reason"], call["seconds"]) == ("hangup", 3.0)
    assert call["meta"]["线路"] == "twilio"
    said = {(line["party"], line["text"]) for line in seen["segments"]}
    assert said == {(party, f"第{n}秒") for party in ("citizen", "operator") for n in range(3)}
    assert spooled(tmp_path, KEY) == as_sent(recording, "mulaw")


@pytest.mark.parametrize("carrier", [carrier for carrier in CARRIERS if carrier != "twilio"])
async def test_look_alikes_are_read_the_same(tmp_path: Path, carrier: str) -> None:
    is_mono = carrier == "exotel"
    recording = talk(channels=("citizen",) if is_mono else ("citizen", "operator"))
    async with running(tmp_path) as house:
        await caller_twilio.call(recording, plan(house, carrier))
        seen = await until_ended(house, KEY)
    call = seen["call"]
    assert (call["operator_id"], call["caller"], call["dialled"]) == ("027", "13900000001", "12345")
    assert spooled(tmp_path, KEY) == as_sent(recording, "pcm_s16le" if is_mono else "mulaw")


async def test_alaw_is_taken_as_it_is(tmp_path: Path) -> None:
    recording = talk(1.0)
    async with running(tmp_path) as house:
        await caller_twilio.call(recording, plan(house, "telnyx", encoding="alaw"))
        await until_ended(house, KEY)
    assert spooled(tmp_path, KEY) == as_sent(recording, "alaw")


async def test_a_bad_network_costs_what_it_lost_and_nothing_else(tmp_path: Path) -> None:
    recording = talk(10.0)
    hurt = Impairment(loss=0.05, duplicate=0.05, late=0.02, reorder_ms=190)
    async with running(tmp_path) as house:
        await caller_twilio.call(recording, plan(house, "twilio", impairment=hurt))
        seen = await until_ended(house, KEY)
    assert seen["call"]["end_reason"] == "hangup"
    got, sent = spooled(tmp_path, KEY), as_sent(recording, "mulaw")
    assert len(got) == len(sent)
    # Packet by packet and leg by leg: what was sent, or silence in its place.
    kept = silent = 0
    for packet in packets_of(recording, encoding="mulaw"):
        begin = packet.number * 320
        piece = got[begin : begin + 320][packet.channel :: 2]
        kept += piece == packet.data
        silent += piece == b"\xff" * 160
    assert kept + silent == 1000
    assert 0.04 < silent / 1000 < 0.11


async def test_a_broken_connection_goes_on_as_the_same_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        calling = asyncio.create_task(
            caller_twilio.call(talk(8.0), plan(house, "twilio", break_at_s=3.0, away_s=0.7))
        )
        await calling
        await until_ended(house, KEY)
        async with house.socket(f"/v1/screens/calls/{KEY}?since=1") as screen:
            events = await receive_until(screen, lambda event: event["type"] == "call.ended")
        listed = await snapshot_of_list(house)
    types = [event["type"] for event in events]
    assert types.index("call.lost") < types.index("call.reconnected") < types.index("call.ended")
    gaps = [event for event in events if event.get("code") == "call.audio_gap"]
    assert len(gaps) == 1
    assert [call["call_id"] for call in listed["calls"]] == [KEY]


async def snapshot_of_list(house: House) -> dict[str, Any]:
    async with house.socket("/v1/screens/calls") as screen:
        return await receive(screen)


def start(key: str = KEY, **more: Any) -> dict[str, Any]:
    return {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "MZ1",
        "start": {
            "streamSid": "MZ1",
            "accountSid": "AC1",
            "callSid": key,
            "tracks": ["inbound", "outbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        | more,
    }


def media(number: int, track: str = "inbound", size: int = 160) -> dict[str, Any]:
    payload = base64.b64encode(bytes([number % 250]) * size).decode()
    one = {"track": track, "chunk": str(number + 1), "timestamp": str(number * 20), "payload": payload}
    return {"event": "media", "sequenceNumber": str(number + 2), "streamSid": "MZ1", "media": one}


async def say_seconds(line: ClientConnection, seconds: int) -> None:
    for number in range(seconds * 50):
        await send(line, media(number))
        await send(line, media(number, "outbound"))


async def test_a_new_connection_takes_the_call_from_one_that_seems_alive(tmp_path: Path) -> None:
    async with running(tmp_path) as house, house.socket("/v1/lines/twilio") as old:
        await send(old, start())
        await say_seconds(old, 2)
        await until_received(house, KEY)
        async with house.socket("/v1/lines/twilio") as new:
            await send(new, start())
            assert await closing_code(old) == 4409
            await say_seconds(new, 1)
            await send(new, {"event": "stop", "stop": {"callSid": KEY}})
            assert await closing_code(new) == 1000
        seen = await until_ended(house, KEY)
        assert seen["call"]["seconds"] >= 3.0
        assert len((await snapshot_of_list(house))["calls"]) == 1


async def test_a_call_goes_on_after_the_server_has_been_started_anew(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        line = await house.socket("/v1/lines/twilio")
        await send(line, start())
        await say_seconds(line, 2)
        await until_received(house, KEY)
    async with running(tmp_path) as house:
        assert (await snapshot(house, KEY))["call"]["state"] == "interrupted"
        async with house.socket("/v1/lines/twilio") as line:
            await send(line, start())
            await say_seconds(line, 1)
            await send(line, {"event": "stop"})
            assert await closing_code(line) == 1000
        seen = await until_ended(house, KEY)
    assert seen["call"]["end_reason"] == "hangup"
    assert seen["call"]["seconds"] >= 3.0


async def test_a_stream_after_the_end_is_another_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        for _ in range(2):
            await caller_twilio.call(talk(1.0), plan(house, "twilio"))
        assert (await until_ended(house, KEY))["call"]["seconds"] == 1.0
        assert (await until_ended(house, f"{KEY}.2"))["call"]["seconds"] == 1.0


async def test_a_line_that_says_nothing_for_long_ends(tmp_path: Path) -> None:
    async with running(tmp_path, carrier_idle_s=1.0) as house, house.socket("/v1/lines/twilio") as line:
        await send(line, start())
        await say_seconds(line, 1)
        assert await closing_code(line) == 1000
        seen = await until_ended(house, KEY)
    assert (seen["call"]["end_reason"], seen["call"]["seconds"]) == ("lost", 1.0)


async def test_who_brings_no_token_is_refused(tmp_path: Path) -> None:
    token = "a-token-long-enough"
    async with running(tmp_path, token=token) as house:
        stranger = House(port=house.port)
        for parameters, close_code in (
            ({}, 4401),
            ({"token": "another-token-entirely"}, 4401),
            ({"token": token}, 1000),
        ):
            async with stranger.socket("/v1/lines/twilio") as line:
                await send(line, start(f"CA{close_code}{len(parameters)}", customParameters=parameters))
                await say_seconds(line, 1)
                await send(line, {"event": "stop"})
                assert await closing_code(line) == close_code
        seen = await until_ended(house, "CA10001")
        assert "token" not in seen["call"]["meta"]


async def test_a_signature_of_twilio_stands_for_a_token(tmp_path: Path) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    async with running(tmp_path, token="a-token-long-enough", twilio_auth_token=secret) as house:
        stranger = House(port=house.port)
        address = f"wss://127.0.0.1:{house.port}/v1/lines/twilio"
        digest = hmac.digest(secret.encode(), address.encode(), hashlib.sha1)
        for signature, close_code in ((base64.b64encode(digest).decode(), 1000), ("AAAA", 4401)):
            headers = {"X-Twilio-Signature": signature}
            async with stranger.socket("/v1/lines/twilio", additional_headers=headers) as line:
                await send(line, start())
                await send(line, {"event": "stop"})
                assert await closing_code(line) == close_code


async def test_a_full_house_closes_the_line(tmp_path: Path) -> None:
    async with running(tmp_path, Script(max_calls=1)) as house, house.socket("/v1/calls/audio") as other:
        await send(other, START)
        await receive(other)
        async with house.socket("/v1/lines/twilio") as line:
            await send(line, start())
            assert await closing_code(line) == 1013


async def test_an_unknown_carrier_has_no_line(tmp_path: Path) -> None:
    async with running(tmp_path) as house, house.socket("/v1/lines/nobody") as line:
        assert await closing_code(line) == 4404


@pytest.mark.parametrize(
    ("rules", "first"),
    [
        ({}, {"mediaFormat": {"encoding": "audio/x-opus"}}),
        ({}, {"mediaFormat": {"encoding": "PCMU", "sampleRate": 16000}}),
        ({}, {"tracks": ["inbound", "elsewhere"]}),
        ({"parties": {"outbound": "citizen"}}, {}),
        ({"parties": {"outbound": "mixed"}}, {}),
    ],
)
async def test_what_cannot_be_read_is_refused(
    tmp_path: Path, rules: dict[str, Any], first: dict[str, Any]
) -> None:
    async with (
        running(tmp_path, carriers={"twilio": rules}) as house,
        house.socket("/v1/lines/twilio") as line,
    ):
        await send(line, start(**first))
        assert await closing_code(line) == 1007


async def test_the_house_says_who_speaks_on_which_track(tmp_path: Path) -> None:
    rules = {
        "parties": {"inbound": "operator", "outbound": "citizen"},
        "operator": "座席",
        "caller": "主叫",
    }
    async with running(tmp_path, carriers={"twilio": rules}) as house:
        async with house.socket("/v1/lines/twilio") as line:
            named = {"座席": "031", "主叫": "sip:13900000002@10.0.0.1", "operator": "x", "queue": "三"}
            await send(line, start(customParameters=named))
            await send(line, media(0))
            await send(line, {"event": "stop"})
            await closing_code(line)
        call = (await until_ended(house, KEY))["call"]
    assert (call["operator_id"], call["caller"]) == ("031", "13900000002")
    assert call["meta"]["queue"] == "三"
    sound = spooled(tmp_path, KEY)
    assert sound == b"\x00\xff" * 160  # the first packet, and nothing from the other side


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ("operatorId=027;queue=3", {"operatorId": "027", "queue": "3"}),
        ("operatorId=027,queue=a=b", {"operatorId": "027", "queue": "a=b"}),
        ('{"operatorId": "027"}', {"operatorId": "027"}),
        ("nothing;=x;", {}),
        ({"queue": 3}, {"queue": 3}),
        (7, {}),
    ],
)
def test_what_plivo_was_told_to_send_along(said: Any, fields: dict[str, Any]) -> None:
    start = {"callId": "1", "tracks": ["inbound"]}
    [begin] = TwilioReader("plivo", CarrierRules()).read(
        json.dumps({"event": "start", "start": start, "extra_headers": said})
    )
    assert isinstance(begin, Begin)
    assert begin.fields == fields


def test_exotel_may_bring_both_tracks_at_another_rate() -> None:
    reader = TwilioReader("exotel", CarrierRules(tracks=["inbound", "outbound"]))
    of_stream = {"call_sid": "1", "media_format": {"encoding": "audio/L16;rate=16000"}}
    [begin] = reader.read(json.dumps({"event": "start", "start": of_stream}))
    assert isinstance(begin, Begin)
    assert (begin.encoding, begin.sample_rate_hz) == ("pcm_s16le", 16_000)
    assert begin.tracks == ("inbound", "outbound")


async def test_mistakes_in_mid_call_disturb_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        async with house.socket("/v1/lines/twilio") as line:
            await send(line, start())
            await say_seconds(line, 1)
            for wrong in ("{", "[]", "null", '{"event": "media"}', '{"event": 7}', "[" * 5000):
                await line.send(wrong)
            await line.send(b"\x00\x01")
            await send(line, {"event": "media", "media": {"payload": "%%", "timestamp": "1"}})
            for never in ("1e308", "-1e300", "nan", 10**400):  # found by fuzzing
                await send(line, {"event": "media", "media": media(0)["media"] | {"timestamp": never}})
            await send(line, media(50, "elsewhere"))
            await send(line, start())
            for number in range(50, 100):
                await send(line, media(number))
                await send(line, media(number, "outbound"))
            await send(line, {"event": "stop"})
            assert await closing_code(line) == 1000
        assert (await until_ended(house, KEY))["call"]["seconds"] == 2.0


async def test_sixteen_calls_at_once(tmp_path: Path) -> None:
    recording = talk(2.0)
    keys = [f"CA{n}" for n in range(16)]
    async with running(tmp_path) as house:
        await asyncio.gather(
            *(caller_twilio.call(recording, plan(house, "twilio", key=key, speed=4.0)) for key in keys)
        )
        for key in keys:
            seen = await snapshot(house, key)
            assert (seen["call"]["state"], seen["call"]["seconds"]) == ("ended", 2.0)
    assert all(spooled(tmp_path, key) == as_sent(recording, "mulaw") for key in keys)


# The reader alone.

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
    max_leaves=12,
)
_KEYS = st.sampled_from(
    [
        "event",
        "start",
        "media",
        "stop",
        "streamSid",
        "stream_id",
        "callSid",
        "call_control_id",
        "tracks",
        "mediaFormat",
        "media_format",
        "encoding",
        "sampleRate",
        "customParameters",
        "extra_headers",
        "track",
        "chunk",
        "timestamp",
        "payload",
        "token",
    ]
)
_VALUES = st.sampled_from(
    [
        "start",
        "media",
        "stop",
        "inbound",
        "both_tracks",
        "PCMU",
        "audio/x-l16",
        "8000",
        "nan",
        "1e400",
        "AAAA",
        "",
    ]
)
_MESSAGES = st.recursive(
    _JSON | _VALUES, lambda inner: st.dictionaries(_KEYS, inner | _VALUES, max_size=8), max_leaves=20
)


@given(st.lists(_MESSAGES.map(json.dumps) | st.text(max_size=50) | st.binary(max_size=50), max_size=8))
def test_whatever_is_sent_the_reader_says_what_it_is_or_that_it_is_nothing(
    messages: list[str | bytes],
) -> None:
    for carrier in ("twilio", "exotel"):
        reader = TwilioReader(carrier, CarrierRules())
        for message in messages:
            try:
                signals = reader.read(message)
            except BadMessage:
                continue
            for signal in signals:
                assert isinstance(signal, Begin | Sound | End)
                if isinstance(signal, Begin):
                    assert signal.encoding in ("mulaw", "alaw", "pcm_s16le")
                    assert 8000 <= signal.sample_rate_hz <= 48_000
                if isinstance(signal, Sound):
                    assert abs(signal.at_s) < float("inf")


def test_documented_messages_of_telnyx() -> None:
    reader = TwilioReader("telnyx", CarrierRules())
    [begin] = reader.read(
        json.dumps(
            {
                "event": "start",
                "sequence_number": "1",
                "start": {
                    "user_id": "3e6f995f-85f7-4705-9741-53b116d28237",
                    "call_control_id": "v3:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQ",
                    "client_state": "aGF2ZSBhIG5pY2UgZGF5ID1d",
                    "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
                },
                "stream_id": "32DE0DEA-53CB-4B21-89A4-9E1819C043BC",
            }
        )
    )
    assert isinstance(begin, Begin)
    assert begin.key == "v3:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQ"
    assert (begin.encoding, begin.tracks) == ("mulaw", ("inbound", "outbound"))
    [sound] = reader.read(
        json.dumps(
            {
                "event": "media",
                "sequence_number": "4",
                "media": {"track": "inbound", "chunk": "2", "timestamp": "5", "payload": "//8="},
                "stream_id": "32DE0DEA-53CB-4B21-89A4-9E1819C043BC",
            }
        )
    )
    assert sound == Sound(track="inbound", at_s=0.005, data=b"\xff\xff", number=2)


@pytest.mark.parametrize(
    ("start_of", "tracks"),
    [
        ({"tracks": ["outbound", "inbound"]}, ("inbound", "outbound")),
        ({"tracks": ["inbound"]}, ("inbound",)),
        ({"track": "both_tracks"}, ("inbound", "outbound")),
        ({}, ("inbound",)),
    ],
)
def test_tracks_are_named_in_many_ways(start_of: Mapping[str, Any], tracks: tuple[str, ...]) -> None:
    [begin] = TwilioReader("plivo", CarrierRules()).read(
        json.dumps({"event": "start", "start": {"callId": "1", **start_of}})
    )
    assert isinstance(begin, Begin)
    assert begin.tracks == tracks


def test_linear_sound_in_network_order_is_turned_by_setting() -> None:
    reader = TwilioReader("telnyx", CarrierRules(byte_order="big"))
    reader.read(json.dumps({"event": "start", "start": {"media_format": {"encoding": "L16"}}}))
    [sound] = reader.read(json.dumps({"event": "media", "media": {"track": "inbound", "payload": "AQI="}}))
    assert isinstance(sound, Sound)
    assert sound.data == b"\x02\x01"
