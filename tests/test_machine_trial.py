"""What the trial of three machines calls lost, doubled or changed. It runs outside of the tests."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import numpy as np
import pytest

from asr.pool_options import PoolOptions
from asr.types import AudioFrame, Party, Segment
from asr.worker import RecognitionPool
from scripts.kills.callers import RATE_HZ, SentCall
from scripts.machines.calls import check_noise, noise_call, real_call
from scripts.machines.desk import Line, Noted, State, judge
from scripts.machines.marking import MarkingTranscriber, recognise_with
from scripts.machines.trial import longest_wait

SECONDS = 4.3


@pytest.fixture
def call() -> SentCall:
    return noise_call(1, SECONDS, "token")


async def heard(call: SentCall, leg: int = 0) -> list[Segment]:
    """The finals of a leg, by a pool whose threads hold what an ear holds; sound comes in pieces of 0.3 s."""

    async def frames() -> AsyncIterator[AudioFrame]:
        step = round(0.3 * RATE_HZ)
        for at in range(0, len(call.samples), step):
            piece = call.samples[at : at + step, leg]
            yield AudioFrame(
                call_id=call.call_id,
                party=Party(call.parties[leg]),
                start_s=at / RATE_HZ,
                samples=(piece / 32768.0).astype(np.float32),
            )

    async with RecognitionPool(MarkingTranscriber(), PoolOptions(workers=1)) as pool:
        segments = [one async for one in recognise_with(pool, call.call_id, frames(), {})]
    return [one for one in segments if one.is_final]


def faults(call: SentCall, lines: list[Segment]) -> list[str]:
    return list(check_noise(call, 0, lines, call.samples[:, 0], []))


async def test_what_ears_hear_is_what_was_sent(call: SentCall) -> None:
    lines = await heard(call)
    assert [(one.start_s, one.end_s) for one in lines] == [(0, 1), (1, 2), (2, 3), (3, 4), (4, SECONDS)]
    assert faults(call, lines) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda lines: lines[:2] + lines[3:], "not heard from 2.000 to 3.000 s"),
        (lambda lines: lines[1:], "not heard from 0.000 to 1.000 s"),
        (lambda lines: lines[:-1], "heard until 4.000 of 4.300 s"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], "heard twice from 1.000 to 2.000 s"),
        (lambda lines: [replace(lines[0], text=lines[1].text), *lines[1:]], "what was said there is"),
    ],
)
async def test_what_is_lost_doubled_or_changed_is_found(
    call: SentCall, change: Callable[[list[Segment]], list[Segment]], found: str
) -> None:
    assert found in " / ".join(faults(call, change(await heard(call))))


def test_real_calls_follow_each_other_with_what_is_said_in_them() -> None:
    one, two = real_call(0, "token"), real_call(1, "token")
    assert len(one.samples) == len(two.samples)
    assert one.reference is not None
    assert two.reference is not None
    assert one.reference.seconds == pytest.approx(len(one.samples) / one.rate_hz)
    starts = [turn.start_s for turn in one.reference.turns]
    assert starts == sorted(starts)
    assert starts[-1] > 500
    assert {turn.text for turn in one.reference.turns} == {turn.text for turn in two.reference.turns}
    assert one.reference.turns[0].text != two.reference.turns[0].text


RECORD = [("a-1", "一"), ("b-1", "二"), ("a-2", "三")]
SHOWN = [Line(at=n, segment_id=one, party="citizen", text=text) for n, (one, text) in enumerate(RECORD)]


def test_a_page_is_held_against_the_record() -> None:
    assert judge(SHOWN, RECORD, RECORD) == []
    assert judge(SHOWN, RECORD[1:], RECORD) == []  # of a long call the last lines stand there
    assert judge(SHOWN[:2], RECORD[:2], RECORD) == [
        "the page never showed a-2",
        "the page does not end as the record does",
    ]
    late = [RECORD[0], ("a-7", "late"), *RECORD[1:]]
    assert judge(SHOWN, RECORD[1:], late) == []  # it was heard when the page had moved on
    assert judge(SHOWN, late, late) == ["the page never showed a-7"]
    assert judge(SHOWN, RECORD, RECORD[:2])[0] == "the page showed a-2, which is not on record"
    assert judge([*SHOWN[:2], replace(SHOWN[2], text="四")], RECORD, RECORD) == [
        "the page showed a-2 otherwise"
    ]
    assert judge(SHOWN, [RECORD[0], *RECORD], RECORD)[0].endswith("twice")
    assert judge(SHOWN, [RECORD[1], RECORD[0], RECORD[2]], RECORD) == [
        "the page does not end as the record does"
    ]
    assert judge([], [], RECORD)[-1] == "the page does not end as the record does"


def test_how_long_a_page_was_without_a_connection() -> None:
    states = [
        State(at=at, line=line, call="live", said=said)
        for at, line, said in (
            (0, "open", "好"),
            (5, "waiting", "断"),
            (6, "connecting", "断"),
            (7, "open", "好"),
        )
    ]
    noted = Noted(lines=[], states=states, faults=[])
    assert noted.offline_s(0, 10) == 2
    assert noted.offline_s(6, 6.5) == 0.5
    assert noted.offline_s(8, 20) == 0
    assert noted.said(4, 20) == ["断", "好"]
    assert Noted(lines=[], states=states[:2], faults=[]).offline_s(0, 10) == 5
    assert longest_wait([0, 1, 4, 4.5]) == 3
    assert longest_wait([]) == 0
