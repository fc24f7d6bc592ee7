"""Articles written as a file that people can edit and the importer reads back unchanged.

In: `Article`s, and one of four kinds of file.
Out: the bytes of the file.
Not known here: which articles, who asked for them.
"""

import csv
import io
import json
import re
from collections.abc import Iterable
from enum import StrEnum

from knowledge_base.article_json import to_json
from knowledge_base.columns import LABELS, join_list
from knowledge_base.outline import BLANK_LINE
from knowledge_base.types import Article

_LISTS = ("questions", "keywords")
_MARKS = re.compile(r"[\\`*_\[\]<>#&|~]")
_AT_START = re.compile(r"^[-+=:]")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])")
_EDGE = re.compile(r"^\s|\s$|[\t\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


class ExportKind(StrEnum):
    """The kinds of file; the value is the ending of its name."""

    JSONL = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"
    MARKDOWN = "md"


MEDIA_TYPES = {
    ExportKind.JSONL: "application/jsonl",
    ExportKind.CSV: "text/csv; charset=utf-8",
    ExportKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportKind.MARKDOWN: "text/markdown; charset=utf-8",
}


def export(articles: Iterable[Article], kind: ExportKind) -> bytes:
    """Write the articles in their order."""
    if kind is ExportKind.JSONL:
        lines = (json.dumps(to_json(article), ensure_ascii=False) for article in articles)
        return "".join(f"{line}\n" for line in lines).encode()
    if kind is ExportKind.MARKDOWN:
        return "\n".join(_markdown(article) for article in articles).encode()
    rows = [[LABELS[name] for name in LABELS], *(_cells(article) for article in articles)]
    if kind is ExportKind.CSV:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        return text.getvalue().encode("utf-8-sig")  # without the mark Excel takes it for GB18030
    return _workbook(rows)


def _cells(article: Article) -> list[str]:
    values = to_json(article)
    cells = []
    for name in LABELS:
        value = values[name]
        cells.append(join_list(value) if name in _LISTS else value or "")
    return cells


def _workbook(rows: Iterable[list[str]]) -> bytes:
    from openpyxl import Workbook  # takes a third of a second, and most commands never need it
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("知识")
    sheet.freeze_panes = "A2"
    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, value=text)
            cell.data_type = "s"  # a text that begins with "=" is no formula
            cells.append(cell)
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _markdown(article: Article) -> str:
    """A heading, the fields as a list, the body a paragraph a line, the similar questions as a list."""
    values = to_json(article)
    lines = [f"# {_escaped(article.title)}", ""]
    for name, label in LABELS.items():
        if name not in ("title", "body", *_LISTS) and values[name]:
            lines.append(f"- {label}：{_escaped(values[name])}")
    lines.append("")
    for line in article.body.split("\n"):
        lines += [_escaped(line) or BLANK_LINE, ""]
    for name in _LISTS:
        if values[name]:
            lines += [f"## {LABELS[name]}", "", *(f"- {_escaped(part)}" for part in values[name]), ""]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """The text such that Markdown takes every character for itself."""
    text = _MARKS.sub(r"\\\g<0>", text)
    text = _NUMBERED.sub(r"\1\\\2", _AT_START.sub(r"\\\g<0>", text))
    return _EDGE.sub(lambda found: f"&#{ord(found[0])};", text)
