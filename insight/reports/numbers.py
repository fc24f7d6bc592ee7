"""Numbers as a report writes them, and what becomes of one number between two periods. Pure.

In: numbers, how to read them. Out: texts in Chinese, shares, changes.
Not known here: what is counted.
"""

from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from insight.reports.types import Cell, Column, Measure

COUNT = Measure()
PEOPLE = Measure(unit="人")
CALLS = Measure(unit="次")
PERCENT = Measure(unit="%", digits=1)
CHANGE = Measure(unit="%", digits=1, is_change=True)
HOURS = Measure(unit="小时", digits=1)
MINUTES = Measure(unit="分钟", digits=1)
POINTS = Measure(unit="分", digits=1)
DAYS = Measure(unit="天", digits=1)
NONE = "—"


def share(part: float | None, whole: float | None) -> float | None:
    """Percent, to the digits that are shown; None where there is nothing to share."""
    if part is None or not whole:
        return None
    return round(100 * part / whole, 4)


def change(value: float | None, earlier: float | None, measure: Measure = COUNT) -> float | None:
    """By how many percent it grew; of what is itself in percent, by how many points. None: no telling."""
    if value is None or earlier is None:
        return None
    if measure.unit == "%":
        return round(value - earlier, 4)
    return round(100 * (value - earlier) / earlier, 4) if earlier else None


def shown(value: float | None, measure: Measure = COUNT, *, with_unit: bool = False) -> str:
    """`2,143`, `92.3%`, `—`; halves are rounded away from nought, as people and spreadsheets do."""
    if value is None:
        return NONE
    text = f"{_rounded(abs(value), measure.digits):,}"
    is_nothing = not any(sign in text for sign in "123456789")
    plus = "+" if measure.is_change else ""
    text = text if is_nothing else f"{'−' if value < 0 else plus}{text}"
    if measure.unit == "%":
        return f"{text}%"
    return f"{text} {measure.unit}" if with_unit else text


def _rounded(value: float, digits: int) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def told_change(changed: float | None, measure: Measure = COUNT) -> str:
    """`上升 12.3%`, `下降 0.4 个百分点`, `持平`; empty where there is no telling."""
    if changed is None:
        return ""
    size = _rounded(abs(changed), 1)
    if not size:
        return "持平"
    way = "上升" if changed > 0 else "下降"
    return f"{way} {size:,}{' 个百分点' if measure.unit == '%' else '%'}"


def shown_cell(cell: Cell, column: Column) -> str:
    """A cell of a table as it is read."""
    if column.measure is None:
        return "" if cell is None else str(cell)
    return shown(float(cell) if cell is not None else None, column.measure)


def shown_moment(at: datetime | str | None, zone: tzinfo, *, year: int | None = None) -> str:
    """`3月5日 10:32`; the year before it where it is not the `year` that is meant."""
    if not at:
        return NONE
    local = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(zone)
    before = f"{local.year}年" if year not in (None, local.year) else ""
    return f"{before}{local.month}月{local.day}日 {local:%H:%M}"
