"""The search that is judged, over the published knowledge base or, where there is none, over the sample.

In: the data folder, the embedding model's folder, the present moment.
Out: a searcher that serves a version, and what to say of that version beside the figures.
Not known here: calls, what is measured.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from knowledge_base.importer import load_sample
from knowledge_base.versions import VersionFolder
from retrieval.embedder import SentenceEmbedder
from retrieval.publishing import publish
from retrieval.searcher import Searcher, SearchOptions
from retrieval.serving import take_up
from retrieval.snapshot import Snapshot
from retrieval.types import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """A searcher and what it serves."""

    searcher: Searcher
    snapshot: Snapshot
    is_sample: bool
    embedder: SentenceEmbedder

    def told(self, topics: Set[str]) -> dict[str, Any]:
        """What was searched, in JSON form, and which of the topics no search can find in it."""
        version = self.snapshot.version
        return {
            "kb_version": version.version,
            "kb_is_sample": self.is_sample,
            "articles": version.articles,
            "embedding_model": version.model,
            "topics_without_article": sorted(topics - self.snapshot.place.keys()),
        }


@asynccontextmanager
async def open_matching(
    data_dir: Path,
    embedding: Path,
    *,
    now: datetime,
    tell: Callable[[str], None],
    without: Set[Channel] = frozenset(),
) -> AsyncIterator[Matching]:
    """Serve the version that the data folder points to; raises `BadVersion` where it is damaged.

    Where nothing has been published, the sample is published under `evaluation/kb` and served from
    there, so that the knowledge base that calls are served from is not touched. `without` leaves channels
    of the search out.
    """
    embedder = await asyncio.to_thread(SentenceEmbedder, embedding)
    folder = data_dir / "kb"
    is_sample = VersionFolder(folder).current() is None
    if is_sample:
        tell("Nothing is published yet: the sample knowledge base is judged.")
        folder = data_dir / "evaluation" / "kb"
        folder.mkdir(parents=True, exist_ok=True)
        sample = load_sample()
        await asyncio.to_thread(publish, sample, embedder=embedder, folder=folder, now=now, keep=1)
    searcher = Searcher(embedder, SearchOptions(without=frozenset(without)))
    try:
        take_up(searcher, VersionFolder(folder), embedder)
        assert searcher.snapshot is not None  # there is a current version by now
        yield Matching(searcher=searcher, snapshot=searcher.snapshot, is_sample=is_sample, embedder=embedder)
    finally:
        searcher.close()
