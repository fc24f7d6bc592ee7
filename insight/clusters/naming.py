"""What a group is called, in words of its own.

In: what its members said, how rare pieces are. Out: a phrase that one of them wrote.
Not known here: time, who said it.

Of the clauses of all members that one is the name which says most of what many say, and little else.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from insight.clusters.grams import grams
from insight.clusters.types import Said

_CLAUSE = re.compile(r"[^，,。；;！!？?、\s…：:“”\"]+")
_POLITE = re.compile(
    "^(?:再次|强烈|关于|反映|投诉|举报|咨询|请问|请求|恳请|希望|建议|质疑|市民|来电人?|您好|你好|尊敬的|对于?(?=[^面方]))+"
)
_HOUSE = re.compile("[0-9一二三四五六七八九十]+(?:号楼|号(?!线)|幢|栋|单元|室|户)")
"""A matter is of more than one house."""
_LEAST_CHARS = 8
"""Less mostly is a place alone."""
_MOST_CHARS = 28
_MOST_READ = 60
"""Members, the newest."""
_KEPT = 0.25
"""What so few members say is no part of a name."""


def name_of(said: Sequence[Said], rarity: Callable[[str], float]) -> str:
    """At most 28 characters; empty where nobody wrote a clause."""
    texts = [one.text for one in said[-_MOST_READ:]]
    read = [grams(text) for text in texts]
    shares = Counter(piece for pieces in read for piece in pieces)
    worth = {piece: n / len(read) * rarity(piece) for piece, n in shares.items() if n >= _KEPT * len(read)}
    total = sum(worth.values())
    best, best_score = "", -1.0
    for clause in dict.fromkeys(clause for text in texts for clause in _clauses(text)):
        pieces = grams(clause)
        said_worth = sum(worth.get(piece, 0.0) for piece in pieces)
        own = sum(rarity(piece) for piece in pieces)
        score = 2 * said_worth / (total + own) if total + own else 0.0
        if score > best_score:
            best, best_score = clause, score
    return best


def _clauses(text: str) -> list[str]:
    """Each clause, and each two that follow each other where they are short enough together."""
    found = [_HOUSE.sub("", _POLITE.sub("", clause)) for clause in _CLAUSE.findall(text)]
    found += [pair for a, b in pairwise(found) if len(pair := f"{a}，{b}") <= _MOST_CHARS]
    long_enough = [clause for clause in found if len(clause) >= _LEAST_CHARS] or [text.strip()]
    return [
        clause if len(clause) <= _MOST_CHARS else f"{clause[: _MOST_CHARS - 1]}…" for clause in long_enough
    ]
