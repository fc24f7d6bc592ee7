"""Keeps a process that decodes for weeks from growing: two caches that would only ever fill.

In: nothing. Out: settings of this process, made before the first decoding.
Not known here: models, calls.

Every utterance has another length. oneDNN, under CTranslate2 and PyTorch, keeps a compiled primitive for each
shape, 1,024 of them; and glibc keeps an arena for each thread, in which pieces of such sizes leave holes.
Measured with Whisper base over 100 batches of random lengths: 412 MB and rising without this, 298 MB and flat
with the first alone (docs/benchmarks.md). Pieces given back to the system at once would hold it still
smaller, but the page faults cost a sixth of the decoding.
"""

import ctypes
import os
import sys

PRIMITIVES = "64"
_ARENA_MAX = -8  # malloc.h
_ARENAS = 2


def limit_footprint() -> None:
    """Bound both caches; a setting that somebody made in the environment is kept."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PRIMITIVES)
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library than glibc
        return
    mallopt(_ARENA_MAX, _ARENAS)
