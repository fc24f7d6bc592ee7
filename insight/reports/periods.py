"""Days, weeks and months in the city's time, and what they are compared with. Pure.

In: days, a time zone. Out: `Period`s; whether one is over.
Not known here: what is counted.
"""

from calendar import monthrange
from datetime import date, datetime, time, timedelta, tzinfo

from insight.reports.types import BadWish, Kind, Period

LONGEST_DAYS = 400
_DAY = timedelta(days=1)
_WEEKDAYS = "一二三四五六日"


def period_of(kind: Kind, day: date, zone: tzinfo) -> Period:
    """The day, the week from Monday, or the month in which a day lies."""
    if kind is Kind.DAY:
        return _period(day, day + _DAY, f"{_written(day)}（星期{_WEEKDAYS[day.weekday()]}）", zone)
    if kind is Kind.WEEK:
        monday = day - day.weekday() * _DAY
        year, week, _ = monday.isocalendar()
        label = f"{year}年第{week}周（{_span(monday, monday + 6 * _DAY, with_year=monday.year != year)}）"
        return _period(monday, monday + 7 * _DAY, label, zone)
    if kind is Kind.MONTH:
        first = day.replace(day=1)
        return _period(first, _months_on(first, 1), f"{first.year}年{first.month}月", zone)
    raise BadWish("专题报表要说明从哪一天到哪一天。")


def period_between(first: date, last: date, zone: tzinfo) -> Period:
    """From the first to the last of some days. Raises `BadWish`."""
    if last < first:
        raise BadWish("结束日期不能早于开始日期。")
    if (last - first).days >= LONGEST_DAYS:
        raise BadWish(f"专题报表最长 {LONGEST_DAYS} 天。")
    return _period(first, last + _DAY, _span(first, last, with_year=True), zone)


def before(kind: Kind, period: Period, zone: tzinfo) -> Period:
    """The period just before, of the same kind."""
    start, until = _days(period, zone)
    if kind is Kind.ISSUE:
        return period_between(start - (until - start), start - _DAY, zone)
    return period_of(kind, start - _DAY, zone)


def a_year_before(kind: Kind, period: Period, zone: tzinfo) -> Period:
    """The same a year ago: the same date or month; of a week the one 52 weeks ago."""
    start, until = _days(period, zone)
    if kind is Kind.WEEK:
        return period_of(kind, start - timedelta(weeks=52), zone)
    if kind is Kind.ISSUE:
        earlier = _months_on(start, -12)
        return period_between(earlier, earlier + (until - start) - _DAY, zone)
    return period_of(kind, _months_on(start, -12), zone)


def last_ended(kind: Kind, now: datetime, zone: tzinfo) -> Period:
    """The newest day, week or month that is over."""
    running = period_of(kind, now.astimezone(zone).date(), zone)
    return before(kind, running, zone)


def days_of(period: Period, zone: tzinfo) -> list[date]:
    """Its days."""
    start, until = _days(period, zone)
    return [start + n * _DAY for n in range((until - start).days)]


def _days(period: Period, zone: tzinfo) -> tuple[date, date]:
    return period.start.astimezone(zone).date(), period.until.astimezone(zone).date()


def _period(start: date, until: date, label: str, zone: tzinfo) -> Period:
    return Period(start=_midnight(start, zone), until=_midnight(until, zone), label=label)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _months_on(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _written(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _span(first: date, last: date, *, with_year: bool) -> str:
    begin = _written(first) if with_year else f"{first.month}月{first.day}日"
    if first == last:
        return begin
    return f"{begin}—{_written(last) if first.year != last.year else f'{last.month}月{last.day}日'}"
