"""Quality of service: each rule by itself, samples, and scores through the real application."""

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from asr.types import Party, Segment
from calls.quality.remarks import after_remark
from calls.quality.rules import FILE_NAME, read_rules, rules_of
from calls.quality.sampling import draw_sample
from calls.quality.scoring import score_call
from calls.quality.types import BadQualityRules, BadRemark, Check, Finding, Judged, QualityState, RemarkKind
from tests.call_parts import START, segment
from tests.databases import in_both_houses
from tests.house import START as OPENING
from tests.house import House, Script, receive, receive_until, running, send, sound
from tests.test_door import cookie, peopled, signed_in

RULES = read_rules()
Line = tuple[str, float, float, str]
GOOD: list[Line] = [
    ("o", 0.5, 4.0, "您好，热线工号零二七，请问有什么可以帮您？"),
    ("c", 4.5, 8.0, "环城南路的路灯不亮三天了。"),
    ("o", 8.5, 11.0, "环城南路的路灯不亮，对吗？"),
    ("c", 11.5, 12.5, "对的。"),
    ("o", 13.0, 17.0, "我马上登记派单，三个工作日内会有人联系您。"),
    ("c", 17.5, 18.5, "好。"),
    ("o", 19.0, 22.0, "请问还有什么可以帮您？感谢来电，再见。"),
]


def call_of(lines: list[Line]) -> list[Segment]:
    return [
        segment(
            number,
            text,
            party=Party.OPERATOR if who == "o" else Party.CITIZEN,
            start_s=start_s,
            end_s=end_s,
        )
        for number, (who, start_s, end_s, text) in enumerate(lines, 1)
    ]


def finding(lines: list[Line], check: Check, seconds: float = 23.0) -> Finding:
    scored = score_call(call_of(lines), seconds, RULES)
    assert scored is not None
    return next(one for one in scored.findings if one.check is check)


def test_a_call_led_by_the_rules_has_all_points() -> None:
    scored = score_call(call_of(GOOD), 23.0, RULES)
    assert scored is not None
    assert (scored.score, {one.share for one in scored.findings}) == (100.0, {1.0})
    assert [one.check for one in scored.findings] == list(Check)
    assert sum(one.weight for one in scored.findings) == 100


def test_a_call_of_few_words_is_not_scored() -> None:
    assert score_call(call_of(GOOD), 19.0, RULES) is None
    assert score_call(call_of(GOOD[:2]), 23.0, RULES) is None
    assert score_call(call_of([line for line in GOOD if line[0] == "o"]), 23.0, RULES) is None
    assert score_call([], 23.0, RULES) is None


def test_a_greeting_has_two_halves_and_is_heard_through_errors() -> None:
    assert finding(GOOD, Check.GREETING).share == 1.0
    assert finding([("o", 0.5, 2.0, "您好。"), *GOOD[1:]], Check.GREETING).share == 0.5
    assert finding([("o", 0.5, 2.0, "喂，什么事。"), *GOOD[1:]], Check.GREETING).share == 0.0
    misheard = finding([("o", 0.5, 4.0, "您好，公号零二七。"), *GOOD[1:]], Check.GREETING)
    assert (misheard.share, misheard.evidence[1].said[3:5]) == (1.0, "公号")


def test_saying_back_needs_the_citizens_own_words() -> None:
    assert finding(GOOD, Check.REPEATING).evidence[0].segment_id == "operator-3"
    other = [*GOOD[:2], ("o", 8.5, 11.0, "您贵姓，对吗？"), *GOOD[3:]]
    assert finding(other, Check.REPEATING).share == 0.0
    misheard = [*GOOD[:2], ("o", 8.5, 11.0, "还城南路的陆灯，对吗？"), *GOOD[3:]]
    assert finding(misheard, Check.REPEATING).share == 1.0


def test_a_good_end_is_found_and_its_lack_shown() -> None:
    assert finding(GOOD, Check.CLOSING).evidence[0].segment_id == "operator-7"
    cut = finding(GOOD[:-1], Check.CLOSING)
    assert (cut.share, cut.evidence[0].segment_id) == (0.0, "operator-5")


def test_forbidden_words_are_pointed_out_and_an_answer_of_nothing_but_no() -> None:
    rude = [*GOOD[:4], ("o", 13.0, 17.0, "这个不归我管，你去问别人。"), *GOOD[5:]]
    found = finding(rude, Check.FORBIDDEN)
    (place,) = found.evidence
    assert (found.share, found.value, place.said[place.start : place.end]) == (0.5, 1.0, "不归我管")
    assert finding([*GOOD[:4], ("o", 13, 14, "不知道。"), *GOOD[5:]], Check.FORBIDDEN).value == 1.0
    mild = [*GOOD[:4], ("o", 13, 16, "这个我不知道，帮您查一下。"), *GOOD[5:]]
    assert finding(mild, Check.FORBIDDEN).share == 1.0
    citizens = [*GOOD[:3], ("c", 11.5, 12.5, "你们有完没完。"), *GOOD[4:]]
    assert finding(citizens, Check.FORBIDDEN).share == 1.0


