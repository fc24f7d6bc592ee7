"""Where utterances begin and end: stories of speech and silence, and what always holds."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.endpoint import Ending, Hint, ending_of
from asr.leg import Leg
from asr.segmenter import Segmenter, SegmenterOptions
from asr.types import SAMPLE_RATE_HZ, Party, Utterance
from asr.vad import WINDOW, WINDOW_S
from tests.asr_parts import LoudnessDetector, cut_into_frames, loud, quiet

SHORT = SegmenterOptions(max_utterance_s=3.0, cut_search_s=1.0, impatient_after_s=2.0)


def segmenter(options: SegmenterOptions | None = None) -> Segmenter:
    return Segmenter(call_id="C1", party=Party.CITIZEN, options=options or SegmenterOptions())


def windows(probabilities: Sequence[float]) -> np.ndarray:
    """Samples that can be told apart: every window holds its own number."""
    return np.repeat(np.arange(len(probabilities), dtype=np.float32), WINDOW)


def run(ours: Segmenter, probabilities: Sequence[float], chunks: Sequence[int] = ()) -> list[Utterance]:
    samples, chances = windows(probabilities), np.array(probabilities, dtype=np.float32)
    given_out: list[Utterance] = []
    cuts = sorted({0, len(chances), *(cut % (len(chances) + 1) for cut in chunks)})
    for begin, end in pairwise(cuts):
        given_out += ours.feed(samples[begin * WINDOW : end * WINDOW], chances[begin:end])
    return given_out + ours.finish()


def story(*parts: tuple[float, float]) -> list[float]:
    """Seconds and probability, one after another."""
    return [chance for seconds, chance in parts for _ in range(round(seconds / WINDOW_S))]


def closed(utterances: Sequence[Utterance]) -> list[Utterance]:
    return [utterance for utterance in utterances if utterance.is_closed]


def test_speech_then_a_pause_gives_one_utterance_with_its_padding() -> None:
    found = closed(run(segmenter(), story((1.0, 0.0), (1.0, 0.9), (1.0, 0.0))))
    assert [(u.number, u.segment_id) for u in found] == [(1, "citizen-1")]
    assert found[0].start_s == pytest.approx(0.7, abs=0.04)
    assert found[0].end_s == pytest.approx(2.3, abs=0.04)
    assert len(found[0].samples) == round((found[0].end_s - found[0].start_s) * SAMPLE_RATE_HZ)


def test_a_breath_within_a_sentence_does_not_end_it() -> None:
    found = closed(run(segmenter(), story((1.0, 0.9), (0.4, 0.0), (1.0, 0.9), (1.0, 0.0))))
    assert len(found) == 1


def test_a_click_is_no_utterance_and_is_never_shown() -> None:
    assert run(segmenter(), story((1.0, 0.0), (0.064, 0.9), (1.0, 0.0))) == []


def test_an_open_utterance_grows_and_keeps_its_number() -> None:
    ours = segmenter()
    shown = [
        utterance
        for chance in story((3.0, 0.9))
        for utterance in ours.feed(np.zeros(WINDOW, dtype=np.float32), np.array([chance], dtype=np.float32))
    ]
    assert [u.is_closed for u in shown] == [False] * 3
    assert {u.number for u in shown} == {1}
    lengths = [u.end_s - u.start_s for u in shown]
    assert np.diff([0, *lengths]) == pytest.approx(0.8, abs=0.04)


def test_at_a_pause_the_open_utterance_already_holds_what_the_closed_one_will() -> None:
    ours, seen = segmenter(), []
    for window, chance in enumerate(story((1.0, 0.0), (1.2, 0.9), (1.0, 0.0))):
        seen += ours.feed(np.full(WINDOW, window, dtype=np.float32), np.array([chance], dtype=np.float32))
    guess, settled, final = seen[-3:]
    assert (guess.is_settled, guess.is_guess, settled.is_guess) == (True, True, False)
    assert guess.speech_end_s == settled.speech_end_s == final.speech_end_s < guess.end_s
    assert (settled.is_settled, settled.is_closed, final.is_closed) == (True, False, True)
    np.testing.assert_array_equal(settled.samples, final.samples)
    assert (settled.start_s, settled.end_s) == (final.start_s, final.end_s)


def test_long_speech_is_cut_where_it_is_quietest() -> None:
    chances = story((2.3, 0.9), (0.13, 0.4), (3.0, 0.9), (1.0, 0.0))
    found = closed(run(segmenter(SHORT), chances))
    assert found[0].end_s == pytest.approx(2.36, abs=0.07)
    assert found[1].start_s == found[0].end_s
    assert found[-1].end_s == pytest.approx(5.43 + 0.3, abs=0.07)


def test_the_longer_the_speech_the_shorter_the_pause_that_ends_it() -> None:
    options = SegmenterOptions(
        min_silence_s=0.6,
        long_silence_s=0.5,
        short_until_s=2.0,
        long_from_s=4.0,
        impatient_silence_s=0.3,
        impatient_after_s=10.0,
        max_utterance_s=18.0,
    )
    pauses = [options.silence_s(length, Ending.UNKNOWN) for length in (1, 2, 3, 4, 10, 14, 18)]
    assert pauses == pytest.approx([0.6, 0.6, 0.55, 0.5, 0.5, 0.4, 0.3])
    assert options.silence_s(3, Ending.FINISHED) == options.finished_silence_s


@pytest.mark.parametrize(
    ("ending", "pause_s", "is_closed"),
    [
        (Ending.FINISHED, 0.42, True),
        (Ending.UNKNOWN, 0.42, False),
        (Ending.UNKNOWN, 0.7, True),
        (Ending.DICTATION, 0.8, False),
        (Ending.DICTATION, 1.1, True),
    ],
)
def test_the_words_so_far_decide_how_long_it_waits(ending: Ending, pause_s: float, is_closed: bool) -> None:
    ours = segmenter()
    speech = story((1.0, 0.9), (0.2, 0.0))
    ours.feed(windows(speech), np.array(speech, dtype=np.float32))
    ours.expect(Hint(number=1, until_s=1.2, ending=ending))
    pause = story((pause_s - 0.2, 0.0))
    found = ours.feed(windows(pause), np.array(pause, dtype=np.float32))
    assert bool(closed(found)) is is_closed


def test_a_hint_on_words_that_went_on_is_out_of_date() -> None:
    ours = segmenter()
    speech = story((2.0, 0.9), (0.42, 0.0))
    ours.expect(Hint(number=1, until_s=1.0, ending=Ending.FINISHED))
    assert not closed(ours.feed(windows(speech), np.array(speech, dtype=np.float32)))


chances = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.95]), st.integers(1, 40)), max_size=25
).map(lambda runs: [chance for chance, times in runs for _ in range(times)])


@settings(max_examples=150, deadline=None)
@given(probabilities=chances, chunks=st.lists(st.integers(0, 1000), max_size=8))
def test_what_always_holds(probabilities: list[float], chunks: list[int]) -> None:
    given_out = run(segmenter(SHORT), probabilities, chunks)
    found = closed(given_out)

    # closed exactly once each, in order, without overlap, never too long
    assert [u.number for u in found] == list(range(1, len(found) + 1))
    for earlier, later in pairwise(found):
        assert earlier.end_s <= later.start_s
    assert all(u.start_s < u.end_s <= len(probabilities) * WINDOW_S + 1e-9 for u in found)
    assert all(u.end_s - u.start_s <= SHORT.max_utterance_s + WINDOW_S for u in found)

    # open ones belong to the utterance that is closed next, and start where it starts
    starts = {u.number: u.start_s for u in found}
    assert all(starts[u.number] == u.start_s for u in given_out)

    # the samples are those of that time, whole and in order
    for u in found:
        first, last = round(u.start_s / WINDOW_S), round(u.end_s / WINDOW_S)
        np.testing.assert_array_equal(u.samples[::WINDOW], np.arange(first, last))

    # no stretch of speech is lost
    covered = {w for u in found for w in range(round(u.start_s / WINDOW_S), round(u.end_s / WINDOW_S))}
    least = round(SHORT.min_speech_s / WINDOW_S)
    streak: list[int] = []
    for window, chance in enumerate([*probabilities, 0.0]):
        if chance >= SHORT.start_probability:
            streak.append(window)
            continue
        assert len(streak) < least or covered.issuperset(streak)
        streak = []

    # any chunking gives the same
    assert [(u.start_s, u.end_s) for u in closed(run(segmenter(SHORT), probabilities))] == [
        (u.start_s, u.end_s) for u in found
    ]


@settings(max_examples=40, deadline=None)
@given(frame_s=st.floats(0.01, 1.5))
def test_frames_of_any_size_give_the_same_utterances(frame_s: float) -> None:
    sound = np.concatenate([quiet(0.7), loud(1.1), quiet(0.9), loud(0.6), quiet(0.2)])
    assert heard(sound, 0.1) == heard(sound, frame_s)


def leg() -> Leg:
    return Leg(call_id="C1", party=Party.CITIZEN, detector=LoudnessDetector(), options=SegmenterOptions())


def heard(sound: np.ndarray, frame_s: float) -> list[tuple[float, float]]:
    ours, found = leg(), []
    for frame in cut_into_frames(sound, frame_s=frame_s):
        found += ours.listen([frame])
    return [(u.start_s, u.end_s) for u in closed(found + ours.finish())]


def test_a_long_gap_closes_what_was_open_and_time_goes_on_behind_it() -> None:
    frames = cut_into_frames(loud(1.0)) + cut_into_frames(loud(1.0), start_s=31.0)
    ours = leg()
    found = closed(ours.listen(frames) + ours.finish())
    assert [u.number for u in found] == [1, 2]
    assert found[0].end_s == pytest.approx(1.0, abs=WINDOW_S)
    assert found[1].start_s == 31.0


def test_a_lost_packet_becomes_silence_within_the_word() -> None:
    frames = cut_into_frames(loud(1.0)) + cut_into_frames(loud(1.0), start_s=1.1)
    ours = leg()
    found = closed(ours.listen(frames) + ours.finish())
    assert len(found) == 1
    assert found[0].end_s == pytest.approx(2.1, abs=WINDOW_S)


def test_sound_that_came_twice_is_heard_once() -> None:
    frames = cut_into_frames(loud(1.0)) + cut_into_frames(loud(1.0), start_s=0.5)
    ours = leg()
    found = closed(ours.listen(frames) + ours.finish())
    assert [u.end_s for u in found] == pytest.approx([1.5], abs=WINDOW_S)


def test_a_resumed_call_goes_on_counting_and_starts_in_mid_time() -> None:
    ours = Leg(
        call_id="C1",
        party=Party.OPERATOR,
        detector=LoudnessDetector(),
        options=SegmenterOptions(),
        first_number=12,
    )
    found = closed(ours.listen(cut_into_frames(loud(1.0), start_s=60.0)) + ours.finish())
    assert [(u.segment_id, u.start_s) for u in found] == [("operator-12", 60.0)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"stop_probability": 0.6},
        {"pad_s": 0.5},
        {"min_silence_s": 0.1},
        {"max_utterance_s": 40.0},
        {"open_every_s": 0.0},
        {"min_speech_s": 0.0},
        {"impatient_after_s": 30.0},
    ],
)
def test_options_that_contradict_each_other_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        SegmenterOptions(**wrong)


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("请问有什么可以帮您吗", Ending.FINISHED),
        ("好的，谢谢。", Ending.FINISHED),
        ("电话13805802316", Ending.FINISHED),
        ("电话一三八零五", Ending.DICTATION),
        ("我的地址是", Ending.DICTATION),
        ("定海区环南街道环城南路", Ending.DICTATION),
        ("昨天晚上我从机场出来", Ending.UNKNOWN),
        ("", Ending.UNKNOWN),
    ],
)
def test_how_a_text_ends(text: str, ending: Ending) -> None:
    assert ending_of(text) is ending
