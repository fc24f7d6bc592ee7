"""One call from frames to segments: order, replacement, gaps, back-pressure, a clean end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest

from asr.pool_options import PoolOptions
from asr.recordings import read_file
from asr.stream import StreamOptions, recognise_call
from asr.types import SAMPLE_RATE_HZ, AsrError, AudioFrame, BadAudio, Party, Segment
from asr.worker import RecognitionPool
from tests.asr_parts import (
    SPEECH,
    DeafTranscriber,
    LengthTranscriber,
    LoudnessDetector,
    cut_into_frames,
    flowing,
    loud,
    quiet,
    until,
)


def two_utterances(start_s: float = 0.0, *, party: Party = Party.CITIZEN) -> list[AudioFrame]:
    sound = np.concatenate([quiet(0.5), loud(2.0), quiet(1.0), loud(1.0), quiet(1.0)])
    return cut_into_frames(sound, party=party, start_s=start_s)


async def paced(frames: list[AudioFrame], pool: RecognitionPool) -> AsyncIterator[AudioFrame]:
    """As slowly as a live line, measured in recognised utterances instead of seconds."""
    for frame in frames:
        yield frame
        async with asyncio.timeout(60):
            while pool.stats().queued_partials:  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0)
        await asyncio.sleep(0.002)


async def recognised(
    frames: AsyncIterator[AudioFrame], pool: RecognitionPool, **more: object
) -> list[Segment]:
    segments = recognise_call(frames, pool=pool, detector=LoudnessDetector(), **more)  # type: ignore[arg-type]
    return [segment async for segment in segments]


def finals(segments: list[Segment]) -> list[Segment]:
    return [segment for segment in segments if segment.is_final]


async def test_partials_come_first_then_one_final_each_in_order() -> None:
    async with RecognitionPool(LengthTranscriber()) as pool:
        segments = await recognised(paced(two_utterances(), pool), pool)
    assert [s.segment_id for s in finals(segments)] == ["citizen-1", "citizen-2"]
    partials = [s for s in segments if not s.is_final and s.segment_id == "citizen-1"]
    assert len(partials) >= 2
    assert [s.end_s for s in partials] == sorted(s.end_s for s in partials)
    last_partial = max(i for i, s in enumerate(segments) if not s.is_final and s.segment_id == "citizen-1")
    assert last_partial < segments.index(finals(segments)[0])
    first = finals(segments)[0]
    assert first.text == first.raw_text + "。"
    assert first.text.startswith("有2.")
    assert first.start_s == pytest.approx(0.2, abs=0.05)
    assert first.end_s == pytest.approx(2.8, abs=0.05)
    assert first.avg_logprob == -0.2


async def test_the_final_of_a_settled_utterance_costs_no_second_decoding() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears) as pool:
        await recognised(paced(two_utterances(), pool), pool)
        assert pool.stats().finals_reused >= 1


async def test_both_legs_are_numbered_apart_and_a_resumed_call_goes_on() -> None:
    frames = sorted(
        two_utterances(60.0) + two_utterances(61.0, party=Party.OPERATOR), key=lambda frame: frame.start_s
    )
    async with RecognitionPool(LengthTranscriber()) as pool:
        segments = await recognised(flowing(frames), pool, first_numbers={Party.CITIZEN: 8})
    assert sorted(s.segment_id for s in finals(segments)) == [
        "citizen-8",
        "citizen-9",
        "operator-1",
        "operator-2",
    ]
    assert min(s.start_s for s in segments) == pytest.approx(60.2, abs=0.05)


async def test_speech_that_was_none_is_taken_back_only_where_it_was_shown() -> None:
    async with RecognitionPool(DeafTranscriber(deaf_from_s=2.0)) as pool:
        shown = await recognised(paced(two_utterances(), pool), pool)
        unseen = await recognised(flowing(two_utterances()), pool, options=StreamOptions(with_partials=False))
    assert [(s.segment_id, bool(s.text)) for s in finals(shown)] == [
        ("citizen-1", False),
        ("citizen-2", True),
    ]
    assert [s.segment_id for s in unseen] == ["citizen-2"]


async def test_what_is_open_when_the_frames_end_is_closed_and_given() -> None:
    async with RecognitionPool(LengthTranscriber()) as pool:
        segments = await recognised(flowing(cut_into_frames(loud(1.23))), pool)
    assert [s.segment_id for s in finals(segments)] == ["citizen-1"]


async def test_time_goes_on_behind_a_gap() -> None:
    frames = two_utterances() + two_utterances(100.0)
    async with RecognitionPool(LengthTranscriber()) as pool:
        found = finals(await recognised(flowing(frames), pool))
    assert [s.segment_id for s in found] == [f"citizen-{n}" for n in range(1, 5)]
    assert found[2].start_s == pytest.approx(100.2, abs=0.05)


async def test_no_frames_no_segments() -> None:
    async with RecognitionPool(LengthTranscriber()) as pool:
        assert await recognised(flowing([]), pool) == []


async def test_a_slow_pool_holds_the_frames_back() -> None:
    ears, taken = LengthTranscriber(), 0

    async def counted() -> AsyncIterator[AudioFrame]:
        nonlocal taken
        for repeat in range(40):
            for frame in two_utterances(repeat * 6.0):
                taken += 1
                yield frame

    everything = 40 * len(two_utterances())
    async with RecognitionPool(ears, PoolOptions(workers=1)) as pool:
        ears.gate.clear()
        work = asyncio.ensure_future(
            recognised(counted(), pool, options=StreamOptions(finals_in_flight=3, with_partials=False))
        )
        seen = -1
        while seen != taken:  # until nothing moves any more
            seen = taken
            await asyncio.sleep(0.05)
        assert taken < everything / 10
        assert pool.stats().queued_finals <= 3
        ears.gate.set()
        assert len(finals(await work)) == 80
    assert taken == everything


async def test_giving_up_early_leaves_nothing_behind() -> None:
    async with RecognitionPool(LengthTranscriber()) as pool:
        before = asyncio.all_tasks()
        segments = recognise_call(flowing(two_utterances()), pool=pool, detector=LoudnessDetector())
        async with aclosing(segments):
            async for _ in segments:
                break
        assert asyncio.all_tasks() == before
        assert pool.stats().queued_partials == 0


async def test_a_cancelled_reader_leaves_nothing_behind() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears) as pool:
        ears.gate.clear()
        before = asyncio.all_tasks()
        reader = asyncio.ensure_future(recognised(flowing(two_utterances()), pool))
        await until(lambda: bool(ears.batches))
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        ears.gate.set()
        await until(lambda: asyncio.all_tasks() == before)  # the batch under way still ends


async def test_a_final_that_the_engine_fails_on_keeps_its_last_partial_marked_and_the_call_goes_on() -> None:
    ears = LengthTranscriber(fail=lambda clip: 2.0 < len(clip) / SAMPLE_RATE_HZ < 3.0)
    async with RecognitionPool(ears) as pool:
        found = finals(await recognised(paced(two_utterances(), pool), pool))
        assert pool.stats().failed >= 1
    assert [(s.segment_id, s.is_unclear) for s in found] == [("citizen-1", True), ("citizen-2", False)]
    assert found[0].text.startswith("有1.")
    assert found[0].end_s == pytest.approx(2.8, abs=0.05)


async def test_a_final_that_the_engine_fails_on_leaves_nothing_where_nothing_was_shown() -> None:
    async with RecognitionPool(LengthTranscriber(fail=lambda clip: True)) as pool:
        assert await recognised(flowing(two_utterances()), pool) == []
        assert pool.stats().failed >= 2


async def test_a_stopped_pool_ends_the_call() -> None:
    pool = RecognitionPool(LengthTranscriber())
    async with pool:
        pass
    with pytest.raises(AsrError) as caught:
        await recognised(flowing(two_utterances()), pool)
    assert caught.value.code == "asr.stopped"


async def test_what_breaks_the_frames_reaches_the_calls_edge_after_what_came_before() -> None:
    async def breaking() -> AsyncIterator[AudioFrame]:
        for frame in two_utterances():
            yield frame
        raise BadAudio("The line broke.", code="asr.file_unreadable")

    async with RecognitionPool(LengthTranscriber()) as pool:
        with pytest.raises(BadAudio, match="The line broke"):
            await recognised(breaking(), pool)


async def test_a_recording_streams_as_a_call_does() -> None:
    async def frames() -> AsyncIterator[AudioFrame]:
        for frame in read_file(SPEECH, call_id="C1"):
            yield frame

    async with RecognitionPool(LengthTranscriber()) as pool:
        segments = await recognised(frames(), pool)
    assert {s.party for s in segments} <= {Party.CITIZEN, Party.OPERATOR}
    assert all(s.end_s <= 12.4 + 512 / SAMPLE_RATE_HZ for s in segments)
