"""Keeps a searcher on the version that is to be served.

In: the folder of versions. Out: the name of a version that was newly taken up.
Not known here: who publishes, who searches meanwhile.
"""

from knowledge_base.versions import VersionFolder
from retrieval.searcher import Searcher
from retrieval.snapshot import Snapshot
from retrieval.vectors import Embedder


def take_up(searcher: Searcher, versions: VersionFolder, embedder: Embedder) -> str | None:
    """Load the current version where it is not the one that is served; returns its name, else None.

    Running searches end on the old one. Raises `BadVersion`; the old version then goes on being served.
    """
    current = versions.current()
    served = searcher.snapshot.version.version if searcher.snapshot else None
    if current is None or current == served:
        return None
    versions.check(current)
    searcher.swap(Snapshot.load(versions.path(current), model=embedder.name, dimension=embedder.dimension))
    return current
