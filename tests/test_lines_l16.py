"""FreeSWITCH, jambonz, Vonage and Sinch: one text, then linear sound, over real sockets."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.ingest.l16 import CARRIERS, L16Reader
from calls.ingest.messages import BadMessage
from calls.ingest.rules import CarrierRules
from calls.ingest.signals import Begin, Block
from scripts import caller_l16
from scripts.caller_sounds import at_rate
from scripts.replay import ReplayFailed
from tests.house import House, Script, receive, receive_until, running, send
from tests.line_parts import as_sent, plan, spooled, talk, until_ended, until_received
from tests.test_audio_socket import closing_code

KEY = "CA0123456789"
CONNECT = {"command": "connect", "version": 1, "callId": "1", "codec": "PCM", "sampleRate": 8000}
BOTH_VOICES = ("freeswitch", "audiofork", "jambonz")


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_call_is_on_record_sample_by_sample(tmp_path: Path, carrier: str) -> None:
    channels = ("citizen", "operator") if carrier in BOTH_VOICES else ("mixed",)
    recording = talk(2.5, channels=channels)
    async with running(tmp_path) as house:
        await caller_l16.call(recording, plan(house, carrier))
        seen = await until_ended(house, KEY)
    call = seen["call"]
    assert (call["operator_id"], call["caller"], call["dialled"]) == ("027", "13900000001", "12345")
    assert (call["end_reason"], call["seconds"]) == ("hangup", 2.5)
    assert {line["party"] for line in seen["segments"]} == set(channels)
    assert spooled(tmp_path, KEY) == as_sent(recording, "pcm_s16le")


async def test_sixteen_kilohertz(tmp_path: Path) -> None:
    recording = at_rate(talk(1.0), 16_000)
    async with running(tmp_path) as house:
        await caller_l16.call(recording, plan(house, "freeswitch"))
        assert (await until_ended(house, KEY))["call"]["seconds"] == 1.0
    assert spooled(tmp_path, KEY) == as_sent(recording, "pcm_s16le")


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_token_is_asked_for(tmp_path: Path, carrier: str) -> None:
    token = "a-token-long-enough"
    async with running(tmp_path, token=token) as house:
        await caller_l16.call(talk(0.5, channels=("citizen",)), plan(house, carrier))
        meta = (await until_ended(house, KEY))["call"]["meta"]
        assert token not in json.dumps(meta)
        with pytest.raises(ReplayFailed):
            await caller_l16.call(
                talk(5.0, channels=("citizen",)), plan(house, carrier, token="other", speed=5)
            )


@pytest.mark.parametrize("carrier", ["freeswitch", "jambonz"])
async def test_a_broken_connection_goes_on_as_the_same_call(tmp_path: Path, carrier: str) -> None:
    async with running(tmp_path) as house:
        await caller_l16.call(talk(6.0), plan(house, carrier, break_at_s=2.0, away_s=0.7))
        await until_ended(house, KEY)
        async with house.socket(f"/v1/screens/calls/{KEY}?since=1") as screen:
            events = await receive_until(screen, lambda event: event["type"] == "call.ended")
    types = [event["type"] for event in events]
    assert types.index("call.lost") < types.index("call.reconnected") < types.index("call.ended")
    assert [event["code"] for event in events if event["type"] == "call.degraded"] == ["call.audio_gap"]


async def test_without_metadata_the_address_says_everything(tmp_path: Path) -> None:
    line_of = "/v1/lines/freeswitch?uuid=a-1&rate=8k&mix=stereo&operator=031"
    async with running(tmp_path) as house:
        async with house.socket(line_of) as line:
            await line.send(b"\x01\x00\x02")  # a message may end anywhere
            await line.send(b"\x00\x03\x00\x04\x00")
            await line.close(1000)
        call = (await until_ended(house, "a-1"))["call"]
    assert call["operator_id"] == "031"
    assert spooled(tmp_path, "a-1") == b"\x01\x00\x02\x00\x03\x00\x04\x00"


async def test_a_new_connection_takes_the_call_from_one_that_seems_alive(tmp_path: Path) -> None:
    line_of = "/v1/lines/freeswitch?uuid=a-1&rate=8k"
    async with running(tmp_path) as house, house.socket(line_of) as old:
        await old.send(bytes(2 * 16_000))
        await until_received(house, "a-1")
        async with house.socket(line_of) as new:
            await new.send(bytes(16_000))
            assert await closing_code(old) == 4409
            await new.close(1000)
        assert (await until_ended(house, "a-1"))["call"]["seconds"] >= 3.0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("mix=stereo", "asr.bad_sample_rate"),
        ("rate=4000", "asr.bad_sample_rate"),
        ("rate=96k", "asr.bad_sample_rate"),
        ("rate=8k&mix=quadro", "call.bad_message"),
    ],
)
async def test_what_is_not_said_is_asked_for(tmp_path: Path, query: str, code: str) -> None:
    async with running(tmp_path) as house, house.socket(f"/v1/lines/freeswitch?{query}") as line:
        await line.send("metadata as an admin has typed it")
        refused = await receive(line)
        assert (refused["type"], refused["data"]["error"]) == ("error", code)
        assert await closing_code(line) == 1007


async def test_sinch_hears_that_the_line_is_busy(tmp_path: Path) -> None:
    async with running(tmp_path, Script(max_calls=0)) as house, house.socket("/v1/lines/sinch") as line:
        await send(
            line, {"command": "connect", "version": 1, "callId": "1", "codec": "PCM", "sampleRate": 8000}
        )
        assert await receive(line) == {"command": "busy"}
        assert await closing_code(line) == 1013


async def test_sinch_hears_that_it_is_not_known(tmp_path: Path) -> None:
    async with (
        running(tmp_path, token="a-token-long-enough") as house,
        House(port=house.port).socket("/v1/lines/sinch") as line,
    ):
        await send(line, CONNECT)
        assert await receive(line) == {"command": "reject"}
        assert await closing_code(line) == 4401


async def test_a_leg_of_sinch_is_answered_and_a_wrong_one_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        async with house.socket("/v1/lines/sinch?call=a-1&party=citizen&alone=1") as line:
            await send(line, CONNECT)
            assert await receive(line) == {"command": "answer"}
            await line.send(bytes(16_000))
            await line.close(1000)
        assert (await until_ended(house, "a-1"))["call"]["seconds"] == 1.0
        for address, answer, close_code in (
            ("/v1/lines/sinch?call=a-2&party=cat", {"command": "busy"}, 1007),
            ("/v1/lines/jambonz?call=a-2&party=citizen&mix=stereo", None, 1007),
        ):
            async with house.socket(address) as line:
                await send(line, CONNECT)
                refused = await receive(line)
                assert refused == answer or refused["data"]["error"] == "call.bad_message"
                assert await closing_code(line) == close_code


SUBPROTOCOLS = ("audio.jambonz.org", "audio.drachtio.org", "audiostream.drachtio.org")


@pytest.mark.parametrize("subprotocol", SUBPROTOCOLS)
async def test_their_subprotocol_is_spoken(tmp_path: Path, subprotocol: str) -> None:
    async with (
        running(tmp_path) as house,
        house.socket("/v1/lines/jambonz", subprotocols=[subprotocol]) as line,
    ):
        assert line.subprotocol == subprotocol


def test_sound_in_network_order_is_turned_also_where_a_message_ends_within_a_sample() -> None:
    reader = L16Reader("jambonz", CarrierRules(byte_order="big"), {})
    assert len(reader.read("{}")) == 1
    blocks = [reader.read(piece)[0] for piece in (b"\x01\x02\x03", b"\x04\x05", b"\x06")]
    assert b"".join(block.data for block in blocks if isinstance(block, Block)) == b"\x02\x01\x04\x03\x06\x05"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["callSid", "uuid", "sampleRate", "rate", "mixType", "content-type", "callHeaders", "metadata", "token"]
)
_KNOWN = st.sampled_from(
    ["8000", "16k", "stereo", "mixed", "audio/l16;rate=16000", 8000, [{"key": "a"}], {"rate": 1}]
)
_FIELDS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(_NAMES, _VALUES | _KNOWN, max_size=6)
_QUERIES = st.dictionaries(_NAMES, st.text(max_size=8) | st.sampled_from(["8k", "stereo"]), max_size=4)


@given(
    st.sampled_from(CARRIERS),
    st.lists(_FIELDS.map(json.dumps) | st.text(max_size=40) | st.binary(max_size=40), max_size=8),
    _QUERIES,
)
def test_whatever_is_sent_the_reader_makes_sense_of_it_or_says_no(
    carrier: str, messages: list[str | bytes], query: dict[str, str]
) -> None:
    reader = L16Reader(carrier, CarrierRules(), query)
    begun = 0
    for message in messages:
        try:
            signals = reader.read(message)
        except BadMessage:
            assert not begun
            continue
        for signal in signals:
            if isinstance(signal, Begin):
                begun += 1
                assert 8000 <= signal.sample_rate_hz <= 48_000
                assert len(signal.tracks) in (1, 2)
            else:
                assert isinstance(signal, Block)
                assert begun
    assert begun <= 1
