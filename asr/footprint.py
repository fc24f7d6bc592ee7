"""Keeps a process that runs for weeks from growing: caches that would only ever fill, garbage that waits.

In: nothing. Out: settings of this process, made before the first decoding, and when all is loaded.
Not known here: models, calls.

Every utterance has another length. oneDNN, under CTranslate2 and PyTorch, keeps a compiled primitive for each
shape, 1,024 of them; and glibc keeps an arena for each thread, in which pieces of such sizes leave holes.
Measured with Whisper base over 100 batches of random lengths: 412 MB and rising without this, 298 MB and flat
with the first alone (docs/benchmarks.md). Pieces given back to the system at once would hold it still
smaller, but the page faults cost a sixth of the decoding.

Python's collector looks for cycles in everything when there is a quarter more of it than the last time: of
the 600,000 objects that a server has loaded, what hundreds of ended calls have left behind.
"""

import ctypes
import gc
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


def set_aside() -> None:
    """What there is by now stays: cycles are looked for in what comes later alone, often and in no time.

    To be called once, when all is loaded and nothing goes on yet.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # of so little a quarter is soon there
