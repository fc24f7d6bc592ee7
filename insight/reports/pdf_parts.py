"""The pieces of a PDF that the library does not have: a rule, a chart, numbered pages, Chinese lines.

In: drawings, texts. Out: flowables, a canvas, lines.
Not known here: reports.
"""

import re
from collections.abc import Callable
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from insight.reports.drawing import Drawing

SANS, SERIF = "ReportSans", "ReportSerif"
INK, QUIET, LINE = HexColor("#1a1f26"), HexColor("#5a6573"), HexColor("#d5dbe3")
ACCENT = HexColor("#1f4e8c")
MARGIN = 18 * mm
_ROLES = {"s0": ACCENT, "s1": HexColor("#b3c5de"), "grid": HexColor("#e3e8ee"), "label": QUIET, "value": INK}
_PIECE = re.compile(
    "[（《“‘]*"  # what may not stand at the end of a line
    r"(?:[+−\-]?[0-9][0-9,.:]*(?:%|[ ][^\W0-9_a-zA-Z])?|[A-Za-z0-9_.\-]+|.)"
    "[，。；：、？！）》”’…]*[ ]?"  # nor these at its beginning
)


def lines_of(text: str, width_of: Callable[[str], float], *, first: float, others: float) -> list[str]:
    """Break a Chinese text: numbers stay whole and with their unit, signs stay with their words."""
    lines, room = [""], first
    for piece in _PIECE.findall(text):
        if lines[-1] and width_of((lines[-1] + piece).rstrip()) > room:
            lines.append("")
            room = others
        lines[-1] += piece
    return [line.rstrip() for line in lines]


class Rule(Flowable):
    """A line across the page."""

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """As wide as there is room."""
        self.width = width
        return width, 4

    def draw(self) -> None:
        """A strong line over a fine one."""
        self.canv.setStrokeColor(ACCENT)
        self.canv.setLineWidth(1.4)
        self.canv.line(0, 3, self.width, 3)
        self.canv.setLineWidth(0.4)
        self.canv.line(0, 0.6, self.width, 0.6)


class Picture(Flowable):
    """A chart."""

    def __init__(self, drawing: Drawing, width: float) -> None:
        super().__init__()
        self.drawing, self.scale = drawing, width / drawing.width

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """As large as it is drawn."""
        return self.drawing.width * self.scale, self.drawing.height * self.scale

    def draw(self) -> None:
        """Lines, then boxes, then words."""
        canvas, height = self.canv, self.drawing.height
        canvas.scale(self.scale, self.scale)
        for path in self.drawing.paths:
            canvas.setStrokeColor(_ROLES[path.role])
            canvas.setLineWidth(0.8 if path.role == "grid" else 2.2)
            canvas.setLineJoin(1)
            line = canvas.beginPath()
            (x, y), *rest = path.points
            line.moveTo(x, height - y)
            for x, y in rest:
                line.lineTo(x, height - y)
            canvas.drawPath(line)
        for box in self.drawing.boxes:
            canvas.setFillColor(_ROLES[box.role])
            canvas.rect(box.x, height - box.y - box.height, box.width, box.height, stroke=0, fill=1)
        canvas.setFont(SANS, self.drawing.text_size)
        write = {
            "start": canvas.drawString,
            "middle": canvas.drawCentredString,
            "end": canvas.drawRightString,
        }
        for words in self.drawing.words:
            canvas.setFillColor(_ROLES[words.role])
            write[words.anchor](words.x, height - words.y, words.text)


class Numbered(Canvas):
    """Pages that know how many they are; the pages are written when all are known."""

    def __init__(self, title: str, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._title = title
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - the library's name
        """Keep the page until all are known."""
        self._pages.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]  # the way of the library

    def save(self) -> None:
        """Write the pages with their numbers."""
        for number, page in enumerate(self._pages, 1):
            self.__dict__.update(page)
            self._foot(number, len(self._pages))
            super().showPage()
        super().save()

    def _foot(self, number: int, total: int) -> None:
        self.setFont(SANS, 8)
        self.setFillColor(QUIET)
        self.drawCentredString(A4[0] / 2, 11 * mm, f"第 {number} 页　共 {total} 页")
        if number > 1:
            left, right = MARGIN + 6, A4[0] - MARGIN - 6
            self.drawString(left, A4[1] - 14 * mm, self._title)
            self.setStrokeColor(LINE)
            self.setLineWidth(0.4)
            self.line(left, A4[1] - 16 * mm, right, A4[1] - 16 * mm)
