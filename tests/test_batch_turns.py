"""Two made-up voices on one leg: told apart, cut where they change, over several spans.

A window of sound whose samples are above zero is one voice, below zero the other; what lies between is both.
"""

import zlib
from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from asr.batch.dividing import DividingOptions, divided
from asr.batch.speakers import Prints, Voiced, are_distinct, middle_of, owners_of, two_voices
from asr.batch.turns import STEP_S, WINDOW_S, Spread, changes_of, cut
from asr.batch.types import FileFacts
from asr.types import SAMPLE_RATE_HZ, Party, Samples, Utterance
from tests.asr_parts import loud, quiet

DIMENSIONS = 64
RNG = np.random.default_rng(5)
ONE, OTHER = RNG.normal(size=(2, DIMENSIONS))
FACTS = FileFacts(
    seconds=60.0,
    parties=(Party.MIXED,),
    source_channels=1,
    is_alike=False,
    is_truncated=False,
    utterances=0,
)


def printed(shares: Sequence[float], seed: int = 1, noise: float = 0.35) -> Prints:
    """Prints of windows that are the first's by these shares."""
    chance = np.random.default_rng(seed)
    raw = [share * ONE + (1 - share) * OTHER + noise * chance.normal(size=DIMENSIONS) for share in shares]
    return np.stack([each / np.linalg.norm(each) for each in raw]).astype(np.float32)


def encode(samples: Samples) -> Prints:
    length, step = (round(seconds * SAMPLE_RATE_HZ) for seconds in (WINDOW_S, STEP_S))
    starts = range(0, max(1, len(samples) - length + 1), step)
    windows = [samples[start : start + length] for start in starts]
    shares = [float((window > 0).sum() / max(1, (window != 0).sum())) for window in windows]
    return printed(shares, seed=zlib.crc32(samples.tobytes()))


def utterance(start_s: float, *sounds: Samples, number: int = 1, party: Party = Party.MIXED) -> Utterance:
    samples = np.concatenate(sounds)
    end_s = start_s + len(samples) / SAMPLE_RATE_HZ
    return Utterance(
        call_id="c",
        party=party,
        number=number,
        start_s=start_s,
        end_s=end_s,
        samples=samples,
        is_closed=True,
        speech_end_s=end_s,
        voiced_s=end_s - start_s,
    )


def first(seconds: float) -> Samples:
    return loud(seconds)


def second(seconds: float) -> Samples:
    return loud(seconds, -0.5)


def voiced(start_s: float, seconds: float, share: float) -> Voiced:
    prints = printed([share] * 3, seed=round(start_s * 10))
    return Voiced(start_s=start_s, end_s=start_s + seconds, voice=middle_of(prints))


def pair_of(heard: Sequence[Voiced]) -> tuple[Prints, np.ndarray]:  # type: ignore[type-arg]
    return np.stack([one.voice for one in heard]), np.array([one.seconds for one in heard], np.float32)


def test_two_voices_are_told_apart_and_the_first_heard_is_the_first() -> None:
    shares = [0.0, 1.0, 0.05, 0.95, 0.0, 1.0, 0.1]
    heard = [voiced(number * 5.0, 4.0, share) for number, share in enumerate(shares)]
    prints, weights = pair_of(heard)
    pair = two_voices(prints, weights)
    assert pair is not None
    assert are_distinct(prints, weights, pair)
    assert owners_of(heard, pair) == [1, 2, 1, 2, 1, 2, 1]


@pytest.mark.parametrize("count", [2, 3, 5, 12, 200])
def test_one_voice_is_not_two(count: int) -> None:
    prints = printed(np.linspace(0.9, 1.0, count).tolist())
    weights = np.full(count, 3.0, np.float32)
    pair = two_voices(prints, weights)
    assert pair is not None
    assert not are_distinct(prints, weights, pair)


def test_prints_that_are_all_the_same_do_not_fall_into_two() -> None:
    prints = np.repeat(printed([1.0]), 4, axis=0)
    assert two_voices(prints, np.ones(4, np.float32)) is None
    assert two_voices(prints[:1], np.ones(1, np.float32)) is None


def test_a_short_utterance_is_its_neighbours_unless_its_voice_is_clear() -> None:
    heard = [
        voiced(0.0, 4.0, 1.0),
        voiced(4.1, 0.5, 0.45),  # nearer to the second by a little, right after the first
        voiced(9.0, 4.0, 0.0),
        voiced(13.2, 0.5, 1.0),  # clear
        voiced(14.0, 4.0, 0.0),
    ]
    long = [one for one in heard if one.seconds > 1]
    assert owners_of(heard, two_voices(*pair_of(long))) == [1, 1, 2, 1, 2]
    assert owners_of(heard, None) == [1] * 5


