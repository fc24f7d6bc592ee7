"""Articles that say the same twice.

In: articles.
Out: pairs with what they share: title, body, or a similar question; exactly or nearly.
Not known here: meanings; texts are compared by their characters.

Near texts are found by a sketch: of the hashes of all runs of four characters those divisible by a number
are kept, which keeps the same runs of both texts (Broder, "On the resemblance and containment of documents",
1997). The share of common runs estimates the likeness.
"""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from knowledge_base.types import Article

_NOT_TEXT = re.compile(r"[\W_]+")
_RUN = 4
_KEPT_OF_BODY = 4
"""One of so many runs of a body is kept; of a title every pair of characters."""
_COMMON = 200
"""A run that more articles share says nothing about two of them."""


class Shared(StrEnum):
    """What two articles share."""

    TITLE = "title"
    NEAR_TITLE = "near_title"
    BODY = "body"
    NEAR_BODY = "near_body"
    QUESTION = "question"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Two articles that share something; `likeness` is 1 where they share it exactly."""

    article_id: str
    other_id: str
    shared: Shared
    likeness: float
    text: str
    """The shared title or question; the other's title where it is the body."""


def find_duplicates(
    articles: Iterable[Article],
    others: Iterable[Article] | None = None,
    *,
    near_title: float = 0.65,
    near_body: float = 0.8,
) -> tuple[Duplicate, ...]:
    """Compare the articles with the others, or with each other; two of one identifier are one article.

    Each pair comes once, by the strongest thing that it shares, likest first.
    """
    mine = list(articles)
    pool = mine if others is None else list(others)
    ids = {article.article_id for article in mine}
    pairs: dict[tuple[str, str], Duplicate] = {}
    for shared, nearness in (
        (Shared.TITLE, 1.0),
        (Shared.BODY, 1.0),
        (Shared.QUESTION, 1.0),
        (Shared.NEAR_TITLE, near_title),
        (Shared.NEAR_BODY, near_body),
    ):
        index = _Index(pool, shared)
        for article in mine:
            for other, likeness in index.like(article, nearness):
                one, two = article.article_id, other.article_id
                key = (two, one) if two in ids and two < one else (one, two)
                if one == two or key in pairs:
                    continue
                text = index.shared_text(article, other)
                pairs[key] = Duplicate(
                    article_id=key[0], other_id=key[1], shared=shared, likeness=likeness, text=text
                )
    return tuple(sorted(pairs.values(), key=lambda pair: (-pair.likeness, pair.article_id, pair.other_id)))


class _Index:
    """Articles by the marks of what may be shared."""

    def __init__(self, articles: Iterable[Article], shared: Shared):
        self._shared = shared
        self._of: dict[int, list[int]] = defaultdict(list)
        self._articles = list(articles)
        self._counts: list[int] = []
        for place, article in enumerate(self._articles):
            marks = _marks(article, shared)
            self._counts.append(len(marks))
            for mark in marks:
                self._of[mark].append(place)

    def like(self, article: Article, nearness: float) -> Iterable[tuple[Article, float]]:
        """Every article that shares enough, with the likeness (Jaccard's)."""
        marks = _marks(article, self._shared)
        places = (self._of.get(mark, ()) for mark in marks)
        common = Counter(place for found in places if len(found) <= _COMMON for place in found)
        for place, count in common.items():
            if self._shared is Shared.QUESTION:
                yield self._articles[place], 1.0
                continue
            likeness = count / (len(marks) + self._counts[place] - count)
            if likeness >= nearness:
                yield self._articles[place], round(likeness, 3)

    def shared_text(self, article: Article, other: Article) -> str:
        """What to show a person."""
        if self._shared is not Shared.QUESTION:
            return other.title
        theirs = {_bare(question) for question in other.questions}
        return next(question for question in article.questions if _bare(question) in theirs)


def _marks(article: Article, shared: Shared) -> set[int]:
    if shared is Shared.QUESTION:
        return {_hash(_bare(question)) for question in article.questions}
    text = _bare(article.body if shared in (Shared.BODY, Shared.NEAR_BODY) else article.title)
    if shared in (Shared.TITLE, Shared.BODY):
        return {_hash(text)}
    if shared is Shared.NEAR_TITLE:
        return {_hash(text[i : i + 2]) for i in range(max(1, len(text) - 1))}
    runs = {_hash(text[i : i + _RUN]) for i in range(max(1, len(text) - _RUN + 1))}
    return {run for run in runs if run % _KEPT_OF_BODY == 0}


def _bare(text: str) -> str:
    return _NOT_TEXT.sub("", text).lower()


def _hash(text: str) -> int:
    return zlib.crc32(text.encode())
