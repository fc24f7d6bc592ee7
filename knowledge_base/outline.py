"""Running text with headings becomes rows, one article a section.

In: blocks: headings, lines, tables, in the order of the document.
Out: rows as a sheet would hold them.
Not known here: which kind of document the blocks came from.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from knowledge_base.columns import field_of
from knowledge_base.sheets import Row, Rows, table_rows

BLANK_LINE = "\u2060"
"""A Markdown paragraph of this alone (a mark that is not seen) stands for an empty line."""
_LISTED = ("questions", "keywords")
_LABELLED = re.compile(r"([^：:\s]{1,12})\s*[：:]\s*(.+)")
_HEADING_LIKE = re.compile(
    r"(第[一二三四五六七八九十百零〇\d]{1,5}[章节条]|[一二三四五六七八九十]{1,3}、|问\s*[：:]|Q\d*\s*[：:.])"
)
_LONGEST_HEADING = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of a document: a heading (level from 1), a line of text (level 0), or a table."""

    text: str = ""
    level: int = 0
    is_item: bool = False
    """Whether it is an item of a list."""
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(slots=True)
class _Section:
    number: int
    title: str
    context: str
    """The heading above it."""
    fields: dict[str, list[str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    listing: str | None = None
    """Field that the lines go to at present, after a heading that names one."""


def to_rows(
    blocks: Sequence[Block], *, name: str, mapping: Mapping[str, str] | None = None, only_items: bool = False
) -> Rows:
    """Cut at the topmost level with several headings; a document without headings is one article.

    The first lines of a section may be fields, as `编号：A1`; with `only_items` only as items of a list.
    A table with a header of ours is read as a sheet, any other becomes lines of text.
    """
    blocks = _with_headings(blocks)
    top = _top_level(blocks)
    sections: list[_Section] = []
    rows: list[Row] = []
    columns: dict[str, None] = {}
    above = ""
    for number, block in enumerate(blocks, start=1):
        if block.table:
            found = table_rows(block.table, mapping, number)
            if found is not None:
                rows += found.rows
                columns |= dict.fromkeys(found.columns)
                continue
            lines = ["；".join(cell for cell in row if cell) for row in block.table]
        else:
            lines = [block.text]
        if block.level and not _is_field(block):
            if block.level < top:
                above = block.text
            if block.level <= top:
                sections.append(_Section(number=number, title=_title(block.text), context=above))
                continue
        if not sections:
            first = block.text[:_LONGEST_HEADING] if block.text and not top else name
            sections.append(_Section(number=number, title=first, context=""))
        for line in lines:
            _take(sections[-1], block, line, only_items)
    for section in sections:
        if section.lines or section.fields or section.context != section.title:
            values = _values(section)
            columns |= dict.fromkeys(values)
            rows.append(Row(number=section.number, values=values))
    return Rows(columns=tuple(columns), rows=tuple(rows))


def _with_headings(blocks: Sequence[Block]) -> list[Block]:
    """Where nothing is a heading by its form, take what reads like one."""
    if any(block.level for block in blocks):
        return list(blocks)
    found = []
    for block in blocks:
        is_heading = (
            len(block.text) <= _LONGEST_HEADING
            and not block.text.endswith(("。", "；", "，"))
            and _HEADING_LIKE.match(block.text)
        )
        found.append(Block(text=block.text, level=1) if is_heading else block)
    return found


def _top_level(blocks: Sequence[Block]) -> int:
    counts: dict[int, int] = {}
    for block in blocks:
        if block.level and not _is_field(block):
            counts[block.level] = counts.get(block.level, 0) + 1
    several = [level for level, count in counts.items() if count > 1]
    return min(several or counts, default=0)


def _is_field(block: Block) -> bool:
    return block.level > 0 and field_of(block.text) in _LISTED


def _title(heading: str) -> str:
    return re.sub(r"^(问|Q\d*)\s*[：:.]\s*", "", heading).strip()


def _take(section: _Section, block: Block, line: str, only_items: bool) -> None:
    if block.level:
        section.listing = field_of(block.text) if _is_field(block) else None
        if section.listing is None:
            section.lines.append(line)
        return
    if section.listing is not None:
        section.fields.setdefault(section.listing, []).append(line)
        return
    labelled = _LABELLED.fullmatch(line)
    named = field_of(labelled[1]) if labelled and not section.lines else None
    if labelled and named and named not in ("title", "body") and (block.is_item or not only_items):
        section.fields.setdefault(named, []).extend(
            labelled[2].split("|") if named in _LISTED and not only_items else [labelled[2]]
        )
        return
    answer = line if section.lines else re.sub(r"^(答|A\d*)\s*[：:.]\s*", "", line)
    section.lines.append(answer)


def _values(section: _Section) -> dict[str, object]:
    values: dict[str, object] = {"title": section.title, "body": "\n".join(section.lines)}
    if section.context and section.context != section.title:
        values["category"] = section.context
    for name, found in section.fields.items():
        values[name] = found if name in _LISTED else found[0]
    return values
