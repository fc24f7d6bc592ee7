"""Cuts an article into the pieces that are searched.

In: an `Article`.
Out: its `Passage`s: the title, each similar question, the body in pieces of a breath or two.
Not known here: vectors, the channels of search, what was published before.
"""

import hashlib
import re
from collections.abc import Iterator

from knowledge_base.types import Article, Passage, PassageKind

BODY_CHARS = 140
"""A piece of a body grows by whole sentences until the next one would take it past this."""

_SENTENCE = re.compile(r"[^。！？；!?;]*[。！？；!?;]+[”’」』）)]*|[^。！？；!?;]+")


def cut(article: Article) -> list[Passage]:
    """Cut an article into passages, title first; the same text of one kind comes once."""
    pieces = [(PassageKind.TITLE, article.title)]
    pieces += [(PassageKind.QUESTION, question) for question in article.questions]
    pieces += [(PassageKind.BODY, piece) for piece in _body_pieces(article.body)]
    passages: dict[int, Passage] = {}
    for kind, text in pieces:
        if text.strip():
            passage = _passage(article, kind, text.strip())
            passages.setdefault(passage.passage_id, passage)
    return list(passages.values())


def embedding_text(kind: PassageKind, title: str, text: str) -> str:
    """Say what is embedded for a passage: a piece of a body means little without its title."""
    return f"{title}：{text}" if kind is PassageKind.BODY else text


def sentences(text: str) -> list[str]:
    """Split a text into sentences, line by line, each with its closing mark."""
    found = []
    for line in text.splitlines():
        found += [match.group().strip() for match in _SENTENCE.finditer(line)]
    return [sentence for sentence in found if sentence]


def _passage(article: Article, kind: PassageKind, text: str) -> Passage:
    embedded = embedding_text(kind, article.title, text)
    identity = hashlib.sha256("\0".join((article.article_id, kind, embedded)).encode()).digest()
    return Passage(
        # 63 bits, as FAISS keeps signed identifiers; zero is left out so that every one is positive.
        passage_id=(int.from_bytes(identity[:8], "big") >> 1) or 1,
        article_id=article.article_id,
        title=article.title,
        text=text,
        kind=kind,
        content_hash=hashlib.sha256(embedded.encode()).hexdigest(),
    )


def _body_pieces(body: str) -> Iterator[str]:
    """Lines are joined while they are short and split at sentences where they are long."""
    piece = ""
    for line in body.splitlines():
        parts = [line.strip()] if len(line) <= BODY_CHARS else sentences(line)
        for position, part in enumerate(parts):
            joint = "\n" if position == 0 else ""
            if piece and len(piece) + len(joint) + len(part) > BODY_CHARS:
                yield piece
                piece = part
            else:
                piece = f"{piece}{joint}{part}" if piece else part
    if piece:
        yield piece
