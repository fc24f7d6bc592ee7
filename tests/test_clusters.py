"""Matters without a name: grouping, bursts, names, and what is kept; embedded by pairs of characters."""

import io
import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.clusters.background import Background
from insight.clusters.bursts import BurstOptions, Volume, find_burst
from insight.clusters.grams import grams
from insight.clusters.grouping import GroupingOptions
from insight.clusters.likeness import Side, Weights, log_odds
from insight.clusters.naming import name_of
from insight.clusters.neighbours import Neighbours
from insight.clusters.saving import Recall, restore, save
from insight.clusters.types import Said, Vectors
from insight.clusters.watch import ClusterOptions, ClusterWatch
from insight.types import EarlyWarning, StateRefused
from tests.cluster_parts import CRACKED, ROBED, START, USUAL, background, in_order, said, spread
from tests.retrieval_parts import PairEmbedder

DROPS = [f"柳荫里{n}号楼加装电梯补贴怎么申请" for n in range(1, 21)]


@cache
def vector_of(text: str) -> Vectors:
    return PairEmbedder().embed_query(text)


def embed(texts: Sequence[str]) -> Vectors:
    return np.array([vector_of(text) for text in texts], np.float32)


def watch(**changes: object) -> ClusterWatch:
    return ClusterWatch(embed, usual=USUAL, options=ClusterOptions(**changes))  # type: ignore[arg-type]


def follow(watched: ClusterWatch, messages: Sequence[Said]) -> list[EarlyWarning]:
    """Hear each at its time, and look."""
    told = []
    for one in messages:
        watched.hear(one)
        told += watched.advance(one.at)
    return told


def test_pieces_are_pairs_triples_words_and_numbers() -> None:
    assert grams("3幢B12楼裂了 WiFi") == {"3", "b12", "楼裂", "裂了", "楼裂了", "wifi"}
    assert grams("，。") == frozenset()


def side(text: str, day: float) -> Side:
    counts = dict.fromkeys(grams(text), 1)
    return Side(vector=embed([text])[0], counts=counts, members=1, days=(day,))


def learnt(texts: Sequence[str]) -> Background:
    known = Background(PairEmbedder().dimension)
    for text, vector in zip(texts, embed(texts), strict=True):
        known.learn(grams(text), vector)
    return known


def test_a_shared_name_speaks_for_one_matter_and_time_between_against() -> None:
    known = learnt([one.content for one in background(30)])
    a, b, c = side("翠屏雅苑墙体开裂", 0), side("翠屏雅苑地面下沉", 1), side("丽景名邸地面下沉", 1)
    near, far = log_odds(a, b, known, Weights()), log_odds(a, c, known, Weights())
    assert near > far + 2
    assert near == pytest.approx(log_odds(b, a, known, Weights()))
    assert log_odds(a, side("翠屏雅苑地面下沉", 90), known, Weights()) < near - 1


def test_common_pieces_fade_when_there_are_too_many() -> None:
    known = Background(2, most_pieces=4)
    zero = np.zeros(2, np.float32)
    for _ in range(8):
        known.learn(["扰民"], zero)
    for piece in "甲乙丙丁":
        known.learn([piece], zero)
    assert len(known.counts) <= 4
    assert known.rarity("扰民") < known.rarity("甲")


def test_neighbours_come_and_go() -> None:
    near = Neighbours(2)
    assert near.nearest(np.array([1, 0], np.float32), 3) == []
    near.add([4, 7, 9], np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32))
    assert near.nearest(np.array([1, 0], np.float32), 2) == [4, 9]
    near.remove([4, 7])
    assert near.nearest(np.array([1, 0], np.float32), 5) == [9]
    assert near.vector(9) == pytest.approx([0.6, 0.8])


def volume_of(each_day: int, days: int) -> Volume:
    volume = Volume()
    for day in range(days):
        for _ in range(each_day):
            volume.hear(START + timedelta(days=day))
    return volume


def recall(messages: Sequence[Said]) -> Recall:
    """As a database would tell them again."""
    return lambda report_ids: {one.report_id: one for one in messages if one.report_id in report_ids}


NOW = START + timedelta(days=100)


def test_what_is_new_is_a_burst_and_what_has_come_in_drops_is_none() -> None:
    volume = volume_of(20, 101)
    new = [said(f"n{n}", 98 + n / 4, "a") for n in range(6)]
    drops = [said(f"d{n}", n * 2.5, "a") for n in range(40)]
    burst = find_burst(new, volume, NOW, BurstOptions())
    assert burst is not None
    assert burst.probability < 1e-5
    assert [one.report_id for one in burst.behind] == [one.report_id for one in new]
    usual = find_burst(drops, volume, NOW, BurstOptions())
    assert usual is not None
    assert usual.expected == pytest.approx(3.6, abs=0.4)
    assert usual.probability > 0.2


