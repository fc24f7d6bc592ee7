"""Turns the packed multilingual-e5-small into a folder that `sentence-transformers` loads.

In: the packed file. Out: a folder with float32 weights, tokenizer and the small JSON files.
Not known here: where the packed file comes from, hashes, torch.

The manifest pins the hash of every file made here, so all are written by this module, with no time,
version or order of a library in them: the next release of a library must not change their bytes.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.e5_packed import Packed, Shape, parse, unpack
from models.errors import WeightsError

MAX_SEQUENCE_LENGTH = 512
"""Tokens, `<s>` and `</s>` included; what is longer is cut."""

PROMPTS = {"query": "query: ", "passage": "passage: ", "document": "passage: "}
"""What the model was trained to see before a text; `document` is where `encode_document` looks."""
PROMPTS_FILE = "config_sentence_transformers.json"

_KEPT = "\uf8ff"
"""Stands for ～ (U+FF5E) while NFKC runs: the model was trained with it kept, as in 9～17点."""
_SPACES = (
    "[\\x{09}\\x{0A}\\x{0C}\\x{0D}\\x{1680}\\x{200B}-\\x{200F}\\x{2028}\\x{2029}\\x{2581}\\x{FEFF}\\x{FFFD}]"
)
_CONTROLS = "[\\x{01}-\\x{08}\\x{0B}\\x{0E}-\\x{1F}\\x{7F}\\x{8F}\\x{9F}]"


def _layout(shape: Shape) -> Iterator[tuple[str, str | None, tuple[int, ...]]]:
    """Yield (name in a Hugging Face `BertModel`, name in the packed file, shape) for every tensor."""
    h, ff = shape.hidden, shape.feed_forward
    yield "embeddings.LayerNorm.bias", "emb.ln.b", (h,)
    yield "embeddings.LayerNorm.weight", "emb.ln.w", (h,)
    yield "embeddings.position_embeddings.weight", "emb.pos", (shape.max_position, h)
    yield "embeddings.token_type_embeddings.weight", "emb.type", (shape.token_types, h)
    yield "embeddings.word_embeddings.weight", "emb.word", (shape.vocabulary, h)
    linear = {
        "attention.self.query": ("q", h, h),
        "attention.self.key": ("k", h, h),
        "attention.self.value": ("v", h, h),
        "attention.output.dense": ("ao", h, h),
        "intermediate.dense": ("fi", ff, h),
        "output.dense": ("fo", h, ff),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(shape.layers):
        for name, (packed, rows, columns) in linear.items():
            yield f"encoder.layer.{layer}.{name}.weight", f"l{layer}.{packed}.w", (rows, columns)
            yield f"encoder.layer.{layer}.{name}.bias", f"l{layer}.{packed}.b", (rows,)
        for name, packed in norms.items():
            yield f"encoder.layer.{layer}.{name}.weight", f"l{layer}.{packed}.w", (h,)
            yield f"encoder.layer.{layer}.{name}.bias", f"l{layer}.{packed}.b", (h,)
    # The pooler is not in the packed file and no sentence embedding reads it; were it absent,
    # transformers would fill it at random and say so.
    yield "pooler.dense.weight", None, (h, h)
    yield "pooler.dense.bias", None, (h,)


def _write_weights(packed: Packed, path: Path) -> None:
    """Write `model.safetensors`: eight bytes of header length, JSON header, then the tensors end to end."""
    layout = list(_layout(packed.shape))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, source, shape in layout:
        elements = int(np.prod(shape))
        if source is not None and (
            source not in packed.tensors or packed.tensors[source].elements != elements
        ):
            raise WeightsError(f"the packed model has no tensor {source} of {elements} weights")
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + 4 * elements]}
        at += 4 * elements
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, source, shape in layout:
            chunks: Iterable[NDArray[np.float32]] = (
                [np.zeros(shape, "<f4")] if source is None else unpack(packed.tensors[source])
            )
            for chunk in chunks:
                out.write(chunk.tobytes())


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def _normalizer() -> dict[str, Any]:
    rules = [
        _replace({"Regex": _CONTROLS}, ""),
        _replace({"Regex": _SPACES}, " "),
        _replace({"String": "～"}, _KEPT),
        {"type": "NFKC"},
        _replace({"String": _KEPT}, "～"),
        _replace({"Regex": " {2,}"}, " "),
    ]
    return {"type": "Sequence", "normalizers": rules}


def _tokenizer(packed: Packed) -> dict[str, Any]:
    """Return the `tokenizers` JSON of the Unigram model: `<s> ▁text </s>`."""
    special = {text: packed.pieces.index(text) for text in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")}
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}

    def token(text: str, type_id: int = 0) -> dict[str, Any]:
        return {"SpecialToken": {"id": text, "type_id": type_id}}

    def sequence(which: str, type_id: int = 0) -> dict[str, Any]:
        return {"Sequence": {"id": which, "type_id": type_id}}

    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": text,
                "single_word": False,
                "lstrip": text == "<mask>",
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for text, number in special.items()
        ],
        "normalizer": _normalizer(),
        "pre_tokenizer": metaspace,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [token("<s>"), sequence("A"), token("</s>")],
            "pair": [token("<s>"), sequence("A"), token("</s>"), token("</s>"), sequence("B"), token("</s>")],
            "special_tokens": {
                text: {"id": text, "ids": [special[text]], "tokens": [text]} for text in ("<s>", "</s>")
            },
        },
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": special["<unk>"],
            "vocab": [[piece, score] for piece, score in zip(packed.pieces, packed.scores, strict=True)],
            "byte_fallback": False,
        },
    }


def _small_files(shape: Shape) -> dict[str, Any]:
    """Return the JSON files that tell the two libraries how the parts go together."""
    special = {
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    modules = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",
            "hidden_act": "gelu",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.feed_forward,
            "vocab_size": shape.vocabulary,
            "max_position_embeddings": shape.max_position,
            "type_vocab_size": shape.token_types,
            "layer_norm_eps": shape.layer_norm_eps,
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "initializer_range": 0.02,
            "bos_token_id": 0,
            "pad_token_id": 1,
            "eos_token_id": 2,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": MAX_SEQUENCE_LENGTH,
            "clean_up_tokenization_spaces": False,
            "model_input_names": ["input_ids", "attention_mask"],
            **special,
        },
        "special_tokens_map.json": special,
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": MAX_SEQUENCE_LENGTH, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    }


def write_prompts(folder: Path) -> None:
    """Add the prompts to a folder of the original model, whose publisher names them in prose only."""
    content = {"prompts": PROMPTS, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    _write_json(folder / PROMPTS_FILE, content)


def convert(packed_file: Path, folder: Path) -> None:
    """Write everything `SentenceTransformer(folder)` needs into the existing, empty `folder`.

    Raises:
        WeightsError: the packed file is not what its format says.
        OSError: the folder cannot be written.
    """
    packed = parse(packed_file.read_bytes())
    _write_weights(packed, folder / "model.safetensors")
    (folder / "1_Pooling").mkdir()
    for name, content in _small_files(packed.shape).items():
        _write_json(folder / name, content)
    _write_json(folder / "tokenizer.json", _tokenizer(packed))
    write_prompts(folder)


def _write_json(path: Path, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    path.write_bytes(text.encode() + b"\n")
