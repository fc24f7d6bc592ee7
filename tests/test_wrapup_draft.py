"""A draft as a whole: it grows with the call, points at its words and leaves open what was not said."""

from dataclasses import replace

import pytest

from calls.wrapup.draft import Lore, drafted
from calls.wrapup.summary import SUMMARY_CHARS
from calls.wrapup.types import UNKNOWN, Draft, Field
from tests.wrapup_parts import embed, said, sample_lore

CALL = said(
    "坐席:您好，市民热线，请问有什么可以帮您？",
    "市民:你好，我们小区门口的路灯坏了好几盏，晚上黑漆漆的，老人走路怕摔跤。",
    "坐席:请问具体地址在哪里？",
    "市民:定海区环城南路120号门口。",
    "坐席:是马路上的路灯不亮，对吧？",
    "市民:对的，马路上的，已经一个多星期了，麻烦你们派人来修一下。",
    "坐席:好的，我转给市住建局处理。您贵姓，联系电话是多少？",
    "市民:我姓王，幺三九零五八零",
    "坐席:嗯",
    "市民:1122。",
    "坐席:好的，王女士，再见。",
)


@pytest.fixture(scope="module")
def lore() -> Lore:
    return sample_lore()


def fields(draft: Draft) -> list[Field]:
    return [
        draft.kind,
        draft.urgency,
        draft.caller_name,
        draft.caller_phone,
        draft.district,
        draft.place,
        draft.category,
        *draft.departments,
        draft.summary,
        draft.detail,
    ]


def test_a_whole_call(lore: Lore) -> None:
    draft = drafted(CALL, lore=lore, embed=embed)
    assert draft.kind.value == "求助"
    assert draft.caller_name.value == "王女士"
    assert draft.caller_phone.value == "13905801122"
    assert draft.district.value == "定海区"
    assert "环城南路120号" in draft.place.value
    assert draft.department.value == "市住房和城乡建设局"
    assert draft.department == draft.departments[0]
    assert draft.knowledge
    assert "路灯" in draft.summary.value
    assert len(draft.summary.value) <= SUMMARY_CHARS
    assert 2 <= sum(draft.detail.value.count(mark) for mark in "。！？!?") <= 4
    assert "13905801122" not in draft.detail.value


def test_every_span_lies_within_its_segment(lore: Lore) -> None:
    lengths = {segment.segment_id: len(segment.text) for segment in CALL}
    draft = drafted(CALL, lore=lore, embed=embed)
    spans = [span for field in fields(draft) for span in field.spans]
    assert spans
    assert all(0 <= span.start < span.end <= lengths[span.segment_id] for span in spans)


def test_it_grows_and_the_order_of_arrival_does_not_matter(lore: Lore) -> None:
    drafts = [drafted(CALL[:length], lore=lore, embed=embed) for length in range(len(CALL) + 1)]
    assert drafts[0] == Draft()
    assert all(field == UNKNOWN for field in fields(drafts[1]))
    assert drafts[2].summary.value
    assert not drafts[4].caller_phone.value
    assert drafts[-1] == drafted(tuple(reversed(CALL)), lore=lore, embed=embed)


def test_what_is_not_final_is_left_out(lore: Lore) -> None:
    partials = [replace(segment, is_final=False) for segment in CALL]
    assert drafted(partials, lore=lore, embed=embed) == Draft()


def test_the_number_of_the_line_stands_in_for_a_dictated_one(lore: Lore) -> None:
    draft = drafted(CALL[:6], lore=lore, embed=embed, caller="13705800000")
    assert draft.caller_phone.value == "13705800000"
    assert draft.caller_phone.spans == ()
    assert drafted(CALL, lore=lore, embed=embed, caller="13705800000").caller_phone.value == "13905801122"


def test_chatter_has_no_department(lore: Lore) -> None:
    draft = drafted(said("坐席:您好。", "市民:喂，你好，打错了，再见。"), lore=lore, embed=embed)
    assert draft.department == UNKNOWN
    assert draft.category == UNKNOWN
    assert draft.knowledge == ()


def test_an_empty_field_claims_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        Field(value="", confidence=0.5)
