"""Which department and which category the matter belongs to.

In: votes for articles, the pieces of a call, the names of the departments as they are said.
Out: fields: category, departments with the likeliest first; the articles that speak of the matter.
Not known here: how articles got their votes.
"""

import csv
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from calls.wrapup.pieces import Piece
from calls.wrapup.topics import Topics, Votes
from calls.wrapup.types import UNKNOWN, Field, Knowledge, Span
from knowledge_base.types import Article

_VOTERS = 12
_HANDS_OVER = "(?:转|派|交|报|反馈|联系|通知|属于|归|由|让|请|协调|告知|打给)"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterOptions:
    """When the knowledge base knows the matter, and how much an operator's word counts."""

    least_score: float = 5.5
    """Of the nearest article; below it the matter is unknown. Found on written dialogues (docs/wrapup.md)."""
    named_share: float = 0.5
    """Of all votes, given to the departments that the operator says it goes to."""
    alternatives: int = 3
    knowledge: int = 3
    knowledge_share: float = 0.5
    """Of the nearest article's score, from which on another one speaks of the matter as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What the knowledge base says of the call; all empty where it knows nothing of it."""

    category: Field = UNKNOWN
    departments: tuple[Field, ...] = ()
    knowledge: tuple[Knowledge, ...] = ()
    titles: tuple[tuple[str, float], ...] = ()
    """Of the nearest articles, each with its share of the votes."""


class Directory:
    """Departments and what they are called in speech."""

    def __init__(self, rows: Iterable[str]) -> None:
        """Read lines of `department,alias`, aliases divided by `|`."""
        self._names: dict[str, str] = {}
        for row in csv.DictReader(rows):
            self._names |= dict.fromkeys((row["department"], *row["alias"].split("|")), row["department"])
        names = "|".join(map(re.escape, sorted(self._names, key=len, reverse=True)))
        self._handed = re.compile(rf"{_HANDS_OVER}[^，。！？]{{0,10}}?({names})" if names else "(?!)")

    @property
    def departments(self) -> frozenset[str]:
        """All of them, by their full names."""
        return frozenset(self._names.values())

    def handed_to(self, pieces: Sequence[Piece]) -> dict[str, list[Span]]:
        """The departments that the operator says the matter goes to, and where."""
        found: dict[str, list[Span]] = defaultdict(list)
        for piece in pieces:
            for said in () if piece.is_citizens else self._handed.finditer(piece.text):
                at = piece.span.start
                span = Span(segment_id=piece.span.segment_id, start=at + said.start(1), end=at + said.end(1))
                found[self._names[said[1]]].append(span)
        return found


def find_matter(
    votes: Votes,
    pieces: Sequence[Piece],
    topics: Topics,
    directory: Directory,
    options: MatterOptions = MatterOptions(),
) -> Matter:
    """Let the nearest articles vote, the nearer the more; the operator's own words count beside them."""
    handed = directory.handed_to(pieces)
    best = float(votes.scores.max(initial=0.0))
    is_known = best >= options.least_score
    voters = [int(i) for i in np.argsort(-votes.scores)[:_VOTERS]] if is_known else []
    shares = {i: float(votes.scores[i]) ** 2 for i in voters}
    total = sum(shares.values()) or 1.0
    shares = {i: share / total for i, share in shares.items()}
    sure = min(1.0, best / (2 * options.least_score))
    by_department = _sums(shares, lambda i: topics.articles[i].department)
    if handed:
        kept = 1.0 - options.named_share if by_department else 1.0
        by_department = defaultdict(float, {name: kept * share for name, share in by_department.items()})
        for name in handed:
            by_department[name] += options.named_share / len(handed)
    ranked = sorted(by_department, key=lambda name: -by_department[name])[: options.alternatives]
    departments = tuple(
        Field(
            value=name,
            confidence=min(0.99, by_department[name] * (1.0 if name in handed else sure)),
            spans=tuple(handed[name]) if name in handed else _reasons(votes, topics, _has(department=name)),
        )
        for name in ranked
    )
    return Matter(
        category=_category(shares, votes, topics, sure),
        departments=departments,
        knowledge=_knowledge(votes, topics, options) if is_known else (),
        titles=tuple((topics.articles[i].title, share) for i, share in shares.items()),
    )


def _category(shares: dict[int, float], votes: Votes, topics: Topics, sure: float) -> Field:
    by_category = _sums(shares, lambda i: topics.articles[i].category)
    if not by_category:
        return UNKNOWN
    name = max(by_category, key=lambda each: by_category[each])
    spans = _reasons(votes, topics, _has(category=name))
    return Field(value=name, confidence=min(0.99, by_category[name] * sure), spans=spans)


def _knowledge(votes: Votes, topics: Topics, options: MatterOptions) -> tuple[Knowledge, ...]:
    order = [int(i) for i in np.argsort(-votes.scores)[: options.knowledge]]
    best = float(votes.scores[order[0]])
    least = max(options.least_score, options.knowledge_share * best)
    return tuple(
        Knowledge(
            article_id=topics.articles[i].article_id,
            title=topics.articles[i].title,
            confidence=1.0 - math.exp(-float(votes.scores[i]) / options.least_score),
        )
        for i in order
        if votes.scores[i] >= least
    )


def _sums(shares: dict[int, float], name_of: Callable[[int], str]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for i, share in shares.items():
        if name_of(i):
            sums[name_of(i)] += share
    return sums


def _has(*, category: str = "", department: str = "") -> Callable[[Article], bool]:
    return lambda article: (
        (not category or article.category == category)
        and (not department or article.department == department)
    )


def _reasons(votes: Votes, topics: Topics, fits: Callable[[Article], bool]) -> tuple[Span, ...]:
    """The two pieces that speak most for the articles that fit."""
    fitting = np.array([fits(article) for article in topics.articles])
    weights = [(float(np.where(fitting, share, 0.0).max()), piece) for piece, share in votes.by_piece]
    best = sorted(weights, key=lambda each: -each[0])[:2]
    return tuple(piece.span for weight, piece in best if weight > 0)
