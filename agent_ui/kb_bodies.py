"""What goes over the wire about the knowledge: the bodies of requests and answers, as OpenAPI shows them.

In: JSON, and the types of the packages. Out: pydantic models, and types again.
Not known here: routes, status codes.
"""

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from calls.usage import ArticleUsage, Missed, WhyMissed
from knowledge_base.columns import checked, clean
from knowledge_base.duplicates import Duplicate, Shared
from knowledge_base.feedback import Report
from knowledge_base.importer import Import
from knowledge_base.progress import PublishState, Stage
from knowledge_base.types import Article, ArticleState, KeptArticle, Revision, Version


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ArticleContent(_Out):
    """What an article says."""

    title: str
    body: str
    questions: list[str] = []
    keywords: list[str] = []
    category: str = ""
    department: str = ""
    district: str = ""
    source: str = ""
    effective_from: date | None = None
    expires_on: date | None = None

    def to_article(self, article_id: str) -> Article:
        """The article, cleaned; raises `BadArticle`."""
        return checked(
            Article(
                article_id=clean(article_id),
                title=clean(self.title),
                body=clean(self.body),
                questions=_cleaned(self.questions),
                keywords=_cleaned(self.keywords),
                category=clean(self.category),
                department=clean(self.department),
                district=clean(self.district),
                source=clean(self.source),
                effective_from=self.effective_from,
                expires_on=self.expires_on,
            )
        )


class ArticleIn(ArticleContent):
    """An article to keep."""

    author: str = Field(default="", max_length=100, description="Who writes, for the history.")
    draft: bool = Field(default=False, description="Keep it as a draft: it is not published yet.")


class NewArticleIn(ArticleIn):
    """A new article."""

    article_id: str = Field(default="", description="Made from the title where it is empty.")


class ArticleOut(ArticleContent):
    """An article as it is kept. Its `revision` is also its ETag."""

    article_id: str
    updated_at: datetime | None
    revision: int
    state: ArticleState
    author: str
    approved_revision: int | None
    deleted_at: datetime | None

    @classmethod
    def of(cls, kept: KeptArticle) -> "ArticleOut":
        """The article in its outward form."""
        return cls(
            **ArticleContent.model_validate(kept.article).model_dump(),
            article_id=kept.article.article_id,
            updated_at=kept.article.updated_at,
            revision=kept.revision,
            state=kept.state,
            author=kept.author,
            approved_revision=kept.approved_revision,
            deleted_at=kept.deleted_at,
        )


class ArticlesOut(BaseModel):
    """One page of articles, and how many there are."""

    total: int
    articles: list[ArticleOut]


class RevisionOut(BaseModel):
    """One step of an article's history."""

    revision: int
    action: str
    state: ArticleState
    author: str
    at: datetime
    note: str
    content: ArticleContent

    @classmethod
    def of(cls, step: Revision) -> "RevisionOut":
        """The step in its outward form."""
        return cls(
            revision=step.revision,
            action=step.action,
            state=step.state,
            author=step.author,
            at=step.at,
            note=step.note,
            content=ArticleContent.model_validate(step.article),
        )


class MoveIn(BaseModel):
    """Submit (`review`), approve (`approved`) or send back (`draft`)."""

    to: ArticleState
    author: str = Field(default="", max_length=100)
    note: str = Field(default="", max_length=1000)


class RevertIn(BaseModel):
    """Take up the content of an earlier revision as a new one."""

    revision: int
    author: str = Field(default="", max_length=100)


class AuthorIn(BaseModel):
    """Who does it."""

    author: str = Field(default="", max_length=100)


class RowErrorOut(_Out):
    """Why a row of a file is not an article."""

    row: int
    message: str


class ColumnOut(BaseModel):
    """A column of a file, and the field that it was taken for."""

    column: str
    field: str | None


class DuplicateOut(_Out):
    """Two articles that share something."""

    article_id: str
    other_id: str
    shared: Shared
    likeness: float
    text: str


class ImportedRowOut(BaseModel):
    """An article of a file, and what importing it would do."""

    row: int
    article_id: str
    title: str
    effect: str = Field(description="`new`, `changed` or `unchanged`.")


