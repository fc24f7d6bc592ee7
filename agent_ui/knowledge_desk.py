"""Everything that the people who keep the knowledge work with, in one holder.

In: the opened database, the folder of versions, functions of the engines.
Out: `KnowledgeDesk`, which the routes below `/v1/articles` and `/v1/kb` serve from.
Not known here: HTTP, which engine stands behind a function.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from calls.usage import Missed, Usage
from knowledge_base.canaries import CanaryStore
from knowledge_base.feedback import Feedback
from knowledge_base.overview import Overview, look_over
from knowledge_base.press import Around, Press
from knowledge_base.store import ArticleStore
from knowledge_base.types import Article, ArticleState, Changes
from knowledge_base.versions import VersionFolder
from retrieval.gaps import asked_in, group, usual_vector
from retrieval.publishing import changes
from retrieval.vectors import Vector

_COMMAND = (sys.executable, "-m", "scripts.cli", "kb")
_MOST_MISSED = 500
"""Questions grouped at once, newest first: each is embedded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeDesk:
    """The stores, and what is done with them. All of it blocks but the press."""

    articles: ArticleStore
    canaries: CanaryStore
    feedback: Feedback
    usage: Usage
    versions: VersionFolder
    press: Press
    look_over: Callable[[date], Overview]
    """Count what there is; what expires before that day counts as expiring."""
    embed: Callable[[str], Vector]
    clock: Callable[[], datetime]
    folder: Path
    asks_review: Callable[[], bool]
    """Whether a second person must approve an article, as it is set now."""

    @classmethod
    def open(
        cls,
        database: Engine,
        *,
        folder: Path,
        environment: Mapping[str, str],
        embed: Callable[[str], Vector],
        clock: Callable[[], datetime],
        asks_review: Callable[[], bool],
        around: Around = lambda name: nullcontext({}),
    ) -> "KnowledgeDesk":
        """`folder` holds the versions; `environment` tells a publishing child process the settings.

        `around` looks at that process while it runs.
        """
        return cls(
            articles=ArticleStore(database),
            canaries=CanaryStore(database),
            feedback=Feedback(database),
            usage=Usage(database),
            versions=VersionFolder(folder),
            press=Press(_COMMAND, environment=environment, folder=folder, clock=clock, around=around),
            look_over=lambda before: look_over(database, before=before),
            embed=embed,
            clock=clock,
            folder=folder,
            asks_review=asks_review,
        )

    @property
    def needs_review(self) -> bool:
        """Whether a second person must approve an article."""
        return self.asks_review()

    def state_for(self, *, is_draft: bool) -> ArticleState:
        """The state that a saved article gets."""
        if is_draft:
            return ArticleState.DRAFT
        return ArticleState.IN_REVIEW if self.needs_review else ArticleState.APPROVED

    def publishable(self) -> tuple[Article, ...]:
        """What the next publish takes."""
        return self.articles.publishable(self.clock().date())

    def changes(self) -> Changes:
        """What the next publish would change."""
        return changes(self.publishable(), folder=self.folder)

    def gaps(self, *, days: int) -> list[list[Missed]]:
        """Missed questions that nobody has settled, grouped, largest group first."""
        since = self.clock() - timedelta(days=days)
        settled = self.feedback.settled()
        missed = [
            one for one in self.usage.missed(since=since, asked_in=asked_in) if one.question not in settled
        ][:_MOST_MISSED]
        if not missed:
            return []
        vectors = np.array([self.embed(one.question) for one in missed], np.float32)
        usual = usual_vector(self.embed, [article.title for article in self.publishable()])
        return [[missed[place] for place in found.places] for found in group(vectors, usual=usual)]
