"""Many calls share the threads: what is decoded when, what is dropped, and what never is."""

import asyncio

import pytest

from asr.backlog import Backlog, BatchOptions, Job
from asr.pool_options import Limits, PoolOptions
from asr.types import AsrError, EarsFull, Hypothesis, Party, Utterance
from asr.worker import RecognitionPool
from tests.asr_parts import LengthTranscriber, until, utterance


def job(spoken: Utterance, came_at: float = 0.0) -> Job[str]:
    return Job(utterance=spoken, ticket=f"{spoken.call_id} {spoken.segment_id}", came_at=came_at)


def backlog(**options: float) -> Backlog[str]:
    return Backlog(BatchOptions(**options))  # type: ignore[arg-type]


def tickets(jobs: list[Job[str]]) -> list[str]:
    return [one.ticket for one in jobs]


def take(waiting: Backlog[str], now: float = 10.0, *, stretch: float = 1.0) -> list[str]:
    return tickets(waiting.take(now, stretch=stretch, with_grown=True))


def test_finals_go_before_partials_and_in_order() -> None:
    waiting = backlog()
    waiting.put_open(job(utterance(2.0, call_id="A", is_closed=False)))
    waiting.add_final(job(utterance(2.0, call_id="B")))
    waiting.add_final(job(utterance(2.0, call_id="C")))
    assert take(waiting) == ["B citizen-1", "C citizen-1"]
    assert take(waiting) == ["A citizen-1"]
    assert take(waiting) == []


def test_a_batch_holds_utterances_of_similar_length_and_the_oldest_always() -> None:
    waiting = backlog()
    for call_id, seconds in [("A", 7.0), ("B", 1.0), ("C", 6.0), ("D", 1.5)]:
        waiting.add_final(job(utterance(seconds, call_id=call_id)))
    assert take(waiting) == ["A citizen-1", "C citizen-1"]
    assert take(waiting) == ["B citizen-1", "D citizen-1"]


def test_a_batch_is_bounded_in_number_and_in_sound() -> None:
    many, long = backlog(max_batch=3), backlog(max_batch_s=25.0)
    for number in range(5):
        many.add_final(job(utterance(1.0, number=number)))
        long.add_final(job(utterance(10.0, number=number)))
    assert len(take(many)) == 3
    assert len(take(long)) == 2


def test_a_final_waits_a_moment_for_company() -> None:
    waiting = backlog(gather_s=0.01, max_batch=2)
    waiting.add_final(job(utterance(), came_at=5.0))
    assert take(waiting, now=5.005) == []
    assert waiting.next_at(stretch=1.0, with_grown=True) == pytest.approx(5.01)
    waiting.add_final(job(utterance(call_id="B"), came_at=5.006))
    assert len(take(waiting, now=5.007)) == 2


def test_the_newest_open_utterance_of_a_leg_replaces_the_older() -> None:
    waiting = backlog()
    older, newer = (job(utterance(seconds, is_closed=False)) for seconds in (1.0, 2.0))
    other_leg = job(utterance(1.5, party=Party.OPERATOR, is_closed=False))
    assert waiting.put_open(older) is None
    assert waiting.put_open(other_leg) is None
    assert waiting.put_open(newer) is older
    assert {one.seconds for one in waiting.take(10.0, stretch=1.0, with_grown=True)} == {1.5, 2.0}


def test_a_final_makes_its_partial_needless_but_not_the_next_ones() -> None:
    waiting = backlog()
    stale = job(utterance(1.0, number=3, is_closed=False))
    waiting.put_open(stale)
    assert waiting.add_final(job(utterance(2.0, number=3))) is stale
    waiting.put_open(job(utterance(1.0, number=5, is_closed=False)))
    assert waiting.add_final(job(utterance(2.0, number=4))) is None


def test_partials_keep_their_cadence_and_stretch_it_under_load() -> None:
    waiting = backlog(partial_every_s=1.0)
    waiting.put_open(job(utterance(4.2, is_closed=False), came_at=10.0))
    assert len(take(waiting, now=10.0)) == 1
    waiting.put_open(job(utterance(5.0, is_closed=False), came_at=10.5))
    assert take(waiting, now=10.9) == []
    assert waiting.next_at(stretch=1.0, with_grown=True) == pytest.approx(11.0)
    assert waiting.next_at(stretch=3.0, with_grown=True) == pytest.approx(13.0)
    assert take(waiting, now=11.1, stretch=3.0) == []
    assert len(take(waiting, now=11.1, stretch=1.0)) == 1


