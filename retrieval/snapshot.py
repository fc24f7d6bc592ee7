"""A published version in memory: everything a search needs, whole and unchanging.

In: a version's folder, and the name of the embedding model that will ask.
Out: articles, passages and the three channels' indexes.
Not known here: whether this version is the served one, who searches.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge_base.json_text import dumps
from knowledge_base.types import Article, BadVersion, Passage, Version
from knowledge_base.versions import read_description
from retrieval.index import DenseIndex
from retrieval.lexical import LexicalIndex, Tokenise
from retrieval.passage_file import PassageFile, write_passages
from retrieval.tokens import REVISION, characters, sounds
from retrieval.types import Channel

_ARTICLES = "articles.jsonl"
_TOKENISE: Mapping[Channel, Tokenise] = {Channel.LEXICAL: characters, Channel.PINYIN: sounds}
_BACKGROUND = 512
"""Titles against which a cosine is judged; more do not change mean and spread noticeably."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A version ready to be searched, by any number of threads at once."""

    version: Version
    articles: tuple[Article, ...]
    """The order is that of the texts in `lexical`."""
    place: Mapping[str, int]
    """article_id → index into `articles`."""
    passages: PassageFile
    dense: DenseIndex
    background: NDArray[np.float32]
    """Vectors of titles from all over the knowledge base, (at most 512, dimension)."""
    lexical: Mapping[Channel, LexicalIndex]

    @classmethod
    def load(cls, folder: Path, *, model: str, dimension: int) -> "Snapshot":
        """Read a version's folder.

        Raises `BadVersion` when it is damaged or was made by another embedding model.
        """
        version = read_description(folder)
        dense = DenseIndex.read(folder, model=model, dimension=dimension)
        try:
            articles = tuple(_read_article(line) for line in _lines(folder / _ARTICLES))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BadVersion(f"知识库版本 {folder.name} 的内容读不出来。") from error
        place = {article.article_id: i for i, article in enumerate(articles)}
        passages = PassageFile.read(folder, place)
        if (len(articles), len(passages)) != (version.articles, version.passages):
            raise BadVersion(f"知识库版本 {folder.name} 的条数与说明不符。")
        if not np.array_equal(np.sort(dense.ids), passages.ids):
            raise BadVersion(f"知识库版本 {folder.name} 的索引与段落不符。")
        titles = passages.titles
        some = titles[:: max(1, len(titles) // _BACKGROUND)][:_BACKGROUND].tolist()
        background = [dense.vector(passage_id) for passage_id in some]
        return cls(
            version=version,
            articles=articles,
            place=place,
            passages=passages,
            dense=dense,
            background=np.array(background, np.float32).reshape(len(background), dimension),
            lexical=_read_lexical(folder, articles),
        )


def write_contents(folder: Path, articles: Sequence[Article], passages: Iterable[Passage]) -> None:
    """Write articles, and passages in the order of their articles, into a version's folder."""
    with (folder / _ARTICLES).open("w", encoding="utf-8") as file:
        file.writelines(f"{article_text(article)}\n" for article in articles)
    write_passages(folder, passages, {article.article_id: i for i, article in enumerate(articles)})


def write_lexical(folder: Path, articles: Sequence[Article]) -> None:
    """Write the lexical channels' indexes into a version's folder: whoever serves it need not build them."""
    texts = [_searched_text(article) for article in articles]
    for channel, tokenise in _TOKENISE.items():
        LexicalIndex.build(texts, tokenise).write(folder, _lexical_name(channel))


def read_article_texts(folder: Path) -> dict[str, str]:
    """Read a version's articles as `article_text`, by identifier; raises `BadVersion`."""
    try:
        articles = [_read_article(line) for line in _lines(folder / _ARTICLES)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadVersion(f"知识库版本 {folder.name} 的内容读不出来。") from error
    return {article.article_id: article_text(replace(article, updated_at=None)) for article in articles}


def article_text(article: Article) -> str:
    """Write the article on one line of JSON, the same for equal articles."""
    row = asdict(article)
    for field in ("effective_from", "expires_on", "updated_at"):
        row[field] = row[field] and row[field].isoformat()
    return dumps(row)


def _read_lexical(folder: Path, articles: Sequence[Article]) -> dict[Channel, LexicalIndex]:
    """Read the lexical channels' indexes, or build those that an older release did not write.

    Raises `BadVersion`.
    """
    found = {}
    texts: list[str] = []
    for channel, tokenise in _TOKENISE.items():
        try:
            index = LexicalIndex.read(folder, _lexical_name(channel), tokenise, count=len(articles))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadVersion(f"知识库版本 {folder.name} 的文字索引读不出来。") from error
        if index is None:
            texts = texts or [_searched_text(article) for article in articles]
            index = LexicalIndex.build(texts, tokenise)
        found[channel] = index
    return found


def _lexical_name(channel: Channel) -> str:
    return f"{channel}-{REVISION}"


def _searched_text(article: Article) -> str:
    """Join what the lexical channels see; the title counts double."""
    return "\n".join((article.title, article.title, *article.keywords, *article.questions, article.body))


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _read_article(row: dict[str, Any]) -> Article:
    def day(text: str | None) -> date | None:
        return date.fromisoformat(text) if text else None

    return Article(
        **row
        | {
            "questions": tuple(row["questions"]),
            "keywords": tuple(row["keywords"]),
            "effective_from": day(row["effective_from"]),
            "expires_on": day(row["expires_on"]),
            "updated_at": datetime.fromisoformat(row["updated_at"]) if row["updated_at"] else None,
        }
    )
