"""The types that the memory emits: articles and their history, passages, published versions.

In: nothing; this module imports no other module of the project.
Out: `Article` → `Passage`, `Version`, what editors leave behind, and the errors of the memory.
Not known here: vectors, indexes, databases, calls.
"""

from collections.abc import Sequence
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
    district: str = ""
    """Where alone it holds; empty for the whole city."""
    source: str = ""
    effective_from: date | None = None
    expires_on: date | None = None
    """First day on which the article no longer holds; None means until further notice."""
    updated_at: datetime | None = None

    def is_valid_on(self, day: date) -> bool:
        """Whether the article holds on that day."""
        begun = self.effective_from is None or self.effective_from <= day
        return begun and (self.expires_on is None or day < self.expires_on)


class ArticleState(StrEnum):
    """Where an article's newest revision stands on its way to the operators."""

    DRAFT = "draft"
    """Being written; what was approved before goes on being published."""
    IN_REVIEW = "review"
    """Waits for a second person."""
    APPROVED = "approved"
    """Goes out with the next publish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptArticle:
    """An article as its editors see it."""

    article: Article
    revision: int
    """Counts every change of content or state, from 1; two editors are told apart by it."""
    state: ArticleState
    author: str
    """Who made the newest revision; empty where nobody was named."""
    approved_revision: int | None
    """The revision that the next publish takes, or None where none was ever approved."""
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One step in an article's history."""

    article: Article
    revision: int
    action: str
    """One of `created`, `edited`, `imported`, `reverted`, `submitted`, `approved`, `rejected`, `deleted`,
    `restored`.
    """
    state: ArticleState
    author: str
    at: datetime
    note: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A question that must find its article, or a new version is not served."""

    question: str
    article_id: str
    within: int = 3
    """The article must be among that many best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What the next publish would change, by identifier, in order."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class KnowledgeError(Exception):
    """What can go wrong while remembering.

    KnowledgeError
    ├── UnreadableFile    an import that is not what it was said to be
    ├── UnknownArticle    no article of that identifier
    ├── BadArticle        an article that cannot be kept: a field missing, too long, or contradicting
    ├── EditConflict      somebody else changed the article meanwhile
    ├── DatabaseUnusable  the database is damaged, or there is no room for it
    └── BadVersion        a published version that is damaged or made for another model
        └── CanaryFailed  a question no longer finds its article
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

    def __init__(self, message: str, *, code: str | None = None, columns: Sequence[str] = ()):
        super().__init__(message, code=code)
        self.columns = tuple(columns)
        """The names in the row that looks most like a header, where title or body is missing among them."""


class UnknownArticle(KnowledgeError):
    """There is no article of that identifier."""

    code = "kb.unknown_article"


class BadArticle(KnowledgeError):
    """The article cannot be kept as it is; nothing was changed."""

    code = "kb.bad_article"


class EditConflict(KnowledgeError):
    """The article is not in the revision that the change was made for; nothing was changed."""

    code = "kb.edit_conflict"

    def __init__(self, message: str, *, current: KeptArticle | None):
        super().__init__(message)
        self.current = current
        """The article as it stands, or None where there is none of that identifier."""


class DatabaseUnusable(KnowledgeError):
    """The database cannot be opened or brought to the newest schema; the message says what to do."""

    code = "kb.database_unusable"


class BadVersion(KnowledgeError):
    """The version on disk fails its own manifest, or was made with another embedding model."""

    code = "kb.bad_version"


class CanaryFailed(BadVersion):
    """The new version does not answer as it should; the former one stays."""

    code = "kb.canary_failed"

    def __init__(self, message: str, *, failed: tuple[Canary, ...]):
        super().__init__(message)
        self.failed = failed