def test_the_leg_served_longest_ago_comes_first() -> None:
    waiting = backlog(max_batch=1, partial_every_s=0.1)
    for round_ in range(3):
        now = 10.0 + round_
        for call_id in ("A", "B", "C"):
            waiting.put_open(job(utterance(1.0, call_id=call_id, is_closed=False), came_at=now))
        served = [take(waiting, now=now + 0.01 * turn)[0][0] for turn in range(3)]
        assert served == ["A", "B", "C"]


def test_where_grown_partials_have_no_thread_the_others_still_go() -> None:
    waiting = backlog(partial_every_s=0.0)
    waiting.put_open(job(utterance(2.0, call_id="A", is_closed=False)))
    assert take(waiting) == ["A citizen-1"]
    waiting.put_open(job(utterance(3.0, call_id="A", is_closed=False)))
    assert waiting.take(10.0, stretch=1.0, with_grown=False) == []
    assert waiting.next_at(stretch=1.0, with_grown=False) is None
    waiting.put_open(job(utterance(3.0, call_id="B", is_closed=False, is_settled=True)))
    waiting.put_open(job(utterance(1.0, call_id="C", is_closed=False)))
    assert tickets(waiting.take(10.0, stretch=1.0, with_grown=False)) == ["B citizen-1"]
    assert tickets(waiting.take(10.0, stretch=1.0, with_grown=False)) == ["C citizen-1"]
    assert take(waiting) == ["A citizen-1"]


def test_a_pause_goes_before_a_first_guess_and_that_before_what_has_grown() -> None:
    waiting = backlog(max_batch=1, partial_every_s=0.0)
    waiting.put_open(job(utterance(2.0, call_id="A", is_closed=False)))
    take(waiting)
    waiting.put_open(job(utterance(3.0, call_id="A", is_closed=False), came_at=1.0))
    waiting.put_open(job(utterance(1.0, call_id="B", is_closed=False), came_at=2.0))
    waiting.put_open(job(utterance(4.0, call_id="C", is_closed=False, is_settled=True), came_at=3.0))
    assert [take(waiting) for _ in range(3)] == [["C citizen-1"], ["B citizen-1"], ["A citizen-1"]]


@pytest.mark.parametrize(("stretch", "follows"), [(2.0, True), (8.0, False)])
def test_after_a_guess_at_very_little_sound_another_soon_follows_if_there_is_time(
    stretch: float, follows: bool
) -> None:
    waiting = backlog(first_until_s=1.2, partial_every_s=1.0, second_guess_stretch=3.0)
    waiting.put_open(job(utterance(0.8, is_closed=False), came_at=10.0))
    assert take(waiting, now=10.0, stretch=stretch)
    waiting.put_open(job(utterance(1.6, is_closed=False), came_at=10.5))
    assert bool(take(waiting, now=10.5, stretch=stretch)) is follows
    waiting.put_open(job(utterance(2.4, is_closed=False), came_at=10.6))
    assert take(waiting, now=10.6, stretch=stretch) == []


def next_partial_at(seconds: float, *, stretch: float, **options: float) -> float | None:
    """Say when an utterance is due again of which a partial was taken at 10.0."""
    waiting = backlog(partial_every_s=1.0, **options)
    waiting.put_open(job(utterance(seconds, is_closed=False), came_at=10.0))
    take(waiting, now=10.0)
    waiting.put_open(job(utterance(seconds, is_closed=False), came_at=10.1))
    return waiting.next_at(stretch=stretch, with_grown=True)


def test_under_load_long_partials_wait_longest() -> None:
    assert next_partial_at(2.0, stretch=6.0, costly_s=4.0) == pytest.approx(13.0)
    assert next_partial_at(8.0, stretch=6.0, costly_s=4.0) == pytest.approx(16.0)


