"""Asterisk's chan_websocket: one voice a connection, joined into calls, over real sockets."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decode import linear_pcm
from asr.types import Party
from calls.ingest.chan_websocket import AsteriskReader, started_in
from calls.ingest.leg_socket import plan_of
from calls.ingest.messages import BadMessage
from calls.ingest.signals import Begin, Block
from scripts import caller_asterisk
from scripts.caller_sounds import at_rate
from scripts.replay import ReplayFailed
from tests.house import Script, receive, receive_until, running
from tests.line_parts import as_sent, plan, spooled, talk, until_ended
from tests.test_audio_socket import closing_code

KEY = "CA0123456789"
START = "MEDIA_START connection_id:e226e283-c90a-4ea9-9e37-389000b9ef47 channel:WebSocket/zhiting format:"


@pytest.mark.parametrize("encoding", ["mulaw", "alaw", "pcm_s16le"])
async def test_two_voices_become_one_call_sample_by_sample(tmp_path: Path, encoding: str) -> None:
    recording = talk(2.5)
    async with running(tmp_path) as house:
        await caller_asterisk.call(recording, plan(house, "asterisk", encoding=encoding))
        seen = await until_ended(house, KEY)
    call = seen["call"]
    assert (call["operator_id"], call["caller"], call["dialled"]) == ("027", "13900000001", "12345")
    assert (call["end_reason"], call["seconds"]) == ("hangup", 2.5)
    assert call["meta"]["线路"] == "asterisk"
    assert {line["party"] for line in seen["segments"]} == {"citizen", "operator"}
    assert spooled(tmp_path, KEY) == linear_pcm(encoding, as_sent(recording, encoding))


async def test_one_mixed_voice_at_sixteen_kilohertz(tmp_path: Path) -> None:
    recording = at_rate(talk(1.0, channels=("mixed",)), 16_000)
    async with running(tmp_path) as house:
        await caller_asterisk.call(recording, plan(house, "asterisk", encoding="pcm_s16le"))
        await until_ended(house, KEY)
    assert spooled(tmp_path, KEY) == as_sent(recording, "pcm_s16le")


async def test_broken_connections_go_on_as_the_same_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        await caller_asterisk.call(talk(6.0), plan(house, "asterisk", break_at_s=2.0, away_s=0.7))
        await until_ended(house, KEY)
        async with house.socket(f"/v1/screens/calls/{KEY}?since=1") as screen:
            events = await receive_until(screen, lambda event: event["type"] == "call.ended")
        async with house.socket("/v1/screens/calls") as screen:
            assert len((await receive(screen))["calls"]) == 1
    types = [event["type"] for event in events]
    assert types.index("call.lost") < types.index("call.reconnected") < types.index("call.ended")


async def test_a_token_is_asked_for(tmp_path: Path) -> None:
    async with running(tmp_path, token="a-token-long-enough") as house:
        await caller_asterisk.call(talk(0.5), plan(house, "asterisk"))
        await until_ended(house, KEY)
        with pytest.raises(ReplayFailed, match="4401"):
            await caller_asterisk.call(talk(10.0), plan(house, "asterisk", token="another-token", speed=5.0))


@pytest.mark.parametrize(
    ("query", "first", "close_code"),
    [
        ("?call=a-1&party=cat", START + "ulaw", 1007),
        ("?call=a-1", START + "opus", 1007),
        ("?call=a-1", b"\x00\x01", 1007),
        ("", "MEDIA_START format:ulaw", 1007),
    ],
)
async def test_what_cannot_be_read_is_hung_up(
    tmp_path: Path, query: str, first: str | bytes, close_code: int
) -> None:
    async with running(tmp_path) as house, house.socket(f"/v1/lines/asterisk{query}") as line:
        await line.send(first)
        assert await line.recv() == "HANGUP"
        assert await closing_code(line) == close_code


async def test_a_full_house_hangs_up_in_the_words_that_are_spoken(tmp_path: Path) -> None:
    start = {"event": "MEDIA_START", "connection_id": "1", "format": "ulaw", "optimal_frame_size": 160}
    async with running(tmp_path, Script(max_calls=0)) as house, house.socket("/v1/lines/asterisk") as line:
        await line.send(json.dumps(start))
        assert json.loads(await line.recv()) == {"command": "HANGUP"}
        assert await closing_code(line) == 1013


async def test_a_new_connection_takes_the_voice_from_one_that_seems_alive(tmp_path: Path) -> None:
    path = "/v1/lines/asterisk?call=a-1&party=citizen&alone=1"
    async with running(tmp_path) as house, house.socket(path) as old:
        await old.send(START + "slin")
        await old.send(bytes(2 * 16_000))
        async with house.socket("/v1/screens/calls/a-1") as screen:
            await receive_until(screen, lambda event: bool(event.get("segments") or event.get("segment")))
        async with house.socket(path) as new:
            await new.send(START + "slin")
            await new.send("DTMF_END digit:5")
            assert await closing_code(old) == 4409
            await new.send(b"\x01")  # a message may end anywhere
            await new.send(b"\x00" * 1599)
            await new.close(1000)
        assert (await until_ended(house, "a-1"))["call"]["seconds"] >= 2.1


def begin_of(query: dict[str, str], variables: dict[str, str] | None = None) -> Begin:
    start = {
        "event": "MEDIA_START",
        "connection_id": "c",
        "format": "ulaw",
        "channel_variables": variables or {},
    }
    [begin] = AsteriskReader(query).read(json.dumps(start))
    assert isinstance(begin, Begin)
    return begin


def test_the_address_says_where_a_voice_belongs() -> None:
    both = plan_of(begin_of({"call": "a", "party": "operator", "operator_id": "027", "token": "x"}))
    assert (both.key, both.party, both.parties) == ("a", Party.OPERATOR, (Party.CITIZEN, Party.OPERATOR))
    assert both.fields == {"operator_id": "027"}
    alone = plan_of(begin_of({"party": "citizen", "alone": "1"}, {"queue": "三"}))
    assert (alone.key, alone.parties, alone.fields) == ("c", (Party.CITIZEN,), {"queue": "三"})
    assert plan_of(begin_of({})).parties == (Party.MIXED,)


def test_what_comes_after_the_beginning_is_sound_and_nothing_else() -> None:
    reader = AsteriskReader({})
    with pytest.raises(BadMessage):
        reader.read(b"\x00")
    assert len(reader.read(START + "ulaw")) == 1
    assert reader.read(START + "ulaw") == []
    assert reader.read(b"\x00\x01") == [Block(b"\x00\x01")]
    assert reader.read("DTMF_END digit:5") == []


def test_both_forms_of_the_first_message() -> None:
    plain = started_in(START + "slin16 optimal_frame_size:640")
    assert plain is not None
    assert (plain.encoding, plain.rate_hz, plain.is_json) == ("pcm_s16le", 16_000, False)
    assert plain.connection == "e226e283-c90a-4ea9-9e37-389000b9ef47"
    variables = {"QUEUE": "城建"}
    of_json = started_in(
        json.dumps({"event": "MEDIA_START", "format": "alaw", "channel_variables": variables, "ptime": 20})
    )
    assert of_json is not None
    assert (of_json.encoding, of_json.is_json, of_json.fields) == ("alaw", True, variables)
    for other in ("MEDIA_XOFF", "DTMF_END digit:5", "", '{"event": "STATUS"}', "anything"):
        assert started_in(other) is None


@given(
    st.text(max_size=200)
    | st.builds(
        lambda pairs: "MEDIA_START " + " ".join(f"{name}:{value}" for name, value in pairs),
        st.lists(
            st.tuples(st.sampled_from(["format", "connection_id", "x"]), st.text(max_size=8)), max_size=5
        ),
    )
    | st.dictionaries(
        st.sampled_from(["event", "format", "channel_variables", "connection_id"]),
        st.sampled_from(["MEDIA_START", "ulaw", "opus", 7, None, {"a": 1}, []]),
    ).map(json.dumps)
)
def test_any_text_is_a_beginning_or_nothing_or_refused(text: str) -> None:
    try:
        found = started_in(text)
    except BadMessage:
        return
    assert found is None or 8000 <= found.rate_hz <= 192_000