def test_one_who_calls_again_and_again_is_one_caller() -> None:
    same = [said(f"s{n}", 98 + n / 10, "a", caller="she") for n in range(12)]
    assert find_burst(same, volume_of(20, 101), NOW, BurstOptions()) is None


def test_what_grows_with_the_whole_volume_is_less_of_a_burst() -> None:
    past = [said(f"p{n}", n * 5, "a") for n in range(20)]
    new = [said(f"n{n}", 99 + n / 8, "a") for n in range(7)]
    busy = volume_of(20, 101)
    for _ in range(2_000):
        busy.hear(NOW)
    calm = find_burst(past + new, volume_of(20, 101), NOW, BurstOptions())
    stormy = find_burst(past + new, busy, NOW, BurstOptions(windows_h=(24,)))
    assert calm is not None
    assert stormy is not None
    assert calm.probability < 0.01 < stormy.probability


@given(st.lists(st.floats(0, 100), max_size=30), st.randoms())
def test_the_order_in_which_messages_become_known_does_not_change_the_burst(
    days: list[float], random: object
) -> None:
    messages = [said(f"m{n}", day, "a") for n, day in enumerate(sorted(days))]
    burst = find_burst(messages, volume_of(5, 101), NOW, BurstOptions())
    later = find_burst([*messages, said("late", 101, "a")], volume_of(5, 101), NOW, BurstOptions())
    assert burst == later, "what is still to come does not count"
    if burst is not None:
        assert all(NOW - timedelta(hours=burst.window_h) < one.at <= NOW for one in burst.behind)
        assert 0 < burst.probability <= 1


def test_a_sudden_matter_is_told_of_once_and_the_slow_one_never() -> None:
    watched = watch()
    cracks = spread("cracks", CRACKED, 60, 9)
    told = follow(watched, in_order(background(90), cracks, spread("drops", DROPS, 2, 85)))
    assert len(told) == 1
    (warning,) = told
    group = {one.report_id for one in watched.messages(warning.matter)}
    assert warning.raised_at <= cracks[7].at
    assert set(warning.sample_ids) <= {one.report_id for one in cracks}
    assert len(group & {one.report_id for one in cracks}) >= 0.85 * len(cracks)
    assert warning.observed >= 5 > warning.expected
    assert warning.name == "翠屏雅苑房屋因地铁施工墙体开裂"  # of all houses


def test_it_is_told_of_again_when_it_was_quiet_and_grows_once_more() -> None:
    watched = watch()
    twice = [*spread("first", CRACKED[:9], 40, 6), *spread("again", CRACKED[:12], 130, 4)]
    told = follow(watched, in_order(background(140), twice))
    assert [warning.matter for warning in told] == [told[0].matter] * 2
    assert told[1].raised_at - told[0].raised_at > timedelta(days=80)


def test_what_comes_late_is_no_burst_now() -> None:
    watched = watch()
    assert follow(watched, background(60)) == []
    watched.hear(*spread("cracks", CRACKED, 40, 6))
    assert watched.advance(START + timedelta(days=60)) == []
    on_time = watch()
    assert len(follow(on_time, in_order(background(60), spread("cracks", CRACKED, 40, 6)))) == 1


def test_a_clock_that_is_ahead_is_waited_for() -> None:
    watched = watch()
    follow(watched, background(40))
    watched.hear(*spread("cracks", CRACKED, 45, 3))
    assert watched.advance(START + timedelta(days=40)) == []
    assert len(watched.advance(START + timedelta(days=48))) == 1


def test_where_it_grows_is_told() -> None:
    watched = watch()
    local = [said(f"l{n}", 40 + n, text, district="定海区") for n, text in enumerate(CRACKED[:8])]
    both = [said(f"b{n}", 50 + n, text, district=("普陀区", "新城")[n % 2]) for n, text in enumerate(ROBED)]
    told = follow(watched, in_order(background(70), local, both))
    assert [(w.district, set(w.districts)) for w in told] == [
        ("定海区", {"定海区"}),
        (None, {"普陀区", "新城"}),
    ]


def test_identifiers_stay_when_others_join_and_when_the_first_is_forgotten() -> None:
    watched = watch()
    (first,) = watched.hear(said("r1", 0, CRACKED[0]))
    more = watched.hear(*spread("more", CRACKED[:4], 1, 2))
    assert set(more) == {first}
    watched.forget("r1")
    assert watched.hear(said("r9", 3, CRACKED[0])) == [first]
    assert [one.report_id for one in watched.messages(first)][-1] == "r9"


