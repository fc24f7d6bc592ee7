"""The basket: nothing lost, nothing twice, the oldest never left behind, batches of similar length."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.batch.basket import Basket, BasketOptions
from asr.types import SAMPLE_RATE_HZ
from tests.asr_parts import utterance


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(5, 120), min_size=1, max_size=60),
    max_batch=st.integers(1, 8),
    max_batch_s=st.floats(1.0, 40.0),
)
def test_each_comes_out_once_with_the_oldest_in_the_next_batch(
    lengths: list[int], max_batch: int, max_batch_s: float
) -> None:
    options = BasketOptions(max_batch=max_batch, max_batch_s=max_batch_s, held_s=10_000)
    basket = Basket(options)
    for number, length in enumerate(lengths):
        basket.add(utterance(length / 10, number=number))
    given_out: list[int] = []
    waiting = list(range(len(lengths)))
    while batch := basket.take():
        numbers = [one.number for one in batch]
        assert waiting[0] in numbers
        assert len(batch) <= max_batch
        if len(batch) > 1:
            assert max(one.end_s for one in batch) * len(batch) <= max_batch_s + 1e-6
        waiting = [number for number in waiting if number not in numbers]
        given_out += numbers
    assert sorted(given_out) == list(range(len(lengths)))
    assert (len(basket), basket.held_s) == (0, 0.0)


def test_those_nearest_in_length_go_together() -> None:
    basket = Basket(BasketOptions(max_batch=3, step_s=5.0))
    for number, seconds in enumerate((4.0, 11.0, 3.8, 0.6, 4.3, 10.5)):
        basket.add(utterance(seconds, number=number))
    assert [one.number for one in basket.take()] == [0, 2, 4]
    assert [one.number for one in basket.take()] == [1, 5]
    assert [one.number for one in basket.take()] == [3]


def test_what_is_decoded_together_is_of_one_length_whatever_else_waits() -> None:
    alone, crowded = Basket(BasketOptions(step_s=0.5)), Basket(BasketOptions(step_s=0.5))
    alone.add(utterance(3.7, number=0))
    for number, seconds in enumerate((3.7, 3.4, 3.6, 4.0, 4.1, 9.0)):
        crowded.add(utterance(seconds, number=number))
    batch = crowded.take()
    assert [one.number for one in batch] == [0, 2, 3]
    assert {len(one.samples) for one in [*batch, *alone.take()]} == {4 * SAMPLE_RATE_HZ}
    assert [one.end_s - one.start_s for one in batch] == pytest.approx([3.7, 3.6, 4.0])


def test_it_is_full_by_seconds_of_sound() -> None:
    basket = Basket(BasketOptions(max_batch_s=10, held_s=10, choice=5))
    basket.add(utterance(6.0))
    assert not basket.is_full
    assert not basket.has_choice
    basket.add(utterance(6.0))
    assert basket.is_full
    assert basket.has_choice


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="max_batch"):
        BasketOptions(max_batch=0)
    with pytest.raises(ValueError, match="held_s"):
        BasketOptions(max_batch_s=20, held_s=10)
