"""Files that people bring, turned into articles, with every row's fault told.

In: the bytes of a JSON Lines or CSV file.
Out: `Article`s, and one sentence for each row that is not one.
Not known here: the store; nothing is changed by reading.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any

from knowledge_base.types import Article, UnreadableFile

MAX_BYTES = 64 * 1024 * 1024
"""A file beyond this is refused before it is read."""

_FIELDS = {
    "article_id": ("article_id", "topic_id", "id", "编号", "知识编号"),
    "title": ("title", "标题", "知识标题"),
    "body": ("body", "answer", "正文", "内容", "答案"),
    "questions": ("questions", "question_variants", "相似问", "相似问法", "问法"),
    "keywords": ("keywords", "关键词", "关键字"),
    "category": ("category", "类别", "分类"),
    "department": ("department", "部门", "责任部门", "承办单位"),
    "source": ("source", "来源"),
    "effective_from": ("effective_from", "生效日期"),
    "expires_on": ("expires_on", "失效日期"),
}
_FIELD_OF = {alias: field for field, aliases in _FIELDS.items() for alias in aliases}
_LISTS = ("questions", "keywords")
_DATES = ("effective_from", "expires_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """Why one row is not an article. `row` counts from 1, the header of a CSV file included."""

    row: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What a file holds."""

    articles: tuple[Article, ...]
    errors: tuple[RowError, ...]


def read_articles(content: bytes, *, name: str) -> Import:
    """Read a file by the ending of its name: `.jsonl` or `.csv`.

    Text may be UTF-8 with or without a byte order mark, UTF-16 with one, or GB18030.
    Raises `UnreadableFile` when nothing in it can be understood.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFile(f"文件超过 {MAX_BYTES // 1024 // 1024} MB，请拆分后再导入。")
    text = _decode(content)
    ending = name.lower().rpartition(".")[2]
    if ending == "jsonl":
        rows = _json_rows(text)
    elif ending == "csv":
        rows = _csv_rows(text)
    else:
        raise UnreadableFile("只能导入 .jsonl 或 .csv 文件。")
    articles: dict[str, Article] = {}
    errors = []
    for number, row in rows:
        try:
            article = _article(row) if isinstance(row, Mapping) else _refuse(row)
            if article.article_id in articles:
                raise ValueError(f"编号 {article.article_id} 在文件中重复出现")
            articles[article.article_id] = article
        except ValueError as error:
            errors.append(RowError(row=number, message=f"{error}。"))
    if not articles and not errors:
        raise UnreadableFile("文件里没有任何知识条目。")
    return Import(articles=tuple(articles.values()), errors=tuple(errors))


def load_sample() -> tuple[Article, ...]:
    """Read the sample knowledge base of the product; raises `UnreadableFile` if it is damaged."""
    folder = resources.files("knowledge_base").joinpath("sample")
    articles: list[Article] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".jsonl"):
            found = read_articles(file.read_bytes(), name=file.name)
            if found.errors:
                first = found.errors[0]
                raise UnreadableFile(f"样例文件 {file.name} 第 {first.row} 行：{first.message}")
            articles += found.articles
    return tuple(articles)


def _decode(content: bytes) -> str:
    has_utf16_mark = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if has_utf16_mark else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile("文件编码无法识别，请另存为 UTF-8 后再导入。")


def _json_rows(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:
                yield number, "这一行不是完整的 JSON"


def _csv_rows(text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if missing := {"title", "body"} - {_FIELD_OF.get(cell, cell) for cell in header}:
            raise UnreadableFile(f"表头缺少必需的列：{'、'.join(sorted(missing))}。")
        while True:
            line = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                return
            if len(cells) > len(header):
                yield line, "这一行的列数比表头多"
            elif any(cell.strip() for cell in cells):
                yield line, dict(zip(header, cells, strict=False))
    except csv.Error:
        # Where a quote never closes, the rows after it cannot be told apart any more.
        yield reader.line_num, "引号或分隔符不成对，从这一行起无法读取"


def _refuse(row: Any) -> Article:
    raise ValueError(row if isinstance(row, str) else "这一行不是一个对象")


def _article(row: Mapping[str, Any]) -> Article:
    values: dict[str, Any] = {}
    for column, value in row.items():
        field = _FIELD_OF.get(str(column).strip())
        if field is not None and value is not None:
            values[field] = _value(field, value)
    for field in ("article_id", "title", "body"):
        if not values.get(field):
            raise ValueError(f"缺少{_FIELDS[field][-1]}（{field}）")
    article = Article(**values)
    if article.effective_from and article.expires_on and article.expires_on <= article.effective_from:
        raise ValueError("失效日期不晚于生效日期")
    return article


def _value(field: str, value: Any) -> Any:
    if field in _LISTS:
        parts: Iterable[Any] = value if isinstance(value, list) else _text(field, value).split("|")
        texts = (_text(field, part) for part in parts)
        return tuple(dict.fromkeys(text for text in texts if text))
    text = _text(field, value)
    if field not in _DATES:
        return text
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"日期“{text}”应写成 2026-01-31 的形式（{field}）") from None


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str | int):
        raise ValueError(f"{field} 应为文字")
    return str(value).replace("\r\n", "\n").replace("\r", "\n").strip()
