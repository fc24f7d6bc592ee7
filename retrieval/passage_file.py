"""The passages of a version: few numbers of each in memory, its text read from the file when it is asked for.

In: passages in the order of their articles; a version's folder.
Out: passages by identifier and by article, and arrays that say which passage belongs to which article.
Not known here: vectors, scores.

A knowledge base of 20,000 articles has 280,000 passages: making so many objects, and taking those of the
former version apart, keeps every search of every call waiting.
"""

import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge_base.json_text import dumps, loads
from knowledge_base.types import BadVersion, Passage, PassageKind

_TEXTS = "passages.jsonl"
_TABLE = "passages.npz"


class PassageFile(Mapping[int, Passage]):
    """Passages by identifier, in the order of the file. Any thread may ask."""

    def __init__(self, content: mmap.mmap | bytes, table: Mapping[str, NDArray[Any]]):
        self._content = content
        self._ids: NDArray[np.int64] = table["ids"]
        self._offsets: NDArray[np.int64] = table["offsets"]
        self._is_title: NDArray[np.bool_] = table["is_title"]
        self.places: NDArray[np.int32] = table["places"]
        """Of each passage the index of its article, ascending."""
        self._order = np.argsort(self._ids, kind="stable")
        self._sorted = self._ids[self._order]

    @classmethod
    def read(cls, folder: Path, place: Mapping[str, int]) -> "PassageFile":
        """Read a version's folder; `place` says where each article stands. Raises `BadVersion`."""
        try:
            with (folder / _TEXTS).open("rb") as file:
                is_empty = file.seek(0, 2) == 0
                content = b"" if is_empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            if (folder / _TABLE).is_file():
                with np.load(folder / _TABLE, allow_pickle=False) as kept:
                    table = {name: kept[name] for name in ("ids", "offsets", "is_title", "places")}
            else:  # written by an older release
                table = _table(bytes(content).splitlines(keepends=True), place)
            found = cls(content, table)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadVersion(f"知识库版本 {folder.name} 的内容读不出来。") from error
        if not found._is_whole(len(place)):
            raise BadVersion(f"知识库版本 {folder.name} 的段落表与内容不符。")
        return found

    def _is_whole(self, articles: int) -> bool:
        shapes = {len(self._ids), len(self.places), len(self._is_title), len(self._offsets) - 1}
        if len(shapes) != 1 or self._offsets[-1] != len(self._content):
            return False
        return not len(self.places) or bool(
            (np.diff(self.places) >= 0).all() and self.places[0] >= 0 and self.places[-1] < articles
        )

    def __getitem__(self, passage_id: int) -> Passage:
        at = int(np.searchsorted(self._sorted, passage_id))
        if at == len(self._sorted) or self._sorted[at] != passage_id:
            raise KeyError(passage_id)
        return self._passage(int(self._order[at]))

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids.tolist())

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Every identifier, ascending."""
        return self._sorted

    @property
    def titles(self) -> NDArray[np.int64]:
        """The identifiers of the titles, in the order of the articles."""
        return self._ids[self._is_title]

    def places_of(self, passage_ids: NDArray[np.int64]) -> NDArray[np.int32]:
        """The index of the article of each passage, (n,); every identifier must be one of ours."""
        return self.places[self._order[np.searchsorted(self._sorted, passage_ids)]]

    def of_article(self, place: int) -> list[Passage]:
        """The passages of the article with that index."""
        first, end = np.searchsorted(self.places, [place, place + 1])
        return [self._passage(row) for row in range(int(first), int(end))]

    def ids_of_articles(self, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The identifiers of the passages of those articles, (articles,)."""
        return self._ids[allowed[self.places]]

    def _passage(self, row: int) -> Passage:
        line = self._content[int(self._offsets[row]) : int(self._offsets[row + 1])]
        return _read(loads(line.decode("utf-8")))


def write_passages(folder: Path, passages: Iterable[Passage], place: Mapping[str, int]) -> None:
    """Write passages, in the order of their articles, into a version's folder."""
    lines = [f"{dumps(asdict(passage))}\n".encode() for passage in passages]
    with (folder / _TEXTS).open("wb") as file:
        file.writelines(lines)
    with (folder / _TABLE).open("wb") as file:
        table = _table(lines, place)
        np.savez(
            file,
            ids=table["ids"],
            offsets=table["offsets"],
            is_title=table["is_title"],
            places=table["places"],
        )


def read_hashes(folder: Path) -> dict[str, int]:
    """Which passage has which content: content hash → identifier. Raises `BadVersion`."""
    try:
        with (folder / _TEXTS).open(encoding="utf-8") as file:
            rows = map(loads, file)
            return {row["content_hash"]: row["passage_id"] for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadVersion(f"知识库版本 {folder.name} 的内容读不出来。") from error


def _table(lines: Iterable[bytes], place: Mapping[str, int]) -> dict[str, NDArray[Any]]:
    ids, places, titles, ends = [], [], [], [0]
    for line in lines:
        passage = _read(loads(line.decode("utf-8")))
        ids.append(passage.passage_id)
        places.append(place[passage.article_id])
        titles.append(passage.kind is PassageKind.TITLE)
        ends.append(ends[-1] + len(line))
    return {
        "ids": np.array(ids, np.int64),
        "offsets": np.array(ends, np.int64),
        "is_title": np.array(titles, bool),
        "places": np.array(places, np.int32),
    }


def _read(row: dict[str, Any]) -> Passage:
    return Passage(**row | {"kind": PassageKind(row["kind"])})
