"""What a watch holds, as bytes, and back.

In: arrays and texts by name. Out: bytes that outlive the process, and the arrays and texts again.
Not known here: what they mean, where the bytes are kept.

The bytes are a compressed archive of numpy arrays; nothing in it is run when it is read.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insight.types import StateRefused

Arrays = Mapping[str, NDArray[Any]]
_VERSION = 2
"""Raised whenever an older state would be misread."""
_DAMAGED = (
    *(OSError, EOFError, KeyError, TypeError, ValueError, AttributeError),
    *(RuntimeError, zipfile.BadZipFile, zlib.error),
)
"""All that reading of such an archive is known to raise; a `NotImplementedError` is a `RuntimeError`."""


def pack(arrays: Arrays) -> bytes:
    """Arrays as bytes."""
    written = io.BytesIO()
    named: dict[str, Any] = {**arrays, "version": np.array(_VERSION)}
    np.savez_compressed(written, **named)
    return written.getvalue()


def unpack(state: bytes) -> Arrays:
    """The arrays; raises `StateRefused` for what `pack` of this version did not write."""
    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        version = int(arrays.pop("version"))
    except _DAMAGED:
        raise StateRefused("保存的预警状态已损坏，请从历史通话重新学习。") from None
    if version != _VERSION:
        raise StateRefused("保存的预警状态来自其他版本，请从历史通话重新学习。")
    return arrays


def of_texts(texts: Sequence[Any]) -> NDArray[np.uint8]:
    """Whatever JSON can hold, as an array."""
    return np.frombuffer(json.dumps(texts, separators=(",", ":")).encode("ascii"), dtype=np.uint8)


def to_texts(array: NDArray[Any]) -> Any:
    """What `of_texts` was given, tuples as lists."""
    return json.loads(array.tobytes())


def fill(array: NDArray[Any], saved: NDArray[Any]) -> None:
    """Copy a saved array over one of the same shape; raises `StateRefused` for another shape."""
    if array.shape != saved.shape:
        raise StateRefused("保存的预警状态与当前设置不符，请从历史通话重新学习。")
    array[...] = saved
