"""The dense index: exact, identified, refused when it is not what it was."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge_base.types import BadVersion
from retrieval.index import DenseIndex


def unit_vectors(count: int, dimension: int = 16) -> NDArray[np.float32]:
    vectors = np.random.default_rng(7).standard_normal((count, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


IDS = [2**62 + 3, 5, 2**63 - 1, 11]


def test_search_gives_the_cosines_of_brute_force_under_the_given_ids() -> None:
    vectors = unit_vectors(300)
    index = DenseIndex.build([7 * i + 1 for i in range(300)], vectors)
    queries = unit_vectors(3)[::-1]
    ids, scores = index.search(queries, 5)
    exact = queries @ vectors.T
    best = np.argsort(-exact, axis=1)[:, :5]
    assert (ids == 7 * best + 1).all()
    np.testing.assert_allclose(scores, np.take_along_axis(exact, best, axis=1), atol=1e-5)


def test_asking_for_more_than_there_is_pads_nothing() -> None:
    index = DenseIndex.build(IDS, unit_vectors(4))
    ids, _ = index.search(unit_vectors(1), 10)
    assert sorted(ids[0].tolist()) == sorted(IDS)
    empty = DenseIndex.build([], np.zeros((0, 16), np.float32))
    assert empty.search(unit_vectors(2), 3)[0].shape == (2, 0)


def test_vectors_can_be_taken_out_again() -> None:
    vectors = unit_vectors(4)
    index = DenseIndex.build(IDS, vectors)
    assert index.ids.tolist() == IDS
    np.testing.assert_array_equal(index.vector(5), vectors[1])


def test_an_identifier_may_not_come_twice() -> None:
    with pytest.raises(ValueError, match="own"):
        DenseIndex.build([1, 1], unit_vectors(2))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    DenseIndex.build(IDS, unit_vectors(4)).write(tmp_path, model="m@1")
    index = DenseIndex.read(tmp_path, model="m@1", dimension=16)
    assert (len(index), index.ids.tolist()) == (4, IDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dense.faiss", "dense.json"]


@pytest.mark.parametrize(("model", "dimension"), [("m@2", 16), ("m@1", 32)])
def test_another_model_is_refused(tmp_path: Path, model: str, dimension: int) -> None:
    DenseIndex.build(IDS, unit_vectors(4)).write(tmp_path, model="m@1")
    with pytest.raises(BadVersion) as refused:
        DenseIndex.read(tmp_path, model=model, dimension=dimension)
    assert refused.value.code == "kb.other_model"


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    DenseIndex.build(IDS, unit_vectors(4)).write(tmp_path, model="m@1")
    content = bytearray((tmp_path / "dense.faiss").read_bytes())
    content[-9] ^= 1
    (tmp_path / "dense.faiss").write_bytes(content)
    with pytest.raises(BadVersion, match="不符"):
        DenseIndex.read(tmp_path, model="m@1", dimension=16)
    (tmp_path / "dense.faiss").unlink()
    with pytest.raises(BadVersion, match="读不出来"):
        DenseIndex.read(tmp_path, model="m@1", dimension=16)