def test_long_partials_come_more_seldom_even_when_there_is_nothing_else_to_do() -> None:
    assert next_partial_at(5.0, stretch=1.0, slow_from_s=5.0) == pytest.approx(11.0)
    assert next_partial_at(8.0, stretch=1.0, slow_from_s=5.0) == pytest.approx(11.6)


def test_finals_are_thorough_where_there_is_time_and_quick_where_there_is_none() -> None:
    options = PoolOptions(
        easy_load=0.4, full_load=0.7, batches=BatchOptions(final_beam=5, busy_beam=2, long_s=7.0)
    )
    assert [options.final_beam(load, 3.0) for load in (0.0, 0.4, 0.5, 0.9)] == [5, 5, 2, 1]
    assert options.final_beam(0.0, 9.0) == 2
    assert PoolOptions(batches=BatchOptions(final_beam=5)).final_beam(1.0, 20.0) == 5
    assert [options.stretch(load) for load in (0.0, 0.4, 0.7, 1.0)] == [1.0, 1.0, 12.0, 12.0]
    assert [options.final_beam(load, 3.0, widest=8) for load in (0.0, 0.5, 0.9)] == [8, 2, 1]
    assert [options.final_beam(load, 3.0, widest=1) for load in (0.0, 0.5, 0.9)] == [1, 1, 1]


@pytest.fixture
def engine_fails_on_two_seconds() -> LengthTranscriber:
    return LengthTranscriber(fail=lambda clip: len(clip) == 32_000)


async def test_every_final_gets_its_own_text_and_similar_ones_go_together() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=1)) as pool:
        spoken = [utterance(1.0 + n / 10, call_id=f"C{n}") for n in range(6)]
        heard = await asyncio.gather(*(pool.recognise(one) for one in spoken))
        assert [one.text for one in heard] == [f"有{1 + n / 10:.3f}秒" for n in range(6)]
        stats = pool.stats()
    assert (stats.finals, stats.queued_finals, stats.batches) == (6, 0, 2)
    assert stats.mean_batch == 3.0


async def test_limits_may_change_while_calls_run() -> None:
    ears = LengthTranscriber()
    limits = Limits(max_calls=1, final_beam=5)
    async with RecognitionPool(ears, PoolOptions(workers=1, max_calls=9), limits=lambda: limits) as pool:
        pool.admit("C1")
        with pytest.raises(EarsFull):
            pool.admit("C2")
        await pool.recognise(utterance(1.0))
        limits = Limits(max_calls=2, final_beam=3)
        pool.admit("C2")
        await pool.recognise(utterance(1.0, number=2))
        limits = Limits(max_calls=1, final_beam=3)
        assert not pool.has_room
        pool.admit("C1")  # who is in stays in
    assert ears.beams == [5, 3]


async def test_partials_give_way_and_are_told_that_they_were_dropped() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=1)) as pool:
        ears.gate.clear()
        running = asyncio.ensure_future(pool.recognise(utterance(5.0, call_id="other")))
        await until(lambda: len(ears.batches) == 1)
        first = pool.offer(utterance(1.0, is_closed=False))
        second = pool.offer(utterance(1.8, is_closed=False))
        final = asyncio.ensure_future(pool.recognise(utterance(2.4)))
        assert first is not None
        assert second is not None
        assert await first is None
        assert await second is None
        assert pool.lag_s("C1") >= 0.0
        assert pool.stats().queued_finals == 1
        ears.gate.set()
        assert (await final).text == "有2.400秒"
        await running
        assert pool.stats().partials_dropped == 2
    assert ears.batches == [[5.0], [2.4]]


async def test_a_final_whose_sound_is_known_is_not_decoded_twice() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=2)) as pool:
        ears.gate.clear()
        partial = pool.offer(utterance(1.5, is_closed=False, is_settled=True))
        await until(lambda: len(ears.batches) == 1)
        final = asyncio.ensure_future(pool.recognise(utterance(1.5)))
        await asyncio.sleep(0)
        assert pool.lag_s("C1") >= 0.0
        ears.gate.set()
        assert (await final).text == "有1.500秒"
        assert partial is not None
        assert (await partial) == await final
        assert pool.stats().finals_reused == 1
        # other sound, other number: decoded anew
        assert (await pool.recognise(utterance(1.7, number=2))).text == "有1.700秒"
    assert ears.batches == [[1.5], [1.7]]
    assert ears.beams == [5, 5]


