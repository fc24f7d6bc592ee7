"""How many distinct callers each stream had in each of the last hours.

In: reports in any order, the hour that has come. Out: counts by hour, and what is behind them.
Not known here: what is usual.

A report counts in the hour in which it was said, however late it becomes known. A caller counts once in
`ONCE_H` hours of a stream: in a window of as many hours, counts are counts of people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from insight.types import Report
from insight.warning.saved import Arrays, fill, of_texts, to_texts
from insight.warning.streams import Streams
from insight.warning.tails import Floats, Ints

ONCE_H = 48
KEPT_H = 264
"""Eleven days: the longest look back of anything that is compared."""
_TAKEN_H = 96
"""What becomes known later than that, or is as far ahead, counts no more."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def hour_number(at: datetime) -> int:
    """Whole hours on the clock of the time's own zone since 1970."""
    local = at.replace(tzinfo=UTC)
    return int((local - _EPOCH).total_seconds() // 3600)


def hour_start(number: int, zone: tzinfo | None) -> datetime:
    """When an hour begins."""
    return (_EPOCH + timedelta(hours=number)).replace(tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Counted:
    """A report that counts."""

    hour: int
    report_id: str
    matter: str
    district: str
    place: str


class Counts:
    """The last hours of all streams; hours are numbers, the last one is still open."""

    def __init__(self, streams: Streams, hour: int) -> None:
        """`hour`: the one that is open now."""
        self.streams = streams
        self.hour = hour
        self._first = hour
        self._by_hour = np.zeros((streams.n_streams, KEPT_H), dtype=np.int64)
        self._news = np.zeros(streams.n_streams, dtype=bool)
        self._behind: dict[int, dict[str, list[Counted]]] = {}
        self._counted_at: dict[int, list[tuple[int, str]]] = {}
        """Streams and callers by the hour, to forget them by."""
        self._ahead: dict[int, list[Report]] = {}
        """By the hour for which they wait: a clock was ahead, or ours has not been advanced yet."""

    def hear(self, report: Report) -> None:
        """Count a report, unless its caller is counted already; raises `UnknownStream`."""
        leaf = self.streams.leaf(report.matter, report.district)
        hour = hour_number(report.at)
        if abs(hour - self.hour) >= _TAKEN_H or hour < self._first:
            return
        if hour > self.hour:
            self._ahead.setdefault(hour, []).append(report)
            return
        one = Counted(hour, report.report_id, report.matter, report.district, report.place)
        caller = f"c{report.caller}" if report.caller is not None else f"r{report.report_id}"
        for stream in self.streams.counted_in(leaf):
            known = self._behind.setdefault(stream, {}).setdefault(caller, [])
            if all(abs(other.hour - hour) >= ONCE_H for other in known):
                known.append(one)
                self._counted_at.setdefault(hour, []).append((stream, caller))
                self._by_hour[stream, hour % KEPT_H] += 1
                self._news[stream] = True

    def open_hour(self) -> NDArray[np.bool_]:
        """Close the open hour and open the next; return which streams have grown since the last time."""
        self.hour += 1
        self._by_hour[:, self.hour % KEPT_H] = 0
        if self.hour % 24 == 0:
            self._forget(self.hour - _TAKEN_H - ONCE_H)
        grown, self._news = self._news, np.zeros_like(self._news)
        for report in self._ahead.pop(self.hour, []):
            self.hear(report)
        return grown

    def last(self, hours: int, before: int = 0) -> Ints:
        """Counts of the last closed hours by stream, oldest first; `before`: not counting the newest ones."""
        end = self.hour - before
        return self._by_hour[:, np.arange(end - hours, end) % KEPT_H]

    def behind(self, stream: int, hours: int) -> list[Counted]:
        """What was counted in the last closed hours, oldest first."""
        wanted = range(self.hour - hours, self.hour)
        return sorted(
            (one for one in self._counted(stream) if one.hour in wanted),
            key=_by_time,
        )

    def named(self, hours: int, before: int = 0) -> dict[int, list[str]]:
        """The places that callers of the last closed hours named, by leaf, oldest first."""
        end = self.hour - before
        wanted = range(end - hours, end)
        found: dict[int, list[str]] = {}
        for leaf in (one for one in self._behind if not self.streams.is_city(one)):
            some = [one for one in self._counted(leaf) if one.place and one.hour in wanted]
            if some:
                found[leaf] = [one.place for one in sorted(some, key=_by_time)]
        return found

    def state(self) -> Arrays:
        """All of it, to be kept; callers are named in it."""
        rows = [
            (stream, caller, one.hour, one.report_id, one.matter, one.district, one.place)
            for stream, callers in self._behind.items()
            for caller, known in callers.items()
            for one in known
        ]
        waiting = [
            (one.report_id, one.at.isoformat(), one.caller, one.district, one.matter, one.place)
            for reports in self._ahead.values()
            for one in reports
        ]
        return {
            "hours": np.array([self.hour, self._first]),
            "by_hour": self._by_hour,
            "news": self._news,
            "behind": of_texts(rows),
            "ahead": of_texts(waiting),
        }

    def restore(self, state: Arrays) -> None:
        """Take over the counts of the same streams; raises `StateRefused`."""
        self.hour, self._first = (int(hour) for hour in state["hours"])
        fill(self._by_hour, state["by_hour"])
        fill(self._news, state["news"])
        self._behind, self._counted_at, self._ahead = {}, {}, {}
        for stream, caller, *one in to_texts(state["behind"]):
            counted = Counted(*one)
            self._behind.setdefault(stream, {}).setdefault(caller, []).append(counted)
            self._counted_at.setdefault(counted.hour, []).append((stream, caller))
        for report_id, at, caller, district, matter, place in to_texts(state["ahead"]):
            report = Report(
                report_id=report_id,
                at=datetime.fromisoformat(at),
                caller=caller,
                district=district,
                matter=matter,
                place=place,
            )
            self._ahead.setdefault(hour_number(report.at), []).append(report)

    def _counted(self, stream: int) -> Iterator[Counted]:
        for known in self._behind.get(stream, {}).values():
            yield from known

    def _forget(self, before: int) -> None:
        for hour in [one for one in self._counted_at if one <= before]:
            for stream, caller in self._counted_at.pop(hour):
                callers = self._behind[stream]
                kept = [one for one in callers.pop(caller) if one.hour != hour]
                if kept:
                    callers[caller] = kept
                elif not callers:
                    del self._behind[stream]


def _by_time(one: Counted) -> tuple[int, str]:
    return one.hour, one.report_id


def by_window(hourly: NDArray[np.int64] | Floats, windows: tuple[int, ...]) -> NDArray[np.float64]:
    """Sums over the newest hours of each window: rows of streams, a column for each window."""
    summed = np.cumsum(hourly[:, ::-1], axis=1, dtype=np.float64)
    return summed[:, np.array(windows) - 1]
