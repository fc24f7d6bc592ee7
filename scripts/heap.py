"""What a process holds in memory: objects by type, containers of the project's own objects by name.

In: nothing but the process itself. Out: `Look`s, and what differs between several.
Not known here: what the process does.

Looking stops the process for about a second per million objects.
"""

import ctypes
import gc
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import psutil

PACKAGES = ("access", "agent_ui", "asr", "calls", "insight", "knowledge_base", "models", "retrieval")
_MB = 1e6
_COMMONEST = 25
_LEAST = 0.1
"""What grows by less for each thing done is chance."""


class _MallInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the process, after a collection of garbage."""

    done: int
    """How many things had been done."""
    rss_mb: float
    dirty_mb: float
    """The same before garbage was collected."""
    used_mb: float
    """What the allocator has given out; 0 where it does not say."""
    free_mb: float
    """What it holds and nobody uses."""
    blocks: int
    """Small objects of Python."""
    garbage: int
    """Objects that only the collection found to be unreachable."""
    wasted: Mapping[str, int]
    """The commonest types of those."""
    objects: Mapping[str, int] = field(repr=False)
    """By type."""
    held: Mapping[str, int] = field(repr=False)
    """Things in containers, by `module.Class.attribute`."""


def look(done: int) -> Look:
    """Collect garbage and look."""
    process = psutil.Process()
    dirty = process.memory_info().rss
    frozen = gc.get_freeze_count()
    gc.unfreeze()  # before the collection: what the last look has set aside may be over by now
    wasted = _collect()
    used, free = _given_out()
    every = gc.get_objects()
    told = Look(
        done=done,
        rss_mb=round(process.memory_info().rss / _MB, 1),
        dirty_mb=round(dirty / _MB, 1),
        used_mb=round(used / _MB, 1),
        free_mb=round(free / _MB, 1),
        blocks=sys.getallocatedblocks(),
        garbage=wasted.total(),
        wasted=dict(wasted.most_common(_COMMONEST)),
        objects=Counter(_name(type(one)) for one in every),
        held=_held(every),
    )
    del every
    if frozen:
        gc.freeze()
    return told


def _collect() -> Counter[str]:
    """Collect what is unreachable; returns what it was."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    wasted = Counter(_name(type(one)) for one in gc.garbage)
    gc.garbage.clear()
    gc.collect()
    return wasted


def _given_out() -> tuple[int, int]:
    """Bytes that glibc has given out, and those that it keeps."""
    mallinfo = _mallinfo()
    if mallinfo is None:
        return 0, 0
    told = mallinfo()
    return told.uordblks + told.hblkhd, told.fordblks


@cache
def _mallinfo() -> Callable[[], _MallInfo] | None:
    found = getattr(ctypes.CDLL(None), "mallinfo2", None) if sys.platform == "linux" else None
    if found is not None:
        found.restype = _MallInfo
    return found


def _held(every: Sequence[object]) -> Counter[str]:
    held: Counter[str] = Counter()
    for one in every:
        kind = type(one)
        if _name(kind).partition(".")[0] in PACKAGES:
            for name in _attributes(kind, one):
                value = getattr(one, name, None)
                if isinstance(value, Sized) and not isinstance(value, str | bytes):
                    held[f"{_name(kind)}.{name}"] += len(value)
    return held


def _attributes(kind: type, one: object) -> list[str]:
    slots = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ()) if name[:2] != "__"]
    return [*slots, *getattr(one, "__dict__", ())]


def _name(kind: type) -> str:
    module = kind.__module__  # of some classes of extensions it is no text
    return f"{module}.{kind.__qualname__}" if isinstance(module, str) else kind.__qualname__


def growing(looks: Sequence[Look], *, least: float = _LEAST) -> dict[str, float]:
    """What grew from each look to the next, and by how much for each thing done.

    The first look is left out: until then caches fill.
    """
    grown: dict[str, float] = {}
    for told in ("objects", "held"):
        counts: list[Mapping[str, int]] = [getattr(one, told) for one in looks[1:]]
        if len(counts) < 2:
            continue
        done = looks[-1].done - looks[1].done
        for name in counts[-1]:
            values = [count.get(name, 0) for count in counts]
            each = (values[-1] - values[0]) / done
            if each >= least and all(a < b for a, b in pairwise(values)):
                grown[name] = round(each, 2)
    return dict(sorted(grown.items(), key=lambda item: -item[1]))
