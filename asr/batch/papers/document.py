"""A transcript as a Word document: who said what, when.

In: a `Paper`. Out: the bytes of a DOCX file, the same for the same paper.
Not known here: other formats.
"""

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

from docx import Document
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from asr.batch.papers.types import NOTES, Paper

_FONT = "Microsoft YaHei"
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - a document's own date, of no meaning, so that bytes repeat
_ZIP_EPOCH = (2000, 1, 1, 0, 0, 0)
_WIDTHS_CM = (2.2, 1.8, 12.5)


def to_docx(paper: Paper, *, clock: Callable[[float], str]) -> bytes:
    """Write a heading, the notes and one row per segment."""
    document: Any = Document()
    style = document.styles["Normal"]
    style.font.name = _FONT
    style.font.size = Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), _FONT)
    properties = document.core_properties
    properties.title, properties.author = paper.name, "智听"
    properties.created = properties.modified = _EPOCH
    document.add_heading(paper.name, level=1)
    document.add_paragraph(f"时长 {clock(paper.seconds)}")
    for code in paper.notes:
        document.add_paragraph(NOTES[code])
    table = document.add_table(rows=1, cols=3)
    table.style = "Table Grid"
    _fill(table.rows[0], ("时间", "说话人", "内容"))
    for segment in paper.segments:
        text = segment.text + ("（听不清）" if segment.is_unclear else "")
        _fill(table.add_row(), (clock(segment.start_s), paper.name_of(segment), text))
    made = io.BytesIO()
    document.save(made)
    return _timeless(made.getvalue())


def _fill(row: Any, cells: tuple[str, str, str]) -> None:
    for cell, text, width_cm in zip(row.cells, cells, _WIDTHS_CM, strict=True):
        cell.text = text
        cell.width = Cm(width_cm)


def _timeless(content: bytes) -> bytes:
    """Take the time of writing out of the archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), old.read(name), zipfile.ZIP_DEFLATED)
    return made.getvalue()
