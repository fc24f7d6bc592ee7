"""Keeps a process that decodes for weeks from growing: two caches that would only ever fill.

In: nothing. Out: settings of this process, made before the first decoding.
Not known here: models, calls.

Every utterance has another length. oneDNN, under CTranslate2 and PyTorch, keeps a compiled primitive for each
shape, 1,024 of them; and glibc keeps an arena for each thread, in which pieces of such sizes leave holes.
Measured with Whisper base over 100 batches of random lengths: 412 MB and rising without this, 298 MB and flat
with the first alone (docs/benchmarks.md).
"""

import ctypes
import os
import sys

PRIMITIVES = "64"
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # malloc.h
_ARENAS = 2
_LARGE_BYTES = 1 << 20


def limit_footprint() -> None:
    """Bound both caches; a setting that somebody made in the environment is kept."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PRIMITIVES)
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library than glibc
        return
    mallopt(_ARENA_MAX, _ARENAS)
    mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
    mallopt(_TRIM_THRESHOLD, 16 * _LARGE_BYTES)
