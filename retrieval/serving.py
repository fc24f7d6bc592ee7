"""Keeps a searcher on the version that is to be served.

In: the folder of versions. Out: the name of a version that was newly taken up.
Not known here: who publishes, who searches meanwhile.
"""

import gc
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np

from knowledge_base.types import Article, KnowledgeError
from knowledge_base.versions import VersionFolder
from retrieval.searcher import Searcher
from retrieval.snapshot import Snapshot
from retrieval.vectors import Embedder, Vectors

log = logging.getLogger(__name__)

TakeUp: TypeAlias = Callable[[Searcher, VersionFolder, Embedder], str | None]
"""`take_up`, or `take_up_any`."""
_SWITCH_S = 0.0005
"""How long loading may hold the interpreter while a search waits for it."""


def take_up(searcher: Searcher, versions: VersionFolder, embedder: Embedder) -> str | None:
    """Load the current version where it is not the one that is served; returns its name, else None.

    Running searches end on the old one. Raises `BadVersion`; the old version then goes on being served.
    """
    current = versions.current()
    served = searcher.snapshot.version.version if searcher.snapshot else None
    if current is None or current == served:
        return None
    _load(searcher, versions, embedder, current)
    return current


def take_up_any(searcher: Searcher, versions: VersionFolder, embedder: Embedder) -> str | None:
    """As `take_up`, but where the current version cannot be used, the newest one that can; for a start."""
    try:
        return take_up(searcher, versions, embedder)
    except KnowledgeError as error:
        log.error("the current version of the knowledge cannot be used: %s", error.code)
    for name in reversed(versions.names()):
        try:
            _load(searcher, versions, embedder, name)
        except KnowledgeError as error:
            log.error("nor can version %s: %s", name, error.code)
        else:
            log.error("version %s answers instead; publish again", name)
            return name
    return None


def articles_with_vectors(snapshot: Snapshot) -> tuple[tuple[Article, ...], Vectors, list[int]]:
    """The articles of a version, the vectors of its passages, and whose each of them is."""
    vectors = np.array([snapshot.dense.vector(passage_id) for passage_id in snapshot.passages], np.float32)
    return tuple(snapshot.articles), vectors, snapshot.passages.places.tolist()


def _load(searcher: Searcher, versions: VersionFolder, embedder: Embedder, name: str) -> None:
    with _giving_way():
        versions.check(name)
        snapshot = Snapshot.load(versions.path(name), model=embedder.name, dimension=embedder.dimension)
    searcher.swap(snapshot)


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let other threads have the interpreter sooner than usual, and keep the collector from stopping them.

    Embedding a query gives the interpreter away at each of some sixty operations, and each time waits for
    the loading thread to let go of it: at the usual 5 ms that adds a third of a second to every search. The
    collector would look through everything that is being loaded, again and again, and nobody else could run
    meanwhile; afterwards it does so once (12 ms for 10,000 articles). What is loaded is not set aside for
    good (`gc.freeze`): with it would be whatever else there is at that moment, such as what calls that are
    over have left to be collected, and each version would add to that.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        sys.setswitchinterval(usual)
