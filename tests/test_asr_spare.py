"""Recordings are heard in the time that live calls leave, each owner in turn."""

import asyncio

import pytest

from asr.pool_options import PoolOptions
from asr.spare import Errand, SpareLane
from asr.types import AsrError, Hypothesis, Utterance
from asr.worker import RecognitionPool
from tests.asr_parts import LengthTranscriber, until, utterance


def spoken(*seconds: float, owner: str = "R1") -> list[Utterance]:
    return [utterance(each, call_id=owner, number=number) for number, each in enumerate(seconds, 1)]


def errand(*seconds: float, owner: str = "R1", is_awaited: bool = False) -> Errand[str]:
    utterances = spoken(*seconds, owner=owner)
    return Errand(owner=owner, utterances=utterances, ticket=owner, beam_size=1, is_awaited=is_awaited)


def taken(lane: SpareLane[str], max_s: float | None = None) -> list[tuple[str, list[float]]]:
    parts = []
    while (part := lane.take(max_s)) is not None:
        parts.append((part.errand.owner, [one.end_s for one in part.utterances]))
    return parts


def test_owners_take_turns_and_those_whom_somebody_waits_for_go_first() -> None:
    lane: SpareLane[str] = SpareLane()
    for seconds in (1.0, 2.0, 3.0):
        lane.add(errand(seconds, owner="A"))
    lane.add(errand(4.0, owner="B"))
    lane.add(errand(5.0, owner="C", is_awaited=True))
    assert len(lane) == 5
    assert [owner for owner, _ in taken(lane)] == ["C", "A", "B", "A", "A"]
    assert len(lane) == 0


def test_an_errand_is_given_in_parts_where_there_is_little_time() -> None:
    lane: SpareLane[str] = SpareLane()
    lane.add(errand(4.0, 4.0, 4.0, 20.0, 3.0, owner="A"))
    lane.add(errand(2.0, owner="B"))
    assert taken(lane, 14.0) == [("A", [4.0, 4.0, 4.0]), ("B", [2.0]), ("A", [20.0]), ("A", [3.0])]
    lane.add(errand(4.0, 4.0, 4.0, 20.0))
    assert taken(lane) == [("R1", [4.0, 4.0, 4.0, 20.0])]


def test_who_no_longer_waits_is_forgotten() -> None:
    lane: SpareLane[str] = SpareLane()
    gone, kept = errand(1.0, owner="A"), errand(2.0, owner="A")
    lane.add(gone)
    lane.add(kept)
    lane.drop(gone)
    lane.drop(gone)
    assert taken(lane) == [("A", [2.0])]


async def test_without_calls_recordings_have_all_threads_and_their_own_batches() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=2, recorded_s=1.0)) as pool:
        ears.gate.clear()
        asked = [
            asyncio.ensure_future(
                pool.recorded.transcribe(spoken(3.0, 2.0, 4.0, owner=owner), owner=owner, beam_size=3)
            )
            for owner in ("A", "B", "C")
        ]
        await until(lambda: len(ears.batches) == 2)
        assert pool.stats().queued_recorded == 3
        ears.gate.set()
        for heard in await asyncio.gather(*asked):
            assert [one.text for one in heard] == ["有3.000秒", "有2.000秒", "有4.000秒"]
        assert (pool.stats().recorded_s, pool.stats().load, pool.stats().decoded_s) == (27.0, 0.0, 0.0)
    assert ears.batches == [[3.0, 2.0, 4.0]] * 3
    assert ears.beams == [3, 3, 3]


async def test_beside_a_call_recordings_have_one_thread_and_short_batches() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=2, recorded_s=6.0)) as pool:
        pool.admit("C1")
        ears.gate.clear()
        recorded = asyncio.ensure_future(
            pool.recorded.transcribe(spoken(3.0, 2.0, 4.0), owner="A", beam_size=1)
        )
        await until(lambda: len(ears.batches) == 1)
        final = asyncio.ensure_future(pool.recognise(utterance(1.0)))
        await until(lambda: len(ears.batches) == 2)
        ears.gate.set()
        assert (await final).text == "有1.000秒"
        assert [one.text for one in await recorded] == ["有3.000秒", "有2.000秒", "有4.000秒"]
    assert ears.batches == [[3.0, 2.0], [1.0], [4.0]]


async def test_whatever_a_call_needs_goes_before_what_was_recorded() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=1)) as pool:
        pool.admit("C1")
        ears.gate.clear()
        first = asyncio.ensure_future(pool.recognise(utterance(9.0)))
        await until(lambda: len(ears.batches) == 1)
        recorded = asyncio.ensure_future(pool.recorded.transcribe(spoken(5.0), owner="A", beam_size=1))
        await asyncio.sleep(0)
        partial = pool.offer(utterance(1.0, call_id="C2", is_closed=False))
        final = asyncio.ensure_future(pool.recognise(utterance(2.0, number=2)))
        assert partial is not None
        await asyncio.sleep(0.02)
        ears.gate.set()
        await asyncio.gather(first, final, partial, recorded)
    assert ears.batches == [[9.0], [2.0], [1.0], [5.0]]


async def test_a_failure_hits_only_the_errand_it_was_about() -> None:
    ears = LengthTranscriber(fail=lambda clip: len(clip) == 32_000)
    async with RecognitionPool(ears, PoolOptions(workers=1)) as pool:
        bad, good = await asyncio.gather(
            pool.recorded.transcribe(spoken(1.0, 2.0), owner="A", beam_size=1),
            pool.recorded.transcribe(spoken(1.5), owner="B", beam_size=1),
            return_exceptions=True,
        )
        assert isinstance(bad, RuntimeError)
        assert isinstance(good, list)
        assert isinstance(good[0], Hypothesis)
        assert await pool.recorded.transcribe([], owner="A", beam_size=1) == []


async def test_stopping_and_leaving_end_the_wait() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=1)) as pool:
        ears.gate.clear()
        running = asyncio.ensure_future(pool.recorded.transcribe(spoken(1.0), owner="A", beam_size=1))
        await until(lambda: len(ears.batches) == 1)
        gone = asyncio.ensure_future(pool.recorded.transcribe(spoken(2.0), owner="A", beam_size=1))
        late = asyncio.ensure_future(pool.recorded.transcribe(spoken(3.0), owner="B", beam_size=1))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        stopping = asyncio.ensure_future(pool.stop())
        await asyncio.sleep(0)
        ears.gate.set()
        await stopping
    assert (await running)[0].text == "有1.000秒"
    with pytest.raises(asyncio.CancelledError):
        await gone
    for refused in (late, pool.recorded.transcribe(spoken(1.0), owner="A", beam_size=1)):
        with pytest.raises(AsrError) as caught:
            await refused
        assert caught.value.code == "asr.stopped"
    assert ears.batches == [[1.0]]
