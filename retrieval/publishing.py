"""Articles become a published version: built aside, checked, then served at once.

In: the articles that shall be found, an embedder, the folder of versions.
Out: a new `Version` in that folder, which `current` points to.
Not known here: who edits articles, who is searching meanwhile.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge_base.passages import cut, embedding_text
from knowledge_base.types import Article, BadVersion, Passage, Version
from knowledge_base.versions import VersionFolder, version_name, write_description
from retrieval.index import DenseIndex
from retrieval.snapshot import Snapshot, article_text, write_contents
from retrieval.vectors import Embedder, Vectors

Progress = Callable[[int, int], None]
"""Called with (passages embedded, passages to embed)."""

_EMBEDDED_AT_ONCE = 64
_CHECKED = 200
"""Passages whose own vector must find them before a version is served."""


def publish(
    articles: Iterable[Article],
    *,
    embedder: Embedder,
    folder: Path,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
    keep: int = 5,
) -> Version:
    """Publish the articles and return what is served now; the newest `keep` versions stay.

    Passages that the served version has already are not embedded again. When nothing changed
    since, nothing is built. Killed at any moment, the former version goes on being served.

    Raises `KnowledgeError` (`kb.publishing`) when another publish is under way, and `BadVersion`
    when the new version does not find its own passages; the former one then stays.
    """
    versions = VersionFolder(folder)
    ordered = sorted(articles, key=lambda article: article.article_id)
    passages = [passage for article in ordered for passage in cut(article)]
    content_hash = _content_hash(ordered, passages, embedder.name)
    with versions.publishing():
        served = _served(versions, embedder)
        if served is not None and served[0].content_hash == content_hash:
            return served[0]
        vectors = _vectors(passages, served[1] if served else {}, embedder, progress)
        version = Version(
            version=version_name(now, content_hash),
            published_at=now,
            articles=len(ordered),
            passages=len(passages),
            model=embedder.name,
            dimension=embedder.dimension,
            content_hash=content_hash,
        )
        with versions.building(version.version) as aside:
            write_contents(aside, ordered, passages)
            index = DenseIndex.build([passage.passage_id for passage in passages], vectors)
            index.write(aside, model=embedder.name)
            write_description(aside, version)
            _check(Snapshot.load(aside, model=embedder.name, dimension=embedder.dimension))
        versions.point_to(version.version)
        versions.prune(keep)
    return version


def _content_hash(articles: Sequence[Article], passages: Sequence[Passage], model: str) -> str:
    digest = hashlib.sha256(model.encode())
    for article in articles:
        # The moment of an edit changes nothing that can be found or shown.
        digest.update(article_text(replace(article, updated_at=None)).encode())
    for passage in passages:
        digest.update(f"{passage.passage_id}{passage.content_hash}".encode())
    return digest.hexdigest()


def _served(
    versions: VersionFolder, embedder: Embedder
) -> tuple[Version, dict[str, NDArray[np.float32]]] | None:
    """Load the served version with its vectors by content hash, or None where it cannot be used."""
    name = versions.current()
    if name is None:
        return None
    try:
        snapshot = Snapshot.load(versions.path(name), model=embedder.name, dimension=embedder.dimension)
    except BadVersion:
        # Damaged, or made by another model: everything is embedded anew.
        return None
    vectors = {p.content_hash: snapshot.dense.vector(p.passage_id) for p in snapshot.passages.values()}
    return snapshot.version, vectors


def _vectors(
    passages: Sequence[Passage],
    known: dict[str, NDArray[np.float32]],
    embedder: Embedder,
    progress: Progress,
) -> Vectors:
    """One row per passage; each content is embedded at most once."""
    missing: dict[str, str] = {}
    for passage in passages:
        if passage.content_hash not in known:
            text = embedding_text(passage.kind, passage.title, passage.text)
            missing.setdefault(passage.content_hash, text)
    found = dict(known)
    # Texts of like length go together: a batch is as slow as its longest one.
    hashes = sorted(missing, key=lambda content_hash: len(missing[content_hash]))
    progress(0, len(hashes))
    for start in range(0, len(hashes), _EMBEDDED_AT_ONCE):
        some = hashes[start : start + _EMBEDDED_AT_ONCE]
        vectors = embedder.embed_passages([missing[content_hash] for content_hash in some])
        found |= dict(zip(some, vectors, strict=True))
        progress(start + len(some), len(hashes))
    rows = [found[passage.content_hash] for passage in passages]
    return np.array(rows, np.float32).reshape(len(rows), embedder.dimension)


def _check(snapshot: Snapshot) -> None:
    """Let passages from all over the version find themselves; raises `BadVersion`."""
    passages = list(snapshot.passages.values())
    for passage in passages[:: max(1, len(passages) // _CHECKED)]:
        vector = snapshot.dense.vector(passage.passage_id)
        ids, scores = snapshot.dense.search(vector[None, :], 1)
        best = snapshot.passages.get(int(ids[0, 0]))
        if best is None or scores[0, 0] < 0.99:
            raise BadVersion(f"新版本 {snapshot.version.version} 未通过自检，仍使用原版本。")
