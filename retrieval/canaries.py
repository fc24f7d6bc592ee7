"""Questions that must find their article before a version is served.

In: a snapshot, canaries, an embedder.
Out: nothing, or `CanaryFailed` that names every question that failed.
Not known here: who chose the questions, what is served at present.
"""

from collections.abc import Sequence
from datetime import date

from knowledge_base.types import Canary, CanaryFailed
from retrieval.searcher import Searcher
from retrieval.snapshot import Snapshot
from retrieval.vectors import Embedder

_NAMED = 3
"""Failed questions that the sentence names; the error holds all."""


def check_canaries(snapshot: Snapshot, canaries: Sequence[Canary], embedder: Embedder, *, day: date) -> None:
    """Ask every canary; an article that holds later is asked for on its first day.

    Raises `CanaryFailed`.
    """
    searcher = Searcher(embedder)
    try:
        searcher.swap(snapshot)
        failed = tuple(canary for canary in canaries if not _is_found(searcher, snapshot, canary, day))
    finally:
        searcher.close()
    if failed:
        named = "；".join(f"“{canary.question}”应找到 {canary.article_id}" for canary in failed[:_NAMED])
        more = f"等 {len(failed)} 条" if len(failed) > _NAMED else ""
        raise CanaryFailed(f"试问未通过：{named}{more}。未发布，仍使用原版本。", failed=failed)


def _is_found(searcher: Searcher, snapshot: Snapshot, canary: Canary, day: date) -> bool:
    place = snapshot.place.get(canary.article_id)
    if place is None:
        return False
    begins = snapshot.articles[place].effective_from or day
    found = searcher.search(canary.question, day=max(day, begins), k=canary.within)
    return any(match.article.article_id == canary.article_id for match in found.matches)
