"""The wire between server and screens: what is accepted, what is refused, and what the page knows of it."""

import json
from dataclasses import fields
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ValidationError

from agent_ui.events import CALL_LIST_EVENTS, SCREEN_EVENTS, CallListSnapshot, CallSnapshot, SegmentShown
from agent_ui.jsdoc import PROTOCOL_FILE, protocol_source
from agent_ui.schema import schema
from agent_ui.screen_commands import SCREEN_COMMANDS, MarkSuggestion
from agent_ui.shown import CallOnScreen, CardOnScreen, SegmentOnScreen, SuggestionOnScreen
from asr.types import Correction, Party, Segment, Word
from calls.types import Call, CallState
from retrieval.types import Card, Mark, Suggestion

AT = datetime(2026, 3, 5, 10, 32, 5, tzinfo=UTC)


def segment() -> Segment:
    return Segment(
        call_id="c1",
        segment_id="citizen-1",
        party=Party.CITIZEN,
        start_s=1.0,
        end_s=2.5,
        text="定海区积水",
        raw_text="定海区机水",
        is_final=True,
        words=(Word(text="定海区", start_s=1.0, end_s=1.6, probability=0.9),),
        corrections=(Correction(start=3, heard="机", written="积", reason="lexicon"),),
    )


def card(slot: int) -> Card:
    return Card(
        slot=slot,
        is_new=True,
        article_id="T001",
        title="积水",
        excerpt="立即登记。",
        department="市住建局",
        score=0.8,
        source="示例",
    )


@pytest.mark.parametrize(
    ("shown", "fact"),
    [(SegmentOnScreen, Segment), (CardOnScreen, Card), (CallOnScreen, Call)],
)
def test_the_wire_has_the_keys_of_the_dataclass(shown: type[BaseModel], fact: type) -> None:
    assert list(shown.model_fields) != []
    assert set(shown.model_fields) == {field.name for field in fields(fact)}


def test_a_fact_crosses_the_wire_unchanged() -> None:
    event = SegmentShown(seq=7, at=AT, call_id="c1", segment=SegmentOnScreen.model_validate(segment()))
    wire = json.loads(event.model_dump_json())
    assert wire["type"] == "segment.shown"
    assert wire["at"] == "2026-03-05T10:32:05Z"
    assert wire["segment"]["party"] == "citizen"
    assert wire["segment"]["corrections"][0]["heard"] == "机"
    assert SCREEN_EVENTS.validate_json(event.model_dump_json()) == event


def test_a_partial_says_that_it_has_no_place_in_the_stream() -> None:
    event = SegmentShown(at=AT, call_id="c1", segment=SegmentOnScreen.model_validate(segment()))
    assert json.loads(event.model_dump_json())["seq"] is None


def test_a_suggestion_is_read_from_its_dataclass_and_holds_three_cards_at_most() -> None:
    def suggest(cards: tuple[Card, ...]) -> Suggestion:
        return Suggestion(
            suggestion_id="s1",
            call_id="c1",
            segment_id="citizen-1",
            cards=cards,
            query="积水",
            kb_version="v1",
            confidence=0.7,
        )

    shown = SuggestionOnScreen.model_validate(suggest((card(0), card(1), card(2))))
    assert [one.slot for one in shown.cards] == [0, 1, 2]
    with pytest.raises(ValidationError, match="at most 3"):
        SuggestionOnScreen.model_validate(suggest((card(0), card(1), card(2), card(2))))
    with pytest.raises(ValidationError, match="slot"):
        SuggestionOnScreen.model_validate(suggest((card(3),)))


def test_the_two_kinds_of_snapshot_belong_to_their_stream() -> None:
    call = CallOnScreen.model_validate(Call(call_id="c1", state=CallState.LIVE, started_at=AT))
    of_call = CallSnapshot(seq=0, at=AT, call_id="c1", call=call)
    of_list = CallListSnapshot(seq=0, at=AT, calls=(call,))
    assert SCREEN_EVENTS.validate_json(of_call.model_dump_json()) == of_call
    assert CALL_LIST_EVENTS.validate_json(of_list.model_dump_json()) == of_list
    with pytest.raises(ValidationError):
        CALL_LIST_EVENTS.validate_json(of_call.model_dump_json())


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        CallListSnapshot(seq=0, at=AT.replace(tzinfo=None), calls=())


def test_a_command_is_understood() -> None:
    text = '{"type":"suggestion.mark","suggestion_id":"s1","article_id":"T001","mark":"pinned"}'
    assert SCREEN_COMMANDS.validate_json(text) == MarkSuggestion(
        suggestion_id="s1", article_id="T001", mark=Mark.PINNED
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "suggestion.mark", "suggestion_id": "s1", "article_id": "T001", "mark": "loved"},
        {"type": "suggestion.mark", "suggestion_id": "s1", "article_id": "T001"},
        {"type": "suggestion.mark", "suggestion_id": "", "article_id": "T001", "mark": "used"},
        {"type": "segment.correct", "segment_id": "citizen-1", "text": "字" * 2001},
        {"type": "segment.correct", "segment_id": "x" * 129, "text": "好"},
        {"type": "correction.undo", "segment_id": "citizen-1", "index": -1},
        {"type": "question.ask", "text": ""},
        {"type": "question.ask", "text": "积水", "by": "027"},
        {"type": "segment.shown", "segment": {}},
        {"text": "积水"},
        "question.ask",
    ],
)
def test_a_command_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        SCREEN_COMMANDS.validate_json(json.dumps(wrong))


def test_every_event_carries_the_envelope() -> None:
    document = schema()
    for name in ("ScreenEvent", "CallListEvent"):
        for path in document["properties"][name]["discriminator"]["mapping"].values():
            model = document["$defs"][path.rsplit("/", 1)[-1]]
            assert {"type", "seq", "at", "call_id"} <= set(model["required"]), path


def test_what_the_page_knows_is_current() -> None:
    written = PROTOCOL_FILE.read_text(encoding="utf-8")
    assert written == protocol_source(), "run: python -m agent_ui.jsdoc"
