"""Ears on other machines come, go, fall silent and are slow; every batch is answered, and once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from asr.decoder import Batch, ThreadDecoder
from asr.pool_options import PoolOptions
from asr.remote.decoder import RemoteDecoder
from asr.remote.ear import Turns
from asr.remote.roster import Roster
from asr.remote.types import (
    Answered,
    Beat,
    Came,
    Card,
    Decode,
    Failed,
    FromLink,
    Gone,
    Holding,
    Linked,
    Pulse,
    RemoteOptions,
    Silent,
    ToLink,
    Trouble,
)
from asr.types import AsrError, EarsFull, Hypothesis
from asr.worker import RecognitionPool
from scripts.ears_cli import Share, shared_out
from tests.asr_parts import LengthTranscriber, until, utterance


def card(machine: str = "a", *, workers: int = 1, calls: int = 8, fingerprint: str = "ours") -> Card:
    return Card(
        machine=machine,
        pid=1,
        fingerprint=fingerprint,
        engine="scripted",
        device="cpu",
        workers=workers,
        calls=calls,
        zhiting="0",
        python="3",
        began_at=0.0,
    )


def pulse(*, pending: int = 0, others_calls: int = 0, is_leaving: bool = False) -> Pulse:
    return Pulse(busy=0.0, pending=pending, batches=0, others_calls=others_calls, is_leaving=is_leaving)


@dataclass
class ScriptedLink:
    """Ray as a test plays it."""

    given: list[Decode] = field(default_factory=list)
    calls: int = 0

    def open(self, hear: Callable[[FromLink], None]) -> None:
        self.hear = hear
        hear(Linked(ray="0"))

    def send(self, message: ToLink) -> None:
        if isinstance(message, Holding):
            self.calls = message.calls
        else:
            self.given.append(message)

    async def close(self) -> None:
        pass

    def come(self, *names: str, workers: int = 1, calls: int = 8, fingerprint: str = "ours") -> None:
        for name in names:
            machine = name.split("/")[1]
            self.hear(
                Came(ear=name, card=card(machine, workers=workers, calls=calls, fingerprint=fingerprint))
            )

    def answer(self, given: Decode, text: str = "好") -> None:
        found = [Hypothesis(text=text, avg_logprob=-0.2, no_speech_prob=0.1) for _ in given.batch.clips]
        self.hear(Answered(attempt=given.attempt, found=found))


A, B, C = "ear1/a/1/x", "ear1/b/1/x", "ear1/c/1/x"
PATIENT = RemoteOptions(address="", fingerprint="ours", again_after_s=600, lost_after_s=600, stop_wait_s=0.01)
HASTY = RemoteOptions(address="", fingerprint="ours", again_after_s=0.001, lost_after_s=600, stop_wait_s=0.01)


@asynccontextmanager
async def listening(
    options: RemoteOptions = PATIENT, home: ThreadDecoder | None = None
) -> AsyncIterator[tuple[RecognitionPool, ScriptedLink, RemoteDecoder]]:
    link = ScriptedLink()
    decoder = RemoteDecoder(link, options, home=home)
    async with RecognitionPool(decoder, PoolOptions(max_calls=100)) as pool:
        yield pool, link, decoder


def final(pool: RecognitionPool, seconds: float = 0.1, number: int = 1) -> "asyncio.Task[Hypothesis]":
    return asyncio.ensure_future(pool.recognise(utterance(seconds, number=number, call_id=f"C{number}")))


async def test_each_batch_goes_to_the_ear_with_the_least_to_do() -> None:
    roster = Roster("ours")
    roster.come(A, card("a", workers=2))
    roster.come(B, card("b", workers=2))
    roster.beat(A, pulse(pending=1))
    first = roster.pick(0.0)
    assert first is not None
    assert first.name == B
    for attempt in (1, 2):
        roster.begin(first, attempt)
    second = roster.pick(0.0)
    assert second is not None
    assert (second.name, roster.places) == (A, 4)
    roster.begin(second, 3)
    roster.begin(second, 4)
    assert roster.pick(0.0) is None
    roster.end(B, 1, 0.0)
    assert roster.pick(0.0) is first


async def test_an_ear_whose_engine_fails_again_and_again_is_asked_last() -> None:
    roster = Roster("ours")
    roster.come(A, card("a"))
    roster.come(B, card("b"))
    for attempt in range(3):
        roster.end(A, attempt, 0.0, has_failed=True)
    assert [one.name for one in (roster.pick(1.0), roster.pick(100.0)) if one] == [B, A]


async def test_what_a_dead_ear_had_in_hand_is_decoded_by_another_and_heard_once() -> None:
    async with listening() as (pool, link, decoder):
        link.come(A, B)
        hearing = final(pool)
        await until(lambda: len(link.given) == 1)
        first = link.given[0]
        link.hear(Gone(ear=first.ear))
        await until(lambda: len(link.given) == 2)
        assert {one.ear for one in link.given} == {A, B}
        link.answer(first, "迟到的")
        assert not hearing.done()
        link.answer(link.given[1], "好")
        link.answer(link.given[1], "又来")
        assert (await hearing).text == "好"
        figures = decoder.figures()
        assert (figures.lost, figures.redone, pool.stats().finals, pool.places) == (1, 1, 1, 1)


async def test_a_silent_ear_gets_nothing_until_it_shows_life() -> None:
    async with listening() as (pool, link, decoder):
        link.come(A, B)
        hearing = final(pool)
        await until(lambda: len(link.given) == 1)
        silent = link.given[0].ear
        link.hear(Silent(ear=silent))
        link.hear(Silent(ear=silent))
        await until(lambda: len(link.given) == 2)
        assert link.given[1].ear != silent
        assert pool.places == 1
        assert {one.state for one in decoder.figures().ears} == {"ready", "silent"}
        assert decoder.figures().lost == 1
        link.answer(link.given[1])
        await hearing
        link.hear(Beat(ear=silent, pulse=pulse()))
        assert pool.places == 2


async def test_a_slow_batch_is_given_to_an_idle_ear_too_and_the_first_is_heard() -> None:
    async with listening(HASTY) as (pool, link, decoder):
        link.come(A)
        hearing = final(pool)
        await until(lambda: len(link.given) == 1)
        link.come(B)
        await until(lambda: len(link.given) == 2)
        link.answer(link.given[1], "第二个")
        assert (await hearing).text == "第二个"
        link.answer(link.given[0], "第一个")
        assert (decoder.figures().doubled, pool.stats().finals) == (1, 1)


async def test_an_ear_that_never_answers_is_not_waited_for() -> None:
    options = RemoteOptions(
        address="", fingerprint="ours", again_after_s=600, lost_after_s=0.001, stop_wait_s=0.01
    )
    async with listening(options) as (pool, link, _):
        link.come(A)
        hearing = final(pool, seconds=0.001)
        await until(lambda: len(link.given) >= 1)
        link.come(B)
        await until(lambda: any(one.ear == B for one in link.given))
        while not hearing.done():
            link.answer(link.given[-1])
            await asyncio.sleep(0)
        assert (await hearing).text == "好"


async def test_without_ears_finals_wait_and_no_call_is_taken() -> None:
    async with listening() as (pool, link, decoder):
        assert not pool.has_room
        with pytest.raises(EarsFull):
            pool.admit("C9")
        hearing = final(pool)
        link.come(A)
        await until(lambda: len(link.given) == 1)
        assert pool.has_room
        link.hear(Gone(ear=A))
        await until(lambda: decoder.deaf_s > 0)
        assert not hearing.done()
        link.come(B)
        await until(lambda: len(link.given) == 2)
        link.answer(link.given[1])
        assert (await hearing).text == "好"
        assert decoder.deaf_s == 0


async def test_where_the_link_breaks_everything_in_hand_is_done_again() -> None:
    async with listening() as (pool, link, decoder):
        link.come(A, B)
        hearings = [final(pool, 0.1, 1), final(pool, 9.0, 2)]
        await until(lambda: len(link.given) == 2)
        link.hear(Trouble(message="weg"))
        assert (decoder.figures().is_linked, decoder.figures().trouble) == (False, "weg")
        link.hear(Linked(ray="0"))
        link.come(C, workers=2)
        await until(lambda: len(link.given) == 4)
        for given in link.given[2:]:
            link.answer(given)
        assert [one.text for one in await asyncio.gather(*hearings)] == ["好", "好"]


async def test_a_machine_that_was_lost_over_a_batch_is_asked_last() -> None:
    async with listening() as (pool, link, _):
        link.come("ear1/a/1/x", "ear1/a/2/x", B)
        hearing = final(pool)
        await until(lambda: len(link.given) == 1)
        assert link.given[0].ear == "ear1/a/1/x"
        link.hear(Gone(ear="ear1/a/1/x"))
        await until(lambda: len(link.given) == 2)
        assert link.given[1].ear == B
        link.answer(link.given[1])
        await hearing


async def test_an_utterance_over_which_ear_after_ear_dies_is_given_up() -> None:
    async with listening() as (pool, link, _):
        hearing = final(pool)
        for number in range(PATIENT.most_losses * 2):
            link.come(f"ear1/a/1/{number}")
            await until(lambda so_far=number: len(link.given) > so_far or hearing.done())  # type: ignore[misc]
            if hearing.done():
                break
            link.hear(Gone(ear=link.given[-1].ear))
        with pytest.raises(AsrError) as caught:
            await hearing
        assert (caught.value.code, caught.value.recoverable) == ("asr.recognition_failed", True)
        assert pool.stats().failed == 1


async def test_an_engine_that_fails_is_followed_by_another_and_then_believed() -> None:
    async with listening() as (pool, link, _):
        link.come(A, B)
        hearing = final(pool)
        await until(lambda: len(link.given) == 1)
        link.hear(Failed(attempt=link.given[0].attempt, reason="RuntimeError", is_engine=True))
        await until(lambda: len(link.given) == 2)
        link.answer(link.given[1])
        assert (await hearing).text == "好"
        hearing = final(pool, number=2)
        for number in (3, 4):
            await until(lambda so_far=number: len(link.given) >= so_far)  # type: ignore[misc]
            link.hear(Failed(attempt=link.given[-1].attempt, reason="RuntimeError", is_engine=True))
        while not hearing.done():  # the pool tries an utterance alone once more
            link.hear(Failed(attempt=link.given[-1].attempt, reason="RuntimeError", is_engine=True))
            await asyncio.sleep(0)
        with pytest.raises(AsrError) as caught:
            await hearing
        assert caught.value.code == "asr.recognition_failed"


async def test_ears_with_another_model_are_not_used() -> None:
    async with listening() as (pool, link, decoder):
        link.come(A, fingerprint="theirs")
        assert (pool.places, pool.has_room) == (0, False)
        assert [one.state for one in decoder.figures().ears] == ["other_weights"]


async def test_as_many_calls_are_taken_as_the_ears_carry_beside_other_servers() -> None:
    async with listening() as (pool, link, _):
        link.come(A, B, calls=2)
        for number in range(4):
            pool.admit(f"C{number}")
        assert not pool.has_room
        await until(lambda: link.calls == 4)
        pool.release("C0")
        assert pool.has_room
        link.hear(Beat(ear=A, pulse=pulse(others_calls=1)))
        assert not pool.has_room
        link.come(C, calls=2)
        assert pool.has_room
        link.hear(Beat(ear=C, pulse=pulse(is_leaving=True)))
        assert not pool.has_room


async def test_this_process_stands_in_while_no_ear_is_there() -> None:
    ears = LengthTranscriber()
    async with listening(home=ThreadDecoder(ears, 2, calls=3)) as (pool, link, decoder):
        assert (pool.places, decoder.is_standing_in) == (2, True)
        assert (await final(pool, 1.0)).text == "有1.000秒"
        for number in range(3):
            pool.admit(f"C{number}")
        assert not pool.has_room
        link.come(A)
        assert (pool.places, pool.has_room, decoder.is_standing_in) == (1, True, False)
        hearing = final(pool, 2.0, 2)
        await until(lambda: len(link.given) == 1)
        link.hear(Gone(ear=A))
        assert (await hearing).text == "有2.000秒"


async def test_stopping_does_not_wait_for_ears_that_do_not_come() -> None:
    async with listening() as (pool, link, _):
        link.come(A)
        hearings = [final(pool, 0.1, 1), final(pool, 9.0, 2)]
        await until(lambda: len(link.given) == 1)
        link.hear(Gone(ear=A))
    for hearing in hearings:
        with pytest.raises(AsrError):
            await hearing


async def test_at_an_ear_the_most_urgent_is_next() -> None:
    turns, served = Turns(1), []

    async def come(rank: int) -> None:
        await turns.take(rank)
        served.append(rank)
        turns.give_back()

    await turns.take(0)
    waiting = [asyncio.ensure_future(come(rank)) for rank in (9, 3, 0, 1)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    turns.give_back()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert served == [0, 1, 9]


def test_a_batch_counts_each_clip_as_long_as_the_longest() -> None:
    clips = (np.zeros(16_000, np.float32), np.zeros(32_000, np.float32))
    assert (Batch(clips=clips).seconds, Batch(clips=()).seconds) == (4.0, 0.0)


@pytest.mark.parametrize(
    ("machine", "asked", "expected"),
    [
        ({"CPU": 8.0}, {}, Share(1, 8, 0.0)),
        ({"CPU": 48.0}, {}, Share(3, 16, 0.0)),
        ({"CPU": 8.0}, {"actors": 3}, Share(3, 2, 0.0)),
        ({"CPU": 16.0, "GPU": 2.0}, {}, Share(2, 8, 1.0)),
        ({"CPU": 16.0, "GPU": 1.0}, {"gpu": 0.25}, Share(4, 4, 0.25)),
        ({"CPU": 16.0, "GPU": 1.0}, {"actors": 3}, Share(3, 5, 0.333)),
    ],
)
def test_a_machine_is_shared_out(machine: dict[str, float], asked: dict[str, float], expected: Share) -> None:
    assert shared_out(machine, "auto", **{"actors": 0, "gpu": 0.0} | asked) == expected  # type: ignore[arg-type]


def test_a_machine_that_gives_nothing_or_too_little_is_refused() -> None:
    assert shared_out({"CPU": 16.0, "GPU": 2.0}, "cpu", actors=0, gpu=0.0) == Share(1, 16, 0.0)
    with pytest.raises(AsrError):
        shared_out({"GPU": 1.0}, "auto", actors=0, gpu=0.0)
    with pytest.raises(AsrError):
        shared_out({"CPU": 2.0}, "auto", actors=3, gpu=0.0)
    with pytest.raises(AsrError):
        shared_out({"CPU": 16.0, "GPU": 1.0}, "auto", actors=3, gpu=0.5)