@pytest.mark.parametrize(
    ("weighed", "changes"),
    [
        ([], []),
        ([9.0], []),
        ([9, 9, 9, -9, -9, -9], [3]),
        ([9, 9, 9, -9, 9, 9, 9], []),  # one window against its neighbours
        ([9, 9, 9, -20, -20, 9, 9, 9], [3, 5]),
        ([-1, -1, 1, 1, -1], []),  # voices that are hardly apart
        ([-9, -9, -9, 8, 8, 8], [3]),
    ],
)
def test_a_change_must_be_worth_it(weighed: list[float], changes: list[int]) -> None:
    assert changes_of(weighed) == changes


def test_an_utterance_is_cut_where_it_is_quietest_and_nothing_is_lost() -> None:
    whole = utterance(7.0, first(3.0), quiet(0.2), second(2.8), number=4)
    pair = np.stack([middle_of(printed([1.0] * 5)), middle_of(printed([0.0] * 5))])
    parts = list(cut(whole, encode(whole.samples), pair, Spread(first=1.0, second=-1.0, width=0.5)))
    assert len(parts) == 2
    assert 10.0 < parts[0].end_s == parts[1].start_s < 10.2
    assert np.array_equal(np.concatenate([part.samples for part in parts]), whole.samples)
    assert (parts[0].start_s, parts[1].end_s) == (whole.start_s, whole.end_s)
    assert sum(part.voiced_s for part in parts) == pytest.approx(whole.voiced_s)
    alone = utterance(0.0, first(5.0))
    assert list(cut(alone, encode(alone.samples), pair, Spread(first=1.0, second=-1.0, width=0.5))) == [alone]


def source(utterances: Sequence[Utterance]) -> Generator[Utterance, None, FileFacts]:
    yield from (replace(one, number=number) for number, one in enumerate(utterances, 1))
    return replace(FACTS, utterances=len(utterances))


def all_of(
    utterances: Sequence[Utterance], options: DividingOptions | None = None
) -> tuple[list[Utterance], FileFacts]:
    found: list[Utterance] = []
    stream = divided(source(utterances), encode, options)
    while True:
        try:
            found.append(next(stream))
        except StopIteration as end:
            return found, end.value


CALL = [
    utterance(1.0, second(3.0)),
    utterance(5.0, first(4.0), second(4.0)),
    utterance(14.0, first(3.0)),
    utterance(18.0, second(3.0), quiet(0.2), first(3.0)),
    utterance(26.0, second(3.5)),
    utterance(31.0, first(4.0)),
    utterance(36.0, second(3.0)),
    utterance(40.0, first(3.0)),
]
WHO = (1, 2, 1, 2, 1, 2, 1, 2, 1, 2)


def test_a_call_is_divided_and_numbered_anew() -> None:
    found, facts = all_of(CALL)
    assert [one.number for one in found] == list(range(1, 11))
    assert (facts.utterances, facts.speakers) == (10, WHO)
    assert all(one.end_s <= other.start_s for one, other in pairwise(found))
    uncut, uncut_facts = all_of(CALL, DividingOptions(cuts=False))
    assert (len(uncut), len(uncut_facts.speakers)) == (8, 8)


def test_spans_hold_little_and_change_nothing() -> None:
    found, facts = all_of(CALL)
    options = DividingOptions(span_s=20.0)
    again, again_facts = all_of(CALL, options)
    places = [(one.number, one.start_s, one.end_s) for one in found]
    assert [(one.number, one.start_s, one.end_s) for one in again] == places
    assert again_facts == facts
    taken: list[float] = []

    def watched() -> Generator[Utterance, None, FileFacts]:
        for one in CALL:
            taken.append(one.end_s - one.start_s)
            yield one
        return FACTS

    next(divided(watched(), encode, options))
    assert 20.0 <= sum(taken) < 30.0


def test_one_voice_is_one_speaker_and_stays_whole() -> None:
    alone = [utterance(5.0 * number, first(2.0 + 0.3 * number)) for number in range(6)]
    found, facts = all_of(alone)
    assert [one.end_s for one in found] == [one.end_s for one in alone]
    assert facts.speakers == (1,) * 6
    assert all_of([])[1].speakers == ()
    assert all_of(alone[:1])[1].speakers == (1,)


def test_legs_of_their_own_pass_untouched() -> None:
    legs = [
        utterance(1.0, second(3.0), party=Party.OPERATOR),
        utterance(5.0, first(4.0), second(4.0), party=Party.CITIZEN),
    ]
    found, facts = all_of(legs)
    assert [(one.party, one.number, one.start_s, one.end_s) for one in found] == [
        (one.party, number, one.start_s, one.end_s) for number, one in enumerate(legs, 1)
    ]
    assert (facts.utterances, facts.speakers) == (2, ())
