"""Genesys AudioHook: the handshake, sound in, transcripts and cards back, all over real sockets."""

import asyncio
import base64
import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection

from calls.ingest.audiohook import AudioHookReader
from calls.ingest.messages import BadMessage
from calls.ingest.rules import CarrierRules
from calls.ingest.signals import Begin, Block, Gap
from calls.ingest.signatures import is_signed_by_audiohook
from scripts import caller_audiohook
from scripts.caller_audiohook import PROBE, signed
from scripts.replay import ReplayFailed
from tests.call_parts import segment
from tests.house import House, Script, receive, receive_until, running, send
from tests.line_parts import as_sent, plan, snapshot, spooled, talk, until_ended
from tests.test_audio_socket import closing_code

KEY = "30b0e395-84d3-4570-ac13-9a62d8f514c0"
LINE = "/v1/lines/audiohook"


def events(texts: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [
        entity["data"]
        for one in texts
        if one["type"] == "event"
        for entity in one["parameters"]["entities"]
        if entity["type"] == kind
    ]


async def test_sound_goes_in_and_text_and_cards_come_back(tmp_path: Path) -> None:
    recording = talk(4.0)
    async with running(tmp_path, Script(suggests={"第1秒": ("T101", "T102")})) as house:
        heard = await caller_audiohook.call(recording, plan(house, "audiohook", key=KEY))
        seen = await until_ended(house, KEY)
    call = seen["call"]
    assert (call["operator_id"], call["caller"], call["dialled"]) == ("027", "13900000001", "12345")
    assert (call["end_reason"], call["seconds"]) == ("hangup", 4.0)
    assert spooled(tmp_path, KEY) == as_sent(recording, "mulaw")

    kinds = [one["type"] for one in heard.texts]
    assert (kinds[0], kinds[-1]) == ("opened", "closed")
    assert heard.close_code == 1000
    assert [one["seq"] for one in heard.texts] == list(range(1, len(kinds) + 1))
    assert all(one["version"] == "2" and one["id"] == KEY for one in heard.texts)
    assert heard.texts[-1]["clientseq"] == 2

    finals = [one for one in events(heard.texts, "transcript") if one["isFinal"]]
    said = {(one["channelId"], one["alternatives"][0]["interpretations"][0]["transcript"]) for one in finals}
    assert said == {(channel, f"第{n}秒") for channel in (0, 1) for n in range(4)}
    first = next(one for one in finals if one["channel"] == "internal" and one["offset"] == "PT2.00S")
    assert (first["duration"], first["alternatives"][0]["languages"]) == ("PT1.00S", ["zh-CN"])

    cards = events(heard.texts, "agentassist")[0]["suggestions"]
    assert [card["metadata"]["articleId"] for card in cards] == ["T101", "T102"]
    assert {card["type"] for card in cards} == {"article"}
    assert cards[0]["excerpts"]
    uuid.UUID(cards[0]["id"])


def message(kind: str, seq: int, parameters: dict[str, Any], key: str = KEY) -> dict[str, Any]:
    return {
        "version": "2",
        "id": key,
        "type": kind,
        "seq": seq,
        "serverseq": 0,
        "position": "PT0S",
        "parameters": parameters,
    }


def open_of(**changes: Any) -> dict[str, Any]:
    media = {"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000}
    return {
        "organizationId": "d7934305-0972-4844-938e-9060eef73d05",
        "conversationId": "090eaa2f-72fa-480a-83e0-8667ff89c0ec",
        "participant": {"id": "883efee8-3d6c-4537-b500-6d7ca4b92fa0", "ani": "1", "aniName": "", "dnis": "2"},
        "media": [media],
        **changes,
    }


def sound(seconds: float) -> bytes:
    return b"\x55\xaa" * round(seconds * 8000)


async def answer(line: ClientConnection, kind: str) -> dict[str, Any]:
    return (await receive_until(line, lambda one: one["type"] == kind))[-1]


async def test_the_probe_makes_no_call(tmp_path: Path) -> None:
    nobody = {"id": PROBE, "ani": "", "aniName": "", "dnis": ""}
    async with running(tmp_path) as house:
        async with house.socket(LINE) as line:
            await send(line, message("open", 1, open_of(conversationId=PROBE, participant=nobody)))
            opened = await answer(line, "opened")
            assert len(opened["parameters"]["media"]) == 1
            await send(line, message("ping", 2, {}))
            assert (await answer(line, "pong"))["clientseq"] == 2
            await send(line, message("close", 3, {"reason": "end"}))
            await answer(line, "closed")
            assert await closing_code(line) == 1000
        async with house.socket("/v1/screens/calls") as screen:
            assert (await receive(screen))["calls"] == []


async def test_a_pause_is_no_end_and_counts_on_their_clock(tmp_path: Path) -> None:
    async with running(tmp_path) as house, house.socket(LINE) as line:
        await send(line, message("open", 1, open_of(supportedLanguages=True)))
        assert (await answer(line, "opened"))["parameters"]["supportedLanguages"] == ["zh-CN"]
        await line.send(sound(1.0))
        await send(line, message("paused", 2, {}))
        await line.send(sound(3.0))  # must not be sent, and is not kept
        await send(line, message("resumed", 3, {"start": "PT1S", "discarded": "PT60.5S"}))
        await send(line, message("update", 4, {"language": "zh-CN"}))
        await answer(line, "updated")
        await line.send(sound(1.2))
        await send(line, message("close", 5, {"reason": "end"}))
        texts = await receive_until(line, lambda one: one["type"] == "closed")
        seen = await until_ended(house, KEY)
    assert seen["call"]["seconds"] == pytest.approx(2.2)
    finals = [one for one in events(texts, "transcript") if one["isFinal"]]
    assert "PT61.50S" in {one["offset"] for one in finals}


async def test_discarded_sound_leaves_its_time_and_the_screens_are_told(tmp_path: Path) -> None:
    async with running(tmp_path) as house, house.socket(LINE) as line:
        await send(line, message("open", 1, open_of()))
        await answer(line, "opened")
        await line.send(sound(1.0))
        await send(line, message("discarded", 2, {"start": "PT1S", "discarded": "PT2.5S"}))
        await line.send(sound(1.5))
        await send(line, message("close", 3, {"reason": "end"}))
        await answer(line, "closed")
        await until_ended(house, KEY)
        async with house.socket(f"/v1/screens/calls/{KEY}?since=1") as screen:
            facts = await receive_until(screen, lambda event: event["type"] == "call.ended")
    [gap] = [fact for fact in facts if fact["type"] == "call.degraded"]
    assert (gap["code"], gap["seconds"]) == ("call.audio_gap", 2.5)
    assert facts[-1]["seconds"] == 5.0


async def test_a_session_that_continues_another_takes_its_call_up(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        heard = await caller_audiohook.call(
            talk(8.0), plan(house, "audiohook", key=KEY, break_at_s=3.0, away_s=0.7)
        )
        seen = await until_ended(house, KEY)
        async with house.socket("/v1/screens/calls") as screen:
            assert len((await receive(screen))["calls"]) == 1
    assert seen["call"]["seconds"] > 7.0
    assert [one["type"] for one in heard.texts].count("opened") == 2
    later = [one for one in heard.texts if one["id"] != KEY]
    offsets = [float(one["offset"][2:-1]) for one in events(later, "transcript")]
    assert max(offsets) < 5.0  # on the clock of the second session


async def test_moving_to_another_connection_is_no_end(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        async with house.socket(LINE) as line:
            await send(line, message("open", 1, open_of()))
            await answer(line, "opened")
            await line.send(sound(1.0))
            await send(line, message("close", 2, {"reason": "reconnect"}))
            await answer(line, "closed")
        other = str(uuid.uuid4())
        async with house.socket(LINE) as line:
            continued = [{"id": KEY, "serverseq": 1, "clientseq": 2}]
            await send(line, message("open", 1, open_of(continuedSessions=continued), other))
            await answer(line, "opened")
            await line.send(sound(1.0))
            await send(line, message("close", 2, {"reason": "end"}, other))
            await answer(line, "closed")
        assert (await until_ended(house, KEY))["call"]["end_reason"] == "hangup"


async def test_a_refusal_is_said_in_their_words(tmp_path: Path) -> None:
    async with running(tmp_path, Script(max_calls=0)) as house:
        with pytest.raises(ReplayFailed, match=r"'reason': 'error', 'info': 'call\.refused"):
            await caller_audiohook.call(talk(0.5), plan(house, "audiohook"))
        for media in ([], [{"type": "audio", "format": "OPUS", "channels": ["external"], "rate": 8000}], 7):
            async with house.socket(LINE) as line:
                await send(line, message("open", 1, open_of(media=media)))
                refused = await answer(line, "disconnect")
                assert refused["parameters"]["info"].startswith("asr.unknown_encoding")
                await send(line, message("close", 2, {"reason": "disconnect"}))
                await answer(line, "closed")
                assert await closing_code(line) == 1000


async def test_an_api_key_is_a_token_of_the_house(tmp_path: Path) -> None:
    token = "a-token-long-enough"
    async with running(tmp_path, token=token) as house:
        await caller_audiohook.call(talk(0.5), plan(house, "audiohook", key=KEY))
        assert (await snapshot(house, KEY))["call"]["state"] == "ended"
        with pytest.raises(ReplayFailed, match="'reason': 'unauthorized'"):
            await caller_audiohook.call(talk(0.5), plan(house, "audiohook", token="another-token"))


async def test_with_a_secret_every_connection_must_be_signed(tmp_path: Path) -> None:
    token, secret = "a-token-long-enough", base64.b64encode(b"a secret of theirs and ours").decode()
    async with running(tmp_path, token=token, audiohook_secret=secret) as house:
        await caller_audiohook.call(talk(0.5), plan(house, "audiohook", key=KEY, secret=secret))
        assert (await snapshot(house, KEY))["call"]["state"] == "ended"
        other = base64.b64encode(b"another").decode()
        for wrong in (None, other):
            with pytest.raises(ReplayFailed, match="'reason': 'unauthorized'"):
                await caller_audiohook.call(talk(0.5), plan(house, "audiohook", secret=wrong))


async def test_sixteen_calls_at_once(tmp_path: Path) -> None:
    recording = talk(2.0)
    keys = [str(uuid.uuid5(uuid.NAMESPACE_OID, str(n))) for n in range(16)]
    async with running(tmp_path) as house:
        done = await asyncio.gather(
            *(caller_audiohook.call(recording, plan(house, "audiohook", key=key, speed=4.0)) for key in keys)
        )
    assert all(spooled(tmp_path, key) == as_sent(recording, "mulaw") for key in keys)
    for heard in done:
        assert sum(one["isFinal"] for one in events(heard.texts, "transcript")) == 4


# Signatures.

_DOCUMENTED = {
    "host": "audiohook.example.com",
    "audiohook-organization-id": "d7934305-0972-4844-938e-9060eef73d05",
    "audiohook-session-id": "30b0e395-84d3-4570-ac13-9a62d8f514c0",
    "audiohook-correlation-id": "e160e428-53e2-487c-977d-96989bf5c99d",
    "x-api-key": "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh",
    "signature": "sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:",
    "signature-input": (
        'sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" '
        '"audiohook-correlation-id" "x-api-key");keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";'
        'nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1641013200;expires=3282026430'
    ),
}
_TARGET, _SECRET = (
    "/api/v1/voicebiometrics/ws",
    base64.b64decode("TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU="),
)


def test_the_documented_signature_holds() -> None:
    assert is_signed_by_audiohook(_DOCUMENTED, _TARGET, _SECRET, now_s=1641013205)


@pytest.mark.parametrize(
    "change",
    [
        {"x-api-key": "other"},
        {"audiohook-session-id": "other"},
        {"host": "other.example.com"},
        {"signature": "sig1=:AAAA:"},
        {"signature": "sig2=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:"},
        {"signature": ""},
        {"signature-input": ""},
        {"signature-input": 'sig1=("x-api-key");keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";created=1641013200'},
        {"signature-input": _DOCUMENTED["signature-input"].replace("VGhpc0lzQVVuaXF1ZU5vbmNl", "short")},
        {"signature-input": _DOCUMENTED["signature-input"].replace("hmac-sha256", "none")},
    ],
)
def test_a_changed_one_does_not(change: dict[str, str]) -> None:
    assert not is_signed_by_audiohook(_DOCUMENTED | change, _TARGET, _SECRET, now_s=1641013205)


@pytest.mark.parametrize("now_s", [1641013100, 1641013300])
def test_nor_does_one_of_another_time(now_s: float) -> None:
    assert not is_signed_by_audiohook(_DOCUMENTED, _TARGET, _SECRET, now_s=now_s)


def test_nor_one_for_another_address() -> None:
    assert not is_signed_by_audiohook(_DOCUMENTED, "/elsewhere", _SECRET, now_s=1641013205)


@given(st.dictionaries(st.sampled_from(sorted(_DOCUMENTED)), st.text(max_size=60), max_size=7))
def test_no_header_breaks_the_check(headers: dict[str, str]) -> None:
    assert not is_signed_by_audiohook(_DOCUMENTED | headers, "/elsewhere", _SECRET, now_s=1641013205)


def test_what_we_sign_is_what_they_would_sign() -> None:
    house = House(port=8300)
    now_s = time.time()
    secret = base64.b64encode(_SECRET).decode()
    headers = signed(plan(house, "audiohook"), KEY, secret=secret, api_key="key", now_s=now_s)
    headers["host"] = "127.0.0.1:8300"
    assert is_signed_by_audiohook(headers, LINE, _SECRET, now_s=now_s)


# The reader alone.

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["PT1S", "PT1e9S", "end"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
_PARAMETERS = st.dictionaries(
    st.sampled_from(
        [*open_of(), "customConfig", "continuedSessions", "discarded", "start", "reason", "language"]
    ),
    _VALUES,
    max_size=5,
)
_MESSAGES = st.builds(
    lambda kind, seq, parameters: json.dumps({**message(kind, 1, {}), "seq": seq, "parameters": parameters}),
    st.sampled_from(["open", "ping", "paused", "resumed", "discarded", "update", "close", "error", "else"]),
    _VALUES,
    _PARAMETERS | _PARAMETERS.map(lambda given: {**open_of(), **given}),
)


def test_what_is_thrown_away_counts_on_their_clock_however_much_it_was() -> None:
    reader = AudioHookReader(CarrierRules())

    def gaps(kind: str, seq: int, parameters: dict[str, Any]) -> list[float]:
        signals = reader.read(json.dumps(message(kind, seq, parameters)))
        return [signal.seconds for signal in signals if isinstance(signal, Gap)]

    reader.read(json.dumps(message("open", 1, open_of())))
    reader.opened(0.0)
    reader.read(sound(1.0))
    assert gaps("discarded", 2, {"discarded": "PT5000S"}) == [900.0]
    reader.read(json.dumps(message("paused", 3, {})))
    assert gaps("discarded", 4, {"discarded": "PT10S"}) == []
    reader.read(json.dumps(message("resumed", 5, {})))
    late = segment(1, "之后", start_s=901.0, end_s=902.0)
    told = json.loads(reader.told(late)[0])["parameters"]["entities"][0]["data"]
    assert told["offset"] == "PT5011.00S"


@given(st.lists(_MESSAGES | st.text(max_size=40) | st.binary(max_size=40), max_size=12))
def test_whatever_is_sent_the_reader_makes_sense_of_it_or_says_no(messages: list[str | bytes]) -> None:
    reader = AudioHookReader(CarrierRules())
    seqs: list[int] = []
    for one in messages:
        try:
            signals = reader.read(one)
        except BadMessage:
            continue
        for signal in signals:
            if isinstance(signal, Begin):
                assert signal.encoding in ("mulaw", "pcm_s16le")
                assert 1 <= len(signal.tracks) <= 2
                assert all(isinstance(key, str) for key in signal.continues)
            if isinstance(signal, Gap):
                assert 0 <= signal.seconds <= 1e9
            if isinstance(signal, Block):
                assert one == signal.data
    seqs += [json.loads(text)["seq"] for text in (*reader.opened(0.0), *reader.ended())]
    assert seqs[1] == seqs[0] + 1
