"""Matters without a name, by the real embeddings: sentences that are worded unlike each other."""

import shutil
from collections.abc import Iterator

import numpy as np
import pytest

from insight.clusters.types import Embed
from insight.clusters.watch import ClusterWatch
from insight.types import EarlyWarning
from models.cache import resolve
from retrieval.embedder import SentenceEmbedder
from tests.cluster_parts import MADE, USUAL, background, in_order, spread

pytestmark = pytest.mark.weights

CRACKS, UNIFORMS, DROPS = (MADE[name]["named"] for name in ("cracks", "uniforms", "drops"))


@pytest.fixture(scope="module")
def embed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embed]:
    cache = tmp_path_factory.mktemp("cache")
    yield SentenceEmbedder(resolve("e5-small", cache_dir=cache, allow_hub=False)).embed_passages
    shutil.rmtree(cache)


def test_sudden_matters_are_told_of_early_and_a_slow_one_is_not(embed: Embed) -> None:
    cracks = spread("cracks", CRACKS, 25, 8)
    uniforms = spread("uniforms", UNIFORMS, 34, 5)
    placeless = spread("anywhere", MADE["cracks"]["unnamed"], 31, 2)
    drops = spread("drops", DROPS, 0, 45)
    messages = in_order(background(45), cracks, uniforms, placeless, drops)
    vectors = dict(zip([one.text for one in messages], embed([one.text for one in messages]), strict=True))
    watched = ClusterWatch(embed, usual=USUAL[:200])
    watched.embed = lambda texts: np.array([vectors[text] for text in texts])  # together it takes less time
    told: list[EarlyWarning] = []
    for one in messages:
        watched.hear(one)
        told += watched.advance(one.at)
    assert len(told) == 2
    assert told[0].raised_at <= cracks[7].at
    assert told[1].raised_at <= uniforms[7].at
    assert "翠屏雅苑" in told[0].name
    assert "校服" in told[1].name
    for warning, own in zip(told, ([*cracks, *placeless], uniforms), strict=True):
        group = {one.report_id for one in watched.messages(warning.matter)}
        wanted = {one.report_id for one in own}
        assert len(group & wanted) >= 0.85 * len(wanted)
        assert len(group & wanted) >= 0.85 * len(group)
