"""Articles become a published version: built aside, checked, then served at once.

In: the articles that shall be found, an embedder, questions that must find theirs, the folder of versions.
Out: a new `Version` in that folder, which `current` points to; or a former one, by `roll_back`.
Not known here: who edits articles, who is searching meanwhile.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from knowledge_base.depot import Depot
from knowledge_base.objects.types import ObjectsAway
from knowledge_base.passages import cut, embedding_text
from knowledge_base.progress import ProgressNote, RunningNote, Stage
from knowledge_base.types import Article, BadVersion, Canary, Changes, Passage, Version
from knowledge_base.versions import VersionFolder, seal, version_name, write_description
from retrieval.canaries import check_canaries
from retrieval.index import DenseIndex
from retrieval.passage_file import read_hashes
from retrieval.snapshot import (
    Snapshot,
    article_text,
    read_article_texts,
    write_contents,
    write_lexical,
)
from retrieval.vector_files import VectorJournal, read_pack
from retrieval.vectors import Embedder, Vector, Vectors

Progress = Callable[[int, int], None]
"""Called with (passages embedded, passages to embed)."""

KEPT_VERSIONS = 5
_EMBEDDED_AT_ONCE = 64
_CHECKED = 200
"""Passages whose own vector must find them before a version is served."""
_JOURNAL = ".vectors"


def publish(
    articles: Iterable[Article],
    *,
    embedder: Embedder,
    folder: Path,
    now: datetime,
    canaries: Sequence[Canary] = (),
    packs: Sequence[Path] = (),
    progress: Progress = lambda _done, _total: None,
    keep: int = KEPT_VERSIONS,
    depot: Depot | None = None,
) -> Version:
    """Publish the articles and return what is served now; the newest `keep` versions stay.

    Passages that a kept version has already, or one of the `packs` of `write_pack`, are not embedded
    again. When nothing changed since, nothing is built. Killed at any moment, the former version goes on
    being served, and what was embedded is not embedded again by the next run. `ProgressNote` tells
    other processes how far it is. With a `depot` the version is in the object store before anybody serves it.

    Raises `KnowledgeError` (`kb.publishing`) when another publish is under way, `ObjectsAway` when the object
    store does not answer (the former version then stays), `BadVersion` when the
    new version does not find its own passages, and `CanaryFailed` when a canary question does not find
    its article; the former version then stays.
    """
    versions = VersionFolder(folder)
    ordered = sorted(articles, key=lambda article: article.article_id)
    passages = [passage for article in ordered for passage in cut(article)]
    content_hash = _content_hash(ordered, passages, embedder.name)
    with versions.publishing(), _turn(depot) as see_turn, ProgressNote(folder).publishing(now) as note:
        if depot is not None:
            with suppress(BadVersion):  # it is about to be replaced
                depot.fetch_all()
        served = _described(versions, versions.current())
        if served is not None and (served.content_hash, served.model) == (content_hash, embedder.name):
            with suppress(BadVersion):  # a damaged one is made again
                versions.check(served.version)
                snapshot = _load(versions, served.version, embedder)
                check_canaries(snapshot, canaries, embedder, day=now.date())
                if depot is not None:
                    depot.offer(served.version)
                note.tell(stage=Stage.DONE, version=served.version, canaries=len(canaries))
                return served
        with VectorJournal(folder / _JOURNAL, model=embedder.name, dimension=embedder.dimension) as journal:
            vectors = _vectors(passages, versions, journal, packs, embedder, _both(note, progress))
        version = Version(
            version=_free_name(versions, now, content_hash),
            published_at=now,
            articles=len(ordered),
            passages=len(passages),
            model=embedder.name,
            dimension=embedder.dimension,
            content_hash=content_hash,
        )
        note.tell(stage=Stage.BUILDING)
        with versions.building(version.version) as aside:
            write_contents(aside, ordered, passages)
            write_lexical(aside, ordered)
            index = DenseIndex.build([passage.passage_id for passage in passages], vectors)
            index.write(aside, model=embedder.name)
            seal(aside)
            write_description(aside, version)
            note.tell(stage=Stage.CHECKING)
            snapshot = Snapshot.load(aside, model=embedder.name, dimension=embedder.dimension)
            _check(snapshot)
            check_canaries(snapshot, canaries, embedder, day=now.date())
            if depot is not None:
                depot.send(version.version, aside)
        see_turn()
        if depot is not None:
            depot.point_to(version.version)
        versions.point_to(version.version)
        journal.forget()
        versions.prune(keep)
        if depot is not None:
            with suppress(ObjectsAway):  # the next publish removes what is left
                depot.prune(keep)
        note.tell(stage=Stage.DONE, version=version.version, canaries=len(canaries))
    return version


def roll_back(
    version: str, *, folder: Path, model: str, dimension: int, depot: Depot | None = None
) -> Version:
    """Serve a kept version again.

    Raises `BadVersion` when it is not there, damaged or of another model, `ObjectsAway`; nothing is changed
    then.
    """
    versions = VersionFolder(folder)
    with versions.publishing(), _turn(depot) as see_turn:
        if depot is not None:
            with suppress(BadVersion):
                depot.fetch(version)
        versions.check(version)
        snapshot = Snapshot.load(versions.path(version), model=model, dimension=dimension)
        _check(snapshot)
        see_turn()
        if depot is not None:
            depot.point_to(version)
        versions.point_to(version)
    return snapshot.version


def changes(articles: Iterable[Article], *, folder: Path) -> Changes:
    """Say what publishing these articles would change; nothing is embedded for that."""
    versions = VersionFolder(folder)
    served = versions.current()
    before = read_article_texts(versions.path(served)) if served else {}
    after = {article.article_id: article_text(replace(article, updated_at=None)) for article in articles}
    return Changes(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(i for i in after.keys() & before.keys() if after[i] != before[i])),
        removed=tuple(sorted(before.keys() - after.keys())),
    )


def _turn(depot: Depot | None) -> AbstractContextManager[Callable[[], None]]:
    """The right to publish among all servers, where there are several."""
    return depot.alone() if depot is not None else nullcontext(lambda: None)


def _content_hash(articles: Sequence[Article], passages: Iterable[Passage], model: str) -> str:
    digest = hashlib.sha256(model.encode())
    for article in articles:
        # The moment of an edit changes nothing that can be found or shown.
        digest.update(article_text(replace(article, updated_at=None)).encode())
    for passage in passages:
        digest.update(f"{passage.passage_id}{passage.content_hash}".encode())
    return digest.hexdigest()


def _free_name(versions: VersionFolder, now: datetime, content_hash: str) -> str:
    """Name the version by the moment, or by the next second at which no version was made.

    A run that was killed between finishing its version and serving it has left one of the same name.
    """
    while (name := version_name(now, content_hash)) in versions.names():
        now += timedelta(seconds=1)
    return name


def _described(versions: VersionFolder, name: str | None) -> Version | None:
    with suppress(BadVersion):
        return versions.describe(name) if name else None
    return None


def _load(versions: VersionFolder, name: str, embedder: Embedder) -> Snapshot:
    return Snapshot.load(versions.path(name), model=embedder.name, dimension=embedder.dimension)


def _both(note: RunningNote, progress: Progress) -> Progress:
    def tell(done: int, total: int) -> None:
        note.tell(done=done, total=total)
        progress(done, total)

    return tell


def _vectors(  # noqa: PLR0917
    passages: Sequence[Passage],
    versions: VersionFolder,
    journal: VectorJournal,
    packs: Sequence[Path],
    embedder: Embedder,
    progress: Progress,
) -> Vectors:
    """One row per passage, (n, dimension); each content is embedded at most once."""
    rows = np.zeros((len(passages), embedder.dimension), np.float32)
    texts: dict[str, str] = {}
    places: dict[str, list[int]] = {}
    for place, passage in enumerate(passages):
        places.setdefault(passage.content_hash, []).append(place)
        texts[passage.content_hash] = embedding_text(passage.kind, passage.title, passage.text)

    def fill(known: Mapping[str, Vector]) -> None:
        for content_hash in texts.keys() & known.keys():
            rows[places[content_hash]] = known[content_hash]
            del texts[content_hash]

    fill(journal.known)
    # The served version knows most; one that was rolled back may know the rest.
    for name in dict.fromkeys([versions.current(), *reversed(versions.names())]):
        if name is not None and texts:
            fill(_vectors_of(versions, name, texts.keys(), embedder))
    for pack in packs:
        if texts:
            fill(read_pack(pack, model=embedder.name, dimension=embedder.dimension))
    # Texts of like length go together: a batch is as slow as its longest one.
    missing = sorted(texts, key=lambda content_hash: (len(texts[content_hash]), content_hash))
    progress(0, len(missing))
    for start in range(0, len(missing), _EMBEDDED_AT_ONCE):
        some = missing[start : start + _EMBEDDED_AT_ONCE]
        vectors = embedder.embed_passages([texts[content_hash] for content_hash in some])
        found = dict(zip(some, vectors, strict=True))
        journal.add(found.items())
        fill(found)
        progress(start + len(some), len(missing))
    return rows


def _vectors_of(
    versions: VersionFolder, name: str, wanted: Iterable[str], embedder: Embedder
) -> dict[str, Vector]:
    """What a kept version knows of the wanted contents; nothing where it is damaged or of another model."""
    try:
        folder = versions.path(name)
        dense = DenseIndex.read(folder, model=embedder.name, dimension=embedder.dimension)
        places = read_hashes(folder)
        held = set(dense.ids.tolist())
    except BadVersion:
        return {}
    return {h: dense.vector(places[h]) for h in wanted if places.get(h) in held}


def _check(snapshot: Snapshot) -> None:
    """Let passages from all over the version find themselves; raises `BadVersion`."""
    passage_ids = snapshot.passages.ids
    for passage_id in passage_ids[:: max(1, len(passage_ids) // _CHECKED)].tolist():
        vector = snapshot.dense.vector(passage_id)
        ids, scores = snapshot.dense.search(vector[None, :], 1)
        if int(ids[0, 0]) not in snapshot.passages or scores[0, 0] < 0.99:
            raise BadVersion(f"版本 {snapshot.version.version} 未通过自检，仍使用原版本。")