async def test_a_guess_at_a_short_pause_is_taken_when_idle_and_spares_the_rest() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=1)) as pool:
        guess = pool.offer(utterance(1.5, is_closed=False, is_settled=True, is_guess=True, pause_s=0.1))
        assert guess is not None
        # the same speech with a longer pause behind it, twice: nothing more to do
        assert pool.offer(utterance(1.6, is_closed=False, is_settled=True, pause_s=0.2)) is None
        assert (await pool.recognise(utterance(1.6, pause_s=0.2))).text == "有1.500秒"
        ears.gate.clear()
        running = asyncio.ensure_future(pool.recognise(utterance(5.0, call_id="other")))
        await until(lambda: len(ears.batches) == 2)
        busy = pool.offer(utterance(2.0, number=2, is_closed=False, is_settled=True, is_guess=True))
        assert busy is None
        ears.gate.set()
        await running
    assert ears.batches == [[1.5], [5.0]]


async def test_an_engine_failure_hits_only_the_utterance_it_was_about(
    engine_fails_on_two_seconds: LengthTranscriber,
) -> None:
    async with RecognitionPool(engine_fails_on_two_seconds, PoolOptions(workers=1)) as pool:
        good, bad = await asyncio.gather(
            pool.recognise(utterance(1.5)),
            pool.recognise(utterance(2.0, call_id="C2")),
            return_exceptions=True,
        )
        assert isinstance(good, Hypothesis)
        assert isinstance(bad, AsrError)
        assert (bad.code, bad.recoverable) == ("asr.recognition_failed", True)
        assert (await pool.recognise(utterance(1.0, number=2))).text == "有1.000秒"
        assert pool.stats().failed == 1


async def test_past_the_limit_calls_are_refused_and_finals_still_taken() -> None:
    async with RecognitionPool(LengthTranscriber(), PoolOptions(max_calls=2)) as pool:
        pool.admit("A")
        pool.admit("B")
        pool.admit("B")
        assert not pool.has_room
        with pytest.raises(EarsFull) as caught:
            pool.admit("C")
        assert (caught.value.code, caught.value.recoverable) == ("asr.full", True)
        assert (await pool.recognise(utterance(1.0, call_id="A"))).text
        pool.release("A")
        pool.admit("C")


async def test_calls_are_refused_while_finals_are_late() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=1, refuse_lag_s=0.02)) as pool:
        ears.gate.clear()
        finals = [asyncio.ensure_future(pool.recognise(utterance(9.0, number=n))) for n in range(9)]
        await until(lambda: not pool.has_room)
        with pytest.raises(EarsFull):
            pool.admit("A")
        ears.gate.set()
        await asyncio.gather(*finals)
        pool.admit("A")


async def test_stopping_finishes_the_finals_and_takes_nothing_new() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=1)) as pool:
        finals = [asyncio.ensure_future(pool.recognise(utterance(9.0, number=n))) for n in range(7)]
        await asyncio.sleep(0)
        partial = pool.offer(utterance(1.0, number=9, call_id="B", is_closed=False))
        assert partial is not None
    assert len(await asyncio.gather(*finals)) == 7
    assert await partial is None
    assert pool.offer(utterance(1.0, is_closed=False)) is None
    with pytest.raises(AsrError) as caught:
        await pool.recognise(utterance())
    assert caught.value.code == "asr.stopped"


async def test_whoever_stops_waiting_is_not_decoded_for() -> None:
    ears = LengthTranscriber()
    async with RecognitionPool(ears, PoolOptions(workers=1)) as pool:
        ears.gate.clear()
        first = asyncio.ensure_future(pool.recognise(utterance(1.0)))
        await until(lambda: len(ears.batches) == 1)
        gone = asyncio.ensure_future(pool.recognise(utterance(2.0, call_id="B")))
        await asyncio.sleep(0)
        gone.cancel()
        ears.gate.set()
        await first
        with pytest.raises(asyncio.CancelledError):
            await gone
    assert ears.batches == [[1.0]]