def test_long_silence_costs_points_unless_it_was_announced() -> None:
    def waiting(text: str) -> Finding:
        lines = [*GOOD[:4], ("o", 13.0, 15.0, text), ("o", 45.0, 50.0, "让您久等了。"), *GOOD[6:]]
        shifted = [*lines[:6], ("o", 51.0, 54.0, GOOD[6][3])]
        return finding(shifted, Check.SILENCE, seconds=90.0)

    assert waiting("我看看。").value == 36.0
    found = waiting("请稍等，我帮您查一下。")
    assert found.value == 36.0  # the end of the call, in which nobody spoke any more
    short = finding(
        [*GOOD[:4], ("o", 13.0, 15.0, "请稍等，我帮您查一下。"), ("o", 35.0, 40.0, "查到了，再见。")],
        Check.SILENCE,
        seconds=41.0,
    )
    assert (short.share, short.value) == (0.5, 1.0)  # much silence in all, none that was not announced


def test_who_begins_while_the_other_speaks_interrupts_but_not_with_a_yes() -> None:
    over = [
        GOOD[0],
        ("c", 4.5, 12.0, "路灯不亮三天了，我跟你说"),
        ("o", 8.0, 11.0, "路灯不亮对吗，我知道了"),
        *GOOD[4:],
    ]
    assert finding(over, Check.INTERRUPTION).value == 1.0
    yes = [GOOD[0], ("c", 4.5, 12.0, "路灯不亮三天了，我跟你说"), ("o", 8.0, 9.5, "嗯嗯。"), *GOOD[4:]]
    assert finding(yes, Check.INTERRUPTION).value == 0.0
    theirs = [*GOOD[:2], ("o", 8.5, 14.0, "路灯不亮，对吗？"), ("c", 11.5, 12.9, "对对对对对"), *GOOD[4:]]
    assert finding(theirs, Check.INTERRUPTION).value == 0.0


def test_too_fast_is_told_in_characters_per_minute() -> None:
    text = "这件事情我们已经登记好了会有专人和您联系的请您保持电话畅通"
    slow, fast = ([*GOOD[:4], ("o", 13.0, 13.0 + s, text), *GOOD[5:]] for s in (6.0, 2.0))
    assert finding(slow, Check.PACE).share == 1.0
    found = finding(fast, Check.PACE)
    assert (found.share, found.evidence[0].said) == (0.0, text)
    assert found.value is not None
    assert found.value > 360


