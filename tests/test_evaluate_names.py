"""Names and corrections are judged against what was said."""

from asr.types import Correction, Party, Segment
from scripts.call_data import ReferenceCall, Turn
from scripts.evaluate_names import Names, judge_call, read_names, report, tables

NAMES = Names(places=("定海", "定海区", "环城南路"), departments=("住建部门",))


def call(text: str) -> ReferenceCall:
    turn = Turn(party=Party.CITIZEN, start_s=0.0, end_s=5.0, text=text)
    return ReferenceCall(call_id="C1", parties=(Party.CITIZEN,), seconds=5.0, turns=(turn,), recording=None)


def heard(text: str, *corrections: Correction) -> Segment:
    return Segment(
        call_id="C1",
        segment_id="citizen-1",
        party=Party.CITIZEN,
        start_s=0.0,
        end_s=5.0,
        text=text,
        raw_text=text,
        is_final=True,
        corrections=corrections,
    )


def wrote(start: int, before: str, after: str) -> Correction:
    return Correction(start=start, heard=before, written=after, reason="道路：读音相同")


def test_a_name_is_right_where_all_of_it_stands_in_the_text() -> None:
    judged = judge_call(
        call("我在定海区环城南路，找住建部门"),
        [heard("我在定海区还城南路，找住件部门")],
        [heard("我在定海区环城南路，找住件部门", wrote(5, "还城南路", "环城南路"))],
        NAMES,
        {"定海区", "环城南路"}.__contains__,
    )
    told = report([judged])
    assert told["missed_in_lexicon"] == []
    assert judged.names[2].written == "住件部门"
    assert [name.name for name in judged.names] == ["定海区", "环城南路", "住建部门"]  # the longest, once
    assert told["names"]["all"] == {"spoken": 3, "right_before": 1, "right_after": 2}
    assert told["names"]["in_lexicon"] == {"spoken": 2, "right_before": 1, "right_after": 2}
    assert told["names"]["departments"] == {"spoken": 1, "right_before": 0, "right_after": 0}
    assert told["missed_names"] == {"住建部门": 1}
    assert told["cer_before"] == 2 / 14
    assert told["cer"] == 1 / 14


def test_every_correction_is_judged_by_itself() -> None:
    judged = judge_call(
        call("去环城南路，哪天都行，快"),
        [heard("去还城南路，哪天都行，块")],
        [
            heard(
                "去环城南路，那天都行，筷",
                wrote(1, "还城南路", "环城南路"),
                wrote(6, "哪天", "那天"),
                wrote(11, "块", "筷"),
            )
        ],
        NAMES,
        lambda _name: True,
    )
    assert [each.mended for each in judged.corrections] == [1, -1, 0]
    told = report([judged])["corrections"]
    assert (told["mended"], told["idle"], told["harmful"]) == (1, 1, 1)
    assert told["harmful_per_1000"] == 1000 / 10
    assert told["wrong_per_1000"] == 2000 / 10
    assert [each.row_count for each in tables([judged], examples=2)] == [4, 1, 2]


def test_the_fixed_list_can_be_read() -> None:
    names = read_names()
    assert "定海区" in names.places
    assert names.kind_of("住建部门") == "departments"


def test_a_missed_name_is_told_with_what_stands_in_its_place() -> None:
    judged = judge_call(
        call("我住在定海那边"),
        [heard("我住在电还那边")],
        [heard("我住在电还那边")],
        NAMES,
        {"定海"}.__contains__,
    )
    assert report([judged])["missed_in_lexicon"] == ["定海 ← 电还"]
