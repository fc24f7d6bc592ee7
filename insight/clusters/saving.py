"""What a watch over groups holds, as bytes, and back.

In: a watch. Out: bytes that outlive the process; a watch that goes on as the first one would have.
Not known here: where the bytes are kept.

No sentence that anybody said is in them, so that what is deleted elsewhere is gone here as well: whoever
restores says what the messages were, and those that are no more are forgotten.

Vectors lie in half precision, as they were made. A vector of a fixed text tells whether the same model still
embeds: vectors of two models cannot be compared.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import numpy as np

from insight.clusters.grouping import Kept
from insight.clusters.types import Embed, Said, Vectors
from insight.clusters.watch import ClusterWatch
from insight.types import StateRefused
from insight.warning.saved import Arrays, of_texts, pack, to_texts, unpack

_PROBE = "小区门口的路灯不亮，请派人来修。"
_SAME_MODEL = 0.999
Recall = Callable[[Sequence[str]], Mapping[str, Said]]
"""By their identifiers, those reports that there still are."""


def save(watch: ClusterWatch, embed: Embed) -> bytes:
    """All that it remembers; asks `embed` for one text."""
    groups, background = watch.groups, watch.groups.background
    kept = [groups.kept[number] for number in sorted(groups.kept)]
    vectors = np.array([groups.vector(one.number) for one in kept], np.float32)
    return pack(
        {
            "probe": embed([_PROBE])[0],
            "vectors": vectors.reshape(len(kept), len(background.middle)).astype(np.float16),
            "middle": background.middle,
            "numbers": np.array([background.weight, background.texts, groups.next_number], np.int64),
            "pieces": of_texts(list(background.counts)),
            "counts": np.array(list(background.counts.values()), np.int64),
            "kept": of_texts([[one.number, one.cluster_id, one.said.report_id] for one in kept]),
            "clusters": of_texts([[one.cluster_id, one.born] for one in groups.clusters.values()]),
            "merged": of_texts(list(groups.merged.items())),
            "volume": np.array(list(watch.volume.by_hour.items()), np.int64).reshape(-1, 2),
            "grown": of_texts(sorted(watch.grown)),
            "stood_out": of_texts([[own, at.isoformat()] for own, at in watch.stood_out.items()]),
        }
    )


def restore(watch: ClusterWatch, state: bytes, embed: Embed, recall: Recall) -> None:
    """Into a watch that has heard nothing; raises `StateRefused`, and then leaves it as it was."""
    if watch.groups.kept:
        raise ValueError("it has heard something already")
    arrays = unpack(state)
    try:
        _check_model(arrays, embed)
        read = [(number, own, report_id) for number, own, report_id in to_texts(arrays["kept"])]
        born = dict(to_texts(arrays["clusters"]))
        merged = dict(to_texts(arrays["merged"]))
        stood_out = {own: datetime.fromisoformat(at) for own, at in to_texts(arrays["stood_out"])}
        weight, texts, next_number = (int(n) for n in arrays["numbers"])
        counts = dict(zip(to_texts(arrays["pieces"]), arrays["counts"].tolist(), strict=True))
        vectors: Vectors = arrays["vectors"].astype(np.float32)
        if len(vectors) != len(read) or {own for _, own, _ in read} != set(born):
            raise ValueError("messages without vectors or groups")
    except (KeyError, TypeError, ValueError):
        raise StateRefused("保存的话题分组已损坏，请从历史通话重新学习。") from None
    groups = watch.groups
    groups.background.restore(arrays["middle"], weight, texts, counts)
    said = recall([report_id for _, _, report_id in read])
    for (number, own, report_id), vector in zip(read, vectors, strict=True):
        if report_id in said:
            groups.keep(Kept(number, said[report_id], own), vector, born=born[own])
    groups.merged, groups.next_number = merged, next_number
    groups.forget_merged()
    watch.volume.restore({int(hour): int(n) for hour, n in arrays["volume"]})
    watch.grown = set(to_texts(arrays["grown"]))
    watch.stood_out = stood_out


def _check_model(arrays: Arrays, embed: Embed) -> None:
    now, then = embed([_PROBE])[0], arrays["probe"]
    if now.shape != then.shape or float(now @ then) < _SAME_MODEL:
        raise StateRefused("保存的话题分组由另一个向量模型生成，请从历史通话重新学习。")
