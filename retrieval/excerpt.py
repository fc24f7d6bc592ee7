"""The words on a card: what of an article can be read out for this need.

In: an article and what was asked.
Out: one to three sentences of its body.
Not known here: scores, other cards.
"""

from knowledge_base.passages import sentences
from knowledge_base.types import Article
from retrieval.tokens import characters

MAX_CHARS = 130
"""An excerpt ends with the sentence that would pass this; the first one always stays whole."""
_CLEARLY_MORE = 3
"""Pairs of characters by which a later line must fit better than the first, which answers by itself."""


def excerpt(article: Article, asked: str) -> str:
    """Return the first line of the body, or a later line that clearly fits the question better.

    What the title says as well does not count: it is true of the whole article.
    """
    lines = [line.strip() for line in article.body.splitlines() if line.strip()]
    if not lines:
        return article.title
    wanted = set(characters(asked)) - set(characters(article.title))
    fits = [len(wanted.intersection(characters(line))) for line in lines]
    best = max(range(len(lines)), key=lambda i: (fits[i], -i))
    line = lines[best] if fits[best] >= fits[0] + _CLEARLY_MORE else lines[0]
    kept = ""
    for number, sentence in enumerate(sentences(line)):
        if number == 3 or (kept and len(kept) + len(sentence) > MAX_CHARS):
            break
        kept += sentence
    return kept
