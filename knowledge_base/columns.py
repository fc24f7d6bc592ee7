"""Columns with names of all kinds become the fields of an article.

In: one row as column → value, and where the names are unusual a mapping of columns to fields.
Out: an `Article`, or a sentence why the row is none.
Not known here: which kind of file the row came from.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from knowledge_base.plain_text import is_plain, plain
from knowledge_base.types import Article, BadArticle

FIELDS: dict[str, tuple[str, ...]] = {
    "article_id": ("article_id", "topic_id", "id", "编号", "知识编号", "序号"),
    "title": ("title", "question", "标题", "知识标题", "问题", "标准问", "名称", "事项名称"),
    "body": ("body", "answer", "content", "正文", "内容", "知识内容", "答案"),
    "questions": ("questions", "question_variants", "相似问", "相似问题", "相似问法", "扩展问", "问法"),
    "keywords": ("keywords", "关键词", "关键字"),
    "category": ("category", "类别", "分类", "所属分类"),
    "department": ("department", "部门", "责任部门", "承办单位", "主管部门"),
    "district": ("district", "区县", "适用区域", "地区"),
    "source": ("source", "来源", "出处", "来源链接"),
    "effective_from": ("effective_from", "生效日期", "开始日期"),
    "expires_on": ("expires_on", "失效日期", "截止日期", "有效期至"),
}
"""Names that are understood without a mapping; the last but one or two are what exports write."""
LABELS: dict[str, str] = {
    "article_id": "编号",
    "title": "标题",
    "body": "正文",
    "questions": "相似问法",
    "keywords": "关键词",
    "category": "分类",
    "department": "部门",
    "district": "区县",
    "source": "来源",
    "effective_from": "生效日期",
    "expires_on": "失效日期",
}
"""The field in the words of the people who edit it; exports use these as headers."""
_FIELD_OF = {alias: field for field, aliases in FIELDS.items() for alias in aliases}
_LISTS = ("questions", "keywords")
_DATES = ("effective_from", "expires_on")
_ID = re.compile(r"[^\s/\\?#%]{1,64}")
_LINE_END = re.compile(r"\r\n|[\r\u2028\u2029]")
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_ESCAPED = re.compile(r"\\([\\|])")
_BAR = re.compile(r"(?<!\\)((?:\\\\)*)\|")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleLimits:
    """How long the parts of an article may be, in characters."""

    title: int = 200
    body: int = 20_000
    questions: int = 200
    """So many similar questions."""
    question: int = 500
    other: int = 500
    """Any other field."""

    def __post_init__(self) -> None:
        if min(self.title, self.body, self.questions, self.question, self.other) < 1:
            raise ValueError("limits must be positive")


_LIMITS = ArticleLimits()


def field_of(column: str, mapping: Mapping[str, str] | None = None) -> str | None:
    """The field that a column holds, or None; a mapping to an empty text leaves the column out."""
    name = column.strip()
    if mapping is not None and name in mapping:
        return mapping[name] or None
    return _FIELD_OF.get(name) or _FIELD_OF.get(name.lower())


def to_article(row: Mapping[str, Any], mapping: Mapping[str, str] | None = None) -> Article:
    """Make the article of a row; where no column is the identifier, it is made from the title.

    Raises `BadArticle` with what is wrong, first fault first.
    """
    values: dict[str, Any] = {}
    for column, value in row.items():
        field = field_of(str(column), mapping)
        if field is not None and field not in values:
            values[field] = _value(field, value)
    if "article_id" not in values and values.get("title"):
        values["article_id"] = f"D{hashlib.sha256(values['title'].encode()).hexdigest()[:10]}"
    for field in ("article_id", "title", "body"):
        if not values.get(field):
            raise BadArticle(f"缺少{LABELS[field]}（{field}）。")
    return checked(Article(**values))


def checked(article: Article, limits: ArticleLimits = _LIMITS) -> Article:
    """Return the article, cleaned of what cannot be kept; raises `BadArticle`."""
    if not _ID.fullmatch(article.article_id) or not is_plain(article.article_id):
        raise BadArticle("编号最长 64 个字符，不能含空格和 / \\ ? # %。")
    lengths = (
        ("标题", article.title, limits.title),
        ("正文", article.body, limits.body),
        *(("相似问法", question, limits.question) for question in article.questions),
        *(("关键词", keyword, limits.other) for keyword in article.keywords),
        ("分类", article.category, limits.other),
        ("部门", article.department, limits.other),
        ("区县", article.district, limits.other),
        ("来源", article.source, limits.other),
    )
    for label, text, most in lengths:
        if len(text) > most:
            raise BadArticle(f"{label}有 {len(text)} 个字符，最多 {most} 个，请拆分或缩短。")
    if not article.title.strip() or not article.body.strip():
        raise BadArticle("标题和正文不能为空。")
    if len(article.questions) > limits.questions:
        raise BadArticle(f"相似问法有 {len(article.questions)} 条，最多 {limits.questions} 条。")
    if article.effective_from and article.expires_on and article.expires_on <= article.effective_from:
        raise BadArticle("失效日期不晚于生效日期。")
    return article


def clean(text: str) -> str:
    """One kind of line end, no characters that cannot be shown, nothing blank at either end."""
    return plain(_LINE_END.sub("\n", text)).strip()


def split_list(text: str) -> list[str]:
    """Take apart what `join_list` wrote: a bar between the parts, one with a backslash within a part."""
    parts = _BAR.sub("\\1\0", text.replace("\0", "")).split("\0")
    return [_ESCAPED.sub("\\1", part) for part in parts]


def join_list(parts: Iterable[str]) -> str:
    """Write a list in one cell."""
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def _value(field: str, value: Any) -> Any:
    if field in _LISTS:
        if value is None:
            return ()
        parts = value if isinstance(value, list | tuple) else split_list(_text(field, value))
        texts = (_text(field, part) for part in parts)
        return tuple(dict.fromkeys(text for text in texts if text))
    if field in _DATES:
        return _day(field, value)
    return "" if value is None else _text(field, value)


def _day(field: str, value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    text = _text(field, value)
    if not text:
        return None
    try:
        found = _DAY.fullmatch(text.removesuffix(" 00:00:00"))
        return date(*map(int, found.groups())) if found else date.fromisoformat(text)
    except ValueError:
        raise BadArticle(f"日期“{text[:20]}”应写成 2026-01-31 的形式（{field}）。") from None


def _text(field: str, value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, date):
        value = value.isoformat()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadArticle(f"{field} 应为文字。")
    return clean(str(value))
