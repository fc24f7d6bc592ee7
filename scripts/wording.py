"""The lexicon that the served knowledge base gives, as a server would use it.

In: the data folder and an admin's file. Out: a `Lexicon`, and remembered segments put right by it.
Not known here: calls, what is measured with it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from asr.lexicon import Lexicon, corrected
from asr.types import Segment
from asr.wording import open_lexicon
from knowledge_base.importer import load_sample
from knowledge_base.types import Article
from knowledge_base.versions import VersionFolder
from retrieval.snapshot import Snapshot


def lexicon_of(data_dir: Path, file: Path | None) -> Lexicon:
    """Make the lexicon; where nothing is published, of the sample articles.

    Raises `BadVersion` where the version is damaged, and `BadTerms` where the file is no list of terms.
    """
    return open_lexicon(_served(data_dir), file)


def words_mark(data_dir: Path, file: Path | None) -> str:
    """Name the sources of the lexicon's words: it changes whenever they do."""
    served = VersionFolder(data_dir / "kb").current() or "sample"
    own = file.read_bytes() if file and file.is_file() else b""
    return f"{served} {hashlib.sha256(own).hexdigest()}"


def put_right(segments: Mapping[str, Sequence[Segment]], lexicon: Lexicon) -> dict[str, tuple[Segment, ...]]:
    """Correct what was heard in each call, as is done live when a segment comes."""
    return {call_id: tuple(corrected(each, lexicon) for each in heard) for call_id, heard in segments.items()}


def _served(data_dir: Path) -> tuple[Article, ...]:
    versions = VersionFolder(data_dir / "kb")
    current = versions.current()
    if current is None:
        return tuple(load_sample())
    version = versions.describe(current)
    return Snapshot.load(versions.path(current), model=version.model, dimension=version.dimension).articles
