"""The types that the memory emits: articles, passages and published versions.

In: nothing; this module imports no other module of the project.
Out: `Article` → `Passage`, `Version`, and the errors of the memory.
Not known here: vectors, indexes, databases, calls.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One piece of knowledge: an answer that an operator can read out."""

    article_id: str
    title: str
    body: str
    """Plain text; the first line answers by itself, each further line opens with its label."""
    questions: tuple[str, ...] = ()
    """How citizens ask for it, in their own words."""
    keywords: tuple[str, ...] = ()
    category: str = ""
    department: str = ""
    source: str = ""
    effective_from: date | None = None
    expires_on: date | None = None
    """First day on which the article no longer holds; None means until further notice."""
    updated_at: datetime | None = None

    def is_valid_on(self, day: date) -> bool:
        """Whether the article holds on that day."""
        begun = self.effective_from is None or self.effective_from <= day
        return begun and (self.expires_on is None or day < self.expires_on)


class PassageKind(StrEnum):
    """Which part of the article a passage was cut from."""

    TITLE = "title"
    QUESTION = "question"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The unit of search: one title, one similar question, or one piece of a body."""

    passage_id: int
    """Positive and below 2**63: derived from article, kind and content, so that it survives a republish."""
    article_id: str
    title: str
    text: str
    kind: PassageKind
    content_hash: str
    """SHA-256 of what is embedded; equal hashes are embedded once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A published state of the knowledge base, whole and unchanging."""

    version: str
    """Sorts by time of publishing, e.g. `20260305T101500-1a2b3c4d`."""
    published_at: datetime
    articles: int
    passages: int
    model: str
    """Name of the embedding model, with its revision."""
    dimension: int
    content_hash: str


class KnowledgeError(Exception):
    """What can go wrong while remembering.

    KnowledgeError
    ├── UnreadableFile    an import that is not what it was said to be
    ├── UnknownArticle    no article of that identifier
    └── BadVersion        a published version that is damaged or made for another model
    """

    code = "kb.error"
    recoverable = False

    def __init__(self, message: str, *, code: str | None = None, recoverable: bool | None = None):
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.recoverable = type(self).recoverable if recoverable is None else recoverable


class UnreadableFile(KnowledgeError):
    """The file or one of its rows cannot be understood; nothing was changed."""

    code = "kb.file_unreadable"


class UnknownArticle(KnowledgeError):
    """There is no article of that identifier."""

    code = "kb.unknown_article"


class BadVersion(KnowledgeError):
    """The version on disk fails its own manifest, or was made with another embedding model."""

    code = "kb.bad_version"