def test_two_groups_that_meet_keep_the_older_identifier() -> None:
    watched = watch(grouping=GroupingOptions(joins=2.5, considered=6.0, merges=0.5, active=0.0))
    watched.hear(*background(20))
    (old,) = watched.hear(said("a", 20, "翠屏雅苑墙体开裂没人管"))
    (young,) = watched.hear(said("b", 20, "地铁施工震动，翠屏雅苑居民睡不着"))
    assert old != young
    (met,) = watched.hear(said("c", 21, "翠屏雅苑墙体开裂没人管，地铁施工震动，翠屏雅苑居民睡不着"))
    assert met == old
    assert watched.current(young) == old
    assert {one.report_id for one in watched.messages(young)} == {"a", "b", "c"}
    watched.forget("a", "b", "c")
    assert watched.messages(young) == []
    assert young not in watched.groups.merged


def test_what_is_corrected_moves_and_counts_once() -> None:
    watched = watch()
    watched.hear(*spread("cracks", CRACKED[:5], 0, 1), *spread("uniforms", ROBED[:5], 0, 1))
    before = watched.volume.by_hour.total()
    matter = watched.hear(said("cracks-1", 0.5, ROBED[6]))[0]
    assert "cracks-1" in {one.report_id for one in watched.messages(matter)}
    assert {one.report_id for one in watched.messages(matter)} >= {"uniforms-0", "uniforms-1"}
    assert watched.volume.by_hour.total() == before


def test_memory_is_bounded_by_number_and_by_age() -> None:
    watched = watch(kept_days=30, grouping=GroupingOptions(most_messages=40))
    for one in background(100):
        watched.hear(one)
        watched.advance(one.at)
        assert len(watched.groups.kept) <= 40
    kept = watched.groups
    assert min(one.said.at for one in kept.kept.values()) >= START + timedelta(days=68)
    assert sum(len(cluster.members) for cluster in kept.clusters.values()) == len(kept.kept)
    assert set(kept.merged.values()) <= set(kept.clusters) | set(kept.merged)
    counted = Counter(piece for one in kept.kept.values() for piece in grams(one.said.content))
    assert sum((cluster.counts for cluster in kept.clusters.values()), Counter()) == counted
    assert min(watched.volume.by_hour) > max(watched.volume.by_hour) - 24 * 32


def test_a_restored_watch_goes_on_as_the_first_one() -> None:
    messages = in_order(background(50), spread("cracks", CRACKED, 20, 6), spread("uniforms", ROBED, 33, 5))
    half = len(messages) // 2 + 40
    whole, first = watch(), watch()
    told = follow(whole, messages)
    assert len(told) == 2
    assert follow(first, messages[:half]) == told[:1]
    second = watch()
    restore(second, save(first, embed), embed, recall(messages))
    assert follow(second, messages[half:]) == told[1:]
    assert {n: kept.cluster_id for n, kept in second.groups.kept.items()} == {
        n: kept.cluster_id for n, kept in whole.groups.kept.items()
    }
    assert save(second, embed) == save(whole, embed)


def test_what_is_deleted_meanwhile_is_forgotten_and_no_sentence_is_kept() -> None:
    first, second = watch(), watch()
    messages = in_order(background(20), spread("cracks", CRACKED, 10, 6))
    (warning,) = follow(first, messages)
    state = save(first, embed)
    with np.load(io.BytesIO(state)) as kept:
        assert not any("翠屏雅苑".encode() in kept[name].tobytes() for name in kept.files)
        assert not any(json.dumps("翠屏雅苑")[1:-1].encode() in kept[name].tobytes() for name in kept.files)
    restore(second, state, embed, recall([one for one in messages if not one.report_id.startswith("cracks")]))
    assert second.messages(warning.matter) == []
    assert len(second.groups.kept) == 80


def test_an_empty_watch_can_be_saved() -> None:
    second = watch()
    restore(second, save(watch(), embed), embed, recall([]))
    assert follow(second, in_order(background(30), spread("cracks", CRACKED, 20, 6)))


def test_a_state_of_another_model_or_a_damaged_one_is_refused() -> None:
    first = watch()
    follow(first, background(5))
    state = save(first, embed)
    with pytest.raises(StateRefused, match="另一个向量模型"):
        restore(watch(), state, lambda texts: -embed(texts), recall([]))
    with pytest.raises(StateRefused, match="损坏"):
        restore(watch(), state[: len(state) // 2], embed, recall([]))
    with pytest.raises(ValueError, match="already"):
        restore(first, state, embed, recall([]))


def test_a_name_is_a_clause_that_says_what_many_say() -> None:
    known = learnt([one.content for one in background(30)])
    texts = [
        "投诉翠屏雅苑房屋开裂。求解决",
        "翠屏雅苑房屋开裂，家里老人很害怕",
        "翠屏雅苑3幢裂缝",
        "您好！翠屏雅苑房屋开裂了",
    ]
    named = name_of([said(f"n{n}", n, text) for n, text in enumerate(texts)], known.rarity)
    assert named == "翠屏雅苑房屋开裂"
    assert name_of([said("n", 0, "漏水")], known.rarity) == "漏水"
    long = name_of([said("n", 0, "翠屏雅苑" * 20)], known.rarity)
    assert len(long) == 28
    assert long.endswith("…")
