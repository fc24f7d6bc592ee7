"""How likely words are: in Chinese at large, and in what this installation is about.

In: a list of general word counts, terms with a weight, and texts of the domain.
Out: the cost of a word (negative log probability, in nats) and the likeliest division of a text into words.
Not known here: sounds, corrections, where the texts come from.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

MAX_WORD = 16
"""Longest word that is looked for, in characters."""
_USUAL_LONGEST = 4
_HAN = re.compile("[\u4e00-\u9fff〇]+")
_UNSEEN = 0.5  # counts as half a sighting
_DOMAIN_SHARE = 0.3
"""Weight of the domain's own counts beside the general ones."""
_TERM_COUNT = 3_000.0
"""How often a term of weight 1 counts as seen, in the general list's 60 million words."""

_Arc = TypeVar("_Arc")


@cache
def general_words() -> Mapping[str, int]:
    """Some 350,000 words with their counts: the dictionary of the package `jieba`, read as data."""
    spec = find_spec("jieba")
    if spec is None or spec.origin is None:
        raise RuntimeError("The package jieba, whose word list is needed, is not installed.")
    counts: dict[str, int] = {}
    with (Path(spec.origin).parent / "dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, count, _ = line.rsplit(" ", 2)
            if len(word) <= MAX_WORD:
                counts[word] = int(count)
    return counts


class Vocabulary:
    """Words and their costs; unchanging, for any number of threads."""

    def __init__(
        self,
        general: Mapping[str, int],
        *,
        terms: Mapping[str, float] | None = None,
        domain: Mapping[str, int] | None = None,
    ) -> None:
        """`terms` gives each its weight, 1 for usual ones; `domain` counts the words of its texts."""
        self._general = general
        self._general_total = sum(general.values()) or 1
        self._terms = {term: weight * _TERM_COUNT for term, weight in (terms or {}).items()}
        self._domain = domain or {}
        self._domain_total = sum(self._domain.values()) or 1
        self._longest = min(MAX_WORD, max((len(term) for term in self._terms), default=_USUAL_LONGEST))
        self._unknown_cost = -math.log(_UNSEEN / self._general_total)

    def is_word(self, text: str) -> bool:
        """Whether the text is a word of the language at large."""
        return text in self._general

    def arcs(self, text: str, at: int) -> Iterator[tuple[int, float, str]]:
        """The words that begin there, as (end, cost, word); a lone character always counts as one."""
        for end in range(at + 1, min(len(text), at + self._longest) + 1):
            word = text[at:end]
            cost = self.cost(word)
            if cost is not None:
                yield end, cost, word
            elif end == at + 1:
                yield end, self._unknown_cost, word

    def cost(self, word: str) -> float | None:
        """Negative log probability of a word; None for what is no word.

        Nothing is kept of what was asked: most of it is no word and is never asked again.
        """
        general = max(self._general.get(word, 0), self._terms.get(word, 0.0))
        domain = self._domain.get(word, 0)
        if not general and not domain:
            return None
        share = _DOMAIN_SHARE if self._domain else 0.0
        return -math.log((1 - share) * general / self._general_total + share * domain / self._domain_total)


def count_words(texts: Iterable[str], vocabulary: Vocabulary) -> Counter[str]:
    """Count the words of texts, each divided where its words are likeliest."""
    counts: Counter[str] = Counter()
    for text in texts:
        for run in _HAN.findall(text):
            counts.update(cheapest_path(len(run), partial(vocabulary.arcs, run)))
    return counts


def cheapest_path(length: int, arcs_from: Callable[[int], Iterable[tuple[int, float, _Arc]]]) -> list[_Arc]:
    """Cover 0…length by arcs (end, cost, what) at the least cost; some arc must leave every position."""
    costs = [0.0] + [math.inf] * length
    came: list[tuple[int, _Arc] | None] = [None] * (length + 1)
    for at in range(length):
        for end, cost, what in arcs_from(at):
            if costs[at] + cost < costs[end]:
                costs[end], came[end] = costs[at] + cost, (at, what)
    path: list[_Arc] = []
    at = length
    while at:
        step = came[at]
        assert step is not None
        at, what = step
        path.append(what)
    return path[::-1]
