"""The rules that hold for every carrier, and what is sent back to those that want it, without sockets."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_ui.settings import Settings
from calls.ingest.echoes import MAX_WAITING, Echo, Echoes
from calls.ingest.messages import BadMessage, Start
from calls.ingest.rules import CarrierRules, call_id_of, names_of, opening_of
from calls.ingest.signals import Begin
from calls.types import Entry, SegmentShown, Stream, SuggestionShown
from tests.call_parts import START, segment, suggestion


def begin(**changes: Any) -> Begin:
    given: dict[str, Any] = {
        "key": "CA1",
        "encoding": "mulaw",
        "sample_rate_hz": 8000,
        "tracks": ("inbound", "outbound"),
    }
    return Begin(**(given | changes))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("13900000001", "13900000001"),
        ("sip:13900000001@10.0.0.1:5060;user=phone", "13900000001"),
        ("tel:+8613900000001", "+8613900000001"),
        (13900000001, "13900000001"),
        ("\u202e  ", None),
        (True, None),
        (["1"], None),
    ],
)
def test_a_number_is_kept_without_the_address_around_it(written: Any, kept: str | None) -> None:
    assert opening_of("twilio", begin(fields={"From": written}), CarrierRules()).caller == kept


def test_a_field_that_the_house_names_goes_before_the_usual_ones() -> None:
    fields = {"operator": "1", "seat": "027", "agent_id": "3"}
    assert opening_of("x", begin(fields=fields), CarrierRules(operator="seat")).operator_id == "027"
    assert opening_of("x", begin(fields=fields), CarrierRules()).operator_id == "1"
    assert opening_of("x", begin(fields={"queue": "一"}), CarrierRules(operator="seat")).operator_id is None


def test_a_token_is_never_kept() -> None:
    opening = opening_of("x", begin(fields={"Token": "secret", "queue": "一"}), CarrierRules())
    assert opening.meta == {"queue": "一", "线路": "x"}


def test_an_identifier_of_another_form_becomes_one_of_ours_and_stays_on_record() -> None:
    key = "v3:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQczi75mt_qLQ=="
    opening = opening_of("telnyx", begin(key=key), CarrierRules())
    assert opening.call_id == call_id_of("telnyx", key) != call_id_of("telnyx", key + "x")
    assert opening.meta["线路编号"] == key
    assert call_id_of("x", None) != call_id_of("x", None)


@given(st.text(min_size=1, max_size=100))
def test_every_name_of_a_call_is_one_that_our_own_protocol_takes(key: str) -> None:
    for name in names_of(call_id_of("telnyx", key)):
        Start(type="start", encoding="mulaw", sample_rate=8000, channels=("citizen",), call_id=name)


@given(
    st.dictionaries(
        st.text(max_size=80),
        st.recursive(
            st.none() | st.integers() | st.floats() | st.text(max_size=2000),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=80,
    )
)
def test_what_is_kept_beside_a_call_is_what_our_own_protocol_takes(fields: dict[str, Any]) -> None:
    opening = opening_of("twilio", begin(fields=fields), CarrierRules())
    Start(type="start", encoding="mulaw", sample_rate=8000, channels=("citizen",), meta=dict(opening.meta))
    for name in (opening.operator_id, opening.caller, opening.dialled):
        assert name is None or 1 <= len(name) <= 64


def test_what_is_left_out_is_counted() -> None:
    fields = {f"f{n}": "x" * 500 for n in range(30)}
    meta = opening_of("x", begin(fields=fields), CarrierRules()).meta
    assert meta["省略的字段"] == 30 - (len(meta) - 2)
    assert len(json.dumps(meta, ensure_ascii=False)) < 8192


@pytest.mark.parametrize(
    "tracks", [(), ("inbound", "inbound"), ("mixed", "inbound"), ("a", "b"), ("inbound",) * 3]
)
def test_tracks_that_do_not_fit_together_are_refused(tracks: tuple[str, ...]) -> None:
    with pytest.raises(BadMessage):
        opening_of("x", begin(tracks=tracks), CarrierRules())


def entry(fact: Any, stream: str = Stream.call("c-1")) -> Entry:
    return Entry(stream=stream, seq=1, at=START, call_id="c-1", fact=fact)


async def test_a_line_hears_of_its_own_call_and_the_newest_of_what_may_still_change() -> None:
    echoes = Echoes()
    with echoes.of("c-1") as echo:
        echoes.hear_partial(segment(1, "你", is_final=False), "027")
        echoes.hear_partial(segment(1, "你好", is_final=False), "027")
        echoes.hear_partial(segment(1, "别人", call_id="c-2", is_final=False), "027")
        echoes.hear([entry(SegmentShown(segment=segment(2, "另一句")))])
        echoes.hear([entry(SegmentShown(segment=segment(2, "另一句")), stream=Stream.CALLS)])
        echoes.hear([entry(SuggestionShown(suggestion=suggestion("T101")))])
        echoes.hear_partial(segment(1, "你好吗", is_final=False), "027")
        echo.end()
        said = [getattr(news, "text", "cards") async for news in echo.news()]
    assert said == ["另一句", "cards", "你好吗"]
    echoes.hear([entry(SegmentShown(segment=segment(3, "之后")))])
    assert [news async for news in echo.news()] == []


async def test_a_line_that_does_not_keep_up_loses_the_oldest() -> None:
    echo = Echo()
    for number in range(MAX_WAITING + 5):
        echo.put(segment(number, str(number)))
    assert echo.dropped == 5
    echo.end()
    said = [news.segment_id async for news in echo.news()]
    assert (said[0], len(said)) == ("citizen-5", MAX_WAITING)


async def test_news_are_waited_for() -> None:
    echo = Echo()

    async def listen() -> list[str]:
        return [str(getattr(news, "text", "")) async for news in echo.news()]

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    echo.put(segment(1, "一"))
    echo.end()
    assert await listening == ["一"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"carriers": {"pigeon": {}}}, "nobody knows pigeon"),
        ({"carriers": {"twilio": {"parties": {"inbound": "cat"}}}}, "parties"),
        ({"carriers": {"twilio": {"partys": {}}}}, "partys"),
        ({"audiohook_secret": "no base64!"}, "audiohook_secret is not base64"),
        ({"carrier_idle_s": 0}, "carrier_idle_s"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(_env_file=None, **changes)  # type: ignore[call-arg]


def test_secrets_of_carriers_stay_in_the_process() -> None:
    settings = Settings(_env_file=None, twilio_auth_token="twilios", audiohook_secret="aG9va3M=")  # type: ignore[call-arg]
    assert not {"twilios", "aG9va3M="} & set(settings.environment().values())
    assert "twilios" not in repr(settings)