class ImportOut(BaseModel):
    """What a file holds; `applied` says whether it was kept."""

    applied: bool
    new: int
    changed: int
    unchanged: int
    rows: list[ImportedRowOut] = Field(description="The first 200.")
    errors: list[RowErrorOut] = Field(description="The first 200.")
    error_count: int
    columns: list[ColumnOut]
    duplicates: list[DuplicateOut] = Field(description="Likely repetitions, likest first; the first 200.")


class ChangesOut(_Out):
    """What the next publish would change."""

    added: list[str]
    changed: list[str]
    removed: list[str]


class PublishStateOut(_Out):
    """How far the newest publish is."""

    stage: Stage
    is_running: bool
    started_at: datetime | None
    done: int
    total: int
    version: str | None
    canaries: int
    code: str | None
    message: str | None

    @classmethod
    def of(cls, state: PublishState) -> "PublishStateOut":
        """The state in its outward form."""
        return cls.model_validate(state)


class VersionOut(_Out):
    """A published version."""

    version: str
    published_at: datetime
    articles: int
    passages: int
    model: str
    is_current: bool = False

    @classmethod
    def of(cls, version: Version, *, current: str | None) -> "VersionOut":
        """The version in its outward form."""
        return cls.model_validate(version).model_copy(update={"is_current": version.version == current})


class RollbackIn(BaseModel):
    """Which version to serve again."""

    version: str


class CanaryBody(_Out):
    """A question that must find its article among so many best."""

    question: str = Field(min_length=1, max_length=500)
    article_id: str
    within: int = Field(default=3, ge=1, le=50)


class MissedOut(_Out):
    """A citizen's words that found nothing good."""

    question: str
    call_id: str
    at: datetime
    why: WhyMissed


class GapOut(BaseModel):
    """Missed questions that ask for the same, the most typical first."""

    count: int
    questions: list[MissedOut]

    @classmethod
    def of(cls, missed: Sequence[Missed]) -> "GapOut":
        """The group in its outward form."""
        return cls(count=len(missed), questions=[MissedOut.model_validate(one) for one in missed])


class AdoptIn(BaseModel):
    """Make missed questions similar questions of an article; without an article, set them aside."""

    questions: list[str] = Field(min_length=1, max_length=200)
    article_id: str | None = None
    author: str = Field(default="", max_length=100)


class QuestionsIn(BaseModel):
    """Missed questions, as they were listed."""

    questions: list[str] = Field(min_length=1, max_length=200)


class UsageOut(_Out):
    """How one article fared on the operators' screens."""

    article_id: str
    title: str = ""
    shown: int
    used: int
    helpful: int
    wrong: int
    dismissed: int
    last_shown_at: datetime | None

    @classmethod
    def of(cls, usage: ArticleUsage, *, title: str) -> "UsageOut":
        """The counts in their outward form."""
        return cls.model_validate(usage).model_copy(update={"title": title})


class UsagesOut(BaseModel):
    """One page of articles with their counts."""

    total: int
    articles: list[UsageOut]


class ReportIn(BaseModel):
    """An error in an article."""

    text: str = Field(min_length=1, max_length=2000)
    reporter: str = Field(default="", max_length=100)
    call_id: str | None = Field(default=None, max_length=100)


class AnswerIn(BaseModel):
    """What was done about a report."""

    answer: str = Field(min_length=1, max_length=2000)
    author: str = Field(default="", max_length=100)


class ReportOut(_Out):
    """A report and its answer; without one it is open."""

    report_id: int
    article_id: str
    text: str
    reporter: str
    call_id: str | None
    at: datetime
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None

    @classmethod
    def of(cls, report: Report) -> "ReportOut":
        """The report in its outward form."""
        return cls.model_validate(report)


class ReportsOut(BaseModel):
    """One page of reports, and how many there are."""

    total: int
    reports: list[ReportOut]


def columns_out(found: Import) -> list[ColumnOut]:
    """The columns of a file."""
    return [ColumnOut(column=column, field=field) for column, field in found.columns]


def duplicates_out(pairs: Sequence[Duplicate]) -> list[DuplicateOut]:
    """Pairs in their outward form."""
    return [DuplicateOut.model_validate(pair) for pair in pairs]


def _cleaned(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in map(clean, texts) if text))