def test_rules_of_an_installation_replace_tables(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("[weights]\nclosing = 1\n", encoding="utf-8")
    rules = rules_of(tmp_path)
    assert dict(rules.weights) == {Check.CLOSING: 1.0}
    scored = score_call(call_of(GOOD[:-1]), 23.0, rules)
    assert scored is not None
    assert scored.score == 0.0
    for bad, where in (("[weights]\nhumour = 1\n", "weights"), ("[pace]\n", "pace"), ("=", "格式")):
        with pytest.raises(BadQualityRules, match=where):
            read_rules(bad)


def judged(number: int, operator_id: str = "027", score: float | None = None) -> Judged:
    return Judged(
        call_id=f"c-{number:03d}",
        operator_id=operator_id,
        started_at=START,
        seconds=60.0,
        score=float(number if score is None else score),
        by_rules=float(number if score is None else score),
        findings=(),
        state=QualityState.OPEN,
    )


def test_a_sample_has_some_of_everybody_weak_ones_surely_and_is_the_same_again() -> None:
    calls = [judged(number) for number in range(30)] + [judged(99, "031")]
    day = date(2026, 3, 5)
    drawn = draw_sample(calls, day, each=4)
    assert draw_sample(list(reversed(calls)), day, each=4) == drawn
    assert [one.operator_id for one in drawn] == ["027"] * 4 + ["031"]
    assert sum(one.by_rules < 10 for one in drawn[:4]) == 2
    others = {tuple(one.call_id for one in draw_sample(calls, date(2026, 3, n), each=4)) for n in range(1, 9)}
    assert len(others) > 4
    assert draw_sample([], day, each=4) == []
    assert len(draw_sample(calls[:3], day, each=9)) == 3


def test_an_appeal_is_answered_before_anything_else() -> None:
    call = judged(1, score=60)
    reviewed = after_remark(call, RemarkKind.REVIEW, text="问候完整", score=75.0)
    assert (reviewed.score, reviewed.by_rules, reviewed.state) == (75.0, 60.0, QualityState.REVIEWED)
    appealed = after_remark(reviewed, RemarkKind.APPEAL, text="我说了再见", score=None)
    assert (appealed.state, appealed.score) == (QualityState.APPEALED, 75.0)
    answered = after_remark(appealed, RemarkKind.ANSWER, text="已改", score=85.0)
    assert (answered.state, answered.score) == (QualityState.ANSWERED, 85.0)
    for state, kind, text, score, code in (
        (QualityState.OPEN, RemarkKind.REVIEW, " ", None, "quality.text_needed"),
        (QualityState.OPEN, RemarkKind.REVIEW, "好", 101.0, "quality.bad_score"),
        (QualityState.OPEN, RemarkKind.APPEAL, "好", 100.0, "quality.bad_score"),
        (QualityState.OPEN, RemarkKind.ANSWER, "好", None, "quality.no_appeal"),
        (QualityState.APPEALED, RemarkKind.APPEAL, "好", None, "quality.already_appealed"),
        (QualityState.APPEALED, RemarkKind.REVIEW, "好", None, "quality.answer_first"),
        (QualityState.OPEN, RemarkKind.REVIEW, "好" * 1001, None, "quality.text_too_long"),
    ):
        with pytest.raises(BadRemark) as refused:
            after_remark(replace(call, state=state), kind, text=text, score=score)
        assert refused.value.code == code


async def hear_good(call_id: str, frames: Any, numbers: Any) -> Any:
    """Ears that hear the good call, whatever is said."""
    async for frame in frames:
        if frame.party is Party.CITIZEN and frame.end_s >= 23.0:
            break
    for one in call_of(GOOD):
        yield replace(one, call_id=call_id)
    async for _ in frames:
        pass


async def play_good(
    house: House, call_id: str = "c-1", operator_id: str = "027", headers: dict[str, str] | None = None
) -> None:
    line = await house.socket("/v1/calls/audio", additional_headers=headers or {})
    await send(line, OPENING | {"call_id": call_id, "operator_id": operator_id})
    await receive(line)
    for _ in range(25):
        await line.send(sound(1.0))
    await send(line, {"type": "stop"})
    await receive_until(line, lambda event: event["type"] == "ended")
    await line.close()


async def scored(client: httpx.AsyncClient, count: int = 1) -> list[dict[str, Any]]:
    for _ in range(600):
        answer = await client.get("/v1/quality/calls")
        assert answer.is_success, answer.text
        calls: list[dict[str, Any]] = answer.json()["calls"]
        if len(calls) >= count:
            return calls
        await asyncio.sleep(0.1)
    raise AssertionError("no score came")


async def test_a_call_is_scored_after_it_and_its_operator_appeals(tmp_path: Path) -> None:
    async with (
        peopled(tmp_path, script=Script(recognise=hear_good)) as house,
        signed_in(house, "zhao") as boss,
        signed_in(house, "li") as own,
    ):
        await play_good(house, headers=cookie(boss))
        await play_good(house, "c-2", "028", headers=cookie(boss))
        both = await scored(boss, 2)
        assert {one["score"] for one in both} == {100.0}
        assert [one["call_id"] for one in (await own.get("/v1/quality/calls")).json()["calls"]] == ["c-1"]
        assert (await own.get("/v1/quality/calls/c-2")).status_code == 404
        assert (await own.get("/v1/quality/sample")).status_code == 403
        sample = (await boss.get("/v1/quality/sample", params={"each": 1})).json()
        assert {one["operator_id"] for one in sample["calls"]} == {"027", "028"}

        async def say(who: httpx.AsyncClient, kind: str, call_id: str = "c-1", **more: Any) -> httpx.Response:
            body = {"kind": kind, "text": "理由"} | more
            return await who.post(f"/v1/quality/calls/{call_id}/remarks", json=body)

        assert (await say(own, "review", score=100)).status_code == 403
        assert (await say(own, "appeal", "c-2")).status_code == 404
        assert (await say(boss, "review", score=80)).json()["call"]["score"] == 80
        assert (await say(own, "appeal")).json()["call"]["state"] == "appealed"
        waiting = await boss.get("/v1/quality/calls", params={"state": "appealed"})
        assert [one["call_id"] for one in waiting.json()["calls"]] == ["c-1"]
        answered = (await say(boss, "answer", score=95)).json()
        assert (answered["call"]["score"], answered["call"]["by_rules"]) == (95, 100)
        assert [remark["kind"] for remark in answered["remarks"]] == ["review", "appeal", "answer"]
        assert (await say(boss, "answer")).json()["detail"]["code"] == "quality.no_appeal"
        below = (await boss.get("/v1/quality/calls", params={"below": 96})).json()
        assert below["total"] == 1


@in_both_houses
async def test_nothing_is_scored_twice_or_lost_over_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, Script(recognise=hear_good)) as house:
        await play_good(house)
    async with running(tmp_path, Script(recognise=hear_good)) as house:
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            assert len(await scored(client)) == 1
        await play_good(house, "c-2")
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            assert len(await scored(client, 2)) == 2
