"""Draws charts as plain shapes, which a page, a PDF and a picture show alike. Pure.

In: a chart and how wide it may be. Out: boxes, lines and words at their places; y grows downwards.
Not known here: colours, fonts, files. A shape's role says what it is: `grid`, `label`, `value`, `s0`, `s1`.
"""

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TypeAlias

from insight.reports.numbers import shown
from insight.reports.types import Chart, Shape

WIDTH = 720.0
_TEXT = 12.0
_FOOT, _SIDE = 26.0, 48.0
_PLOT_HEIGHT = 150.0
_BAR, _PAIR, _ROW_GAP = 11.0, 3.0, 9.0
_MOST_LABEL = 12.0
"""Characters of a name beside a bar."""
_INTERVALS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    role: str
    told: str = ""
    """What it stands for, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text; `y` is its base line."""

    x: float
    y: float
    text: str
    anchor: str
    """`start`, `middle` or `end`."""
    role: str


Mark: TypeAlias = Box | Path | Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Shapes within width and height; texts are of `text_size`."""

    width: float
    height: float
    text_size: float
    boxes: tuple[Box, ...]
    paths: tuple[Path, ...]
    words: tuple[Words, ...]


def drawn(chart: Chart, width: float = WIDTH) -> Drawing:
    """The chart as shapes."""
    marks = _bars(chart, width) if chart.shape is Shape.BARS else _upright(chart, width)
    marks += _legend(chart, width)
    height = _height_of_bars(chart) if chart.shape is Shape.BARS else _top(chart) + _PLOT_HEIGHT + _FOOT
    return Drawing(
        width=width,
        height=height,
        text_size=_TEXT,
        boxes=tuple(mark for mark in marks if isinstance(mark, Box)),
        paths=tuple(mark for mark in marks if isinstance(mark, Path)),
        words=tuple(mark for mark in marks if isinstance(mark, Words)),
    )


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least `most`, some four apart; whole ones."""
    if most <= 0:
        return [0.0, 1.0]
    step = 10.0 ** floor(log10(most / _INTERVALS))
    for times in (1, 2, 5, 10):
        if most / (step * times) <= _INTERVALS + 0.5:
            step *= times
            break
    step = max(1.0, step)
    return [step * n for n in range(ceil(most / step) + 1)]


def width_of(text: str, size: float = _TEXT) -> float:
    """How wide a text is, near enough: a Chinese character is as wide as high."""
    return sum(size if ord(sign) > 0x2E7F else size * 0.56 for sign in text)


def _top(chart: Chart) -> float:
    """Room for a legend where there is one."""
    if len(chart.series) > 1:
        return 30.0
    return 6.0 if chart.shape is Shape.BARS else 20.0


def _height_of_bars(chart: Chart) -> float:
    row = len(chart.series) * (_BAR + _PAIR) + _ROW_GAP
    return _top(chart) + row * len(chart.labels) + 4


def _bars(chart: Chart, width: float) -> list[Mark]:
    labels = [_cut(label) for label in chart.labels]
    left = max((width_of(label) for label in labels), default=0) + 12
    top = max((value or 0 for one in chart.series for value in one.values), default=0) or 1
    if chart.measure.unit == "%":
        top = 100
    room = width - left - 64
    row = len(chart.series) * (_BAR + _PAIR) + _ROW_GAP
    marks: list[Mark] = []
    for place, label in enumerate(labels):
        y = _top(chart) + place * row
        middle = y + (row - _ROW_GAP - _PAIR) / 2
        marks.append(Words(x=left - 8, y=middle + _TEXT * 0.36, text=label, anchor="end", role="label"))
        for number, one in enumerate(chart.series):
            value = one.values[place]
            at = y + number * (_BAR + _PAIR)
            told = f"{chart.labels[place]} {one.name} {shown(value, chart.measure, with_unit=True)}"
            long = room * (value or 0) / top
            marks.append(Box(x=left, y=at, width=long, height=_BAR, role=f"s{number}", told=told))
            text = shown(value, chart.measure)
            marks.append(Words(x=left + long + 6, y=at + _BAR * 0.9, text=text, anchor="start", role="value"))
    return marks


def _upright(chart: Chart, width: float) -> list[Mark]:
    known = [value for one in chart.series for value in one.values if value is not None]
    lines = ticks(max(known, default=0))
    top, right = lines[-1], width - 12
    room = right - _SIDE
    bottom = _top(chart) + _PLOT_HEIGHT
    marks: list[Mark] = []
    for line in lines:
        y = bottom - _PLOT_HEIGHT * line / top
        marks.append(Path(points=((_SIDE, y), (right, y)), role="grid"))
        marks.append(Words(x=_SIDE - 8, y=y + 4, text=shown(line), anchor="end", role="label"))
    n = max(1, len(chart.labels))
    each = room / n
    widest = max((width_of(label) for label in chart.labels), default=0) + 10
    every = max(1, ceil(widest / each))
    for place, label in enumerate(chart.labels):
        if place % every == 0:
            x = _SIDE + (place + 0.5) * each
            marks.append(Words(x=x, y=bottom + 18, text=label, anchor="middle", role="label"))

    def height(value: float) -> float:
        return _PLOT_HEIGHT * value / top

    for number, one in reversed(list(enumerate(chart.series))):
        if chart.shape is Shape.LINES:
            marks += _line(one.values, number, each, bottom, height)
            continue
        wide = min(28.0, each * 0.7 / len(chart.series))
        for place, value in enumerate(one.values):
            if value:
                x = _SIDE + (place + 0.5) * each + (number - len(chart.series) / 2) * wide
                told = f"{chart.labels[place]} {one.name} {shown(value, chart.measure, with_unit=True)}"
                y = bottom - height(value)
                box = Box(x=x, y=y, width=wide - 1, height=height(value), role=f"s{number}", told=told)
                marks.append(box)
                if n <= _INTERVALS * 8:
                    marks.append(
                        Words(x=x + wide / 2, y=y - 4, text=shown(value), anchor="middle", role="value")
                    )
    return marks


def _line(
    values: tuple[float | None, ...], number: int, each: float, bottom: float, height: object
) -> list[Mark]:
    assert callable(height)
    pieces: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((_SIDE + (place + 0.5) * each, bottom - height(value)))
    return [Path(points=tuple(piece), role=f"s{number}") for piece in pieces if len(piece) > 1]


def _legend(chart: Chart, width: float) -> list[Mark]:
    if len(chart.series) < 2:
        return []
    marks: list[Mark] = []
    x = width - 12 - sum(width_of(one.name) + 34 for one in chart.series)
    for number, one in enumerate(chart.series):
        marks.append(Box(x=x, y=7, width=12, height=10, role=f"s{number}"))
        marks.append(Words(x=x + 17, y=16, text=one.name, anchor="start", role="label"))
        x += width_of(one.name) + 34
    return marks


def _cut(text: str) -> str:
    if width_of(text, 1.0) <= _MOST_LABEL:
        return text
    kept = ""
    for sign in text:
        if width_of(kept + sign, 1.0) > _MOST_LABEL - 1:
            return f"{kept}…"
        kept += sign
    return text
