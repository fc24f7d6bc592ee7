"""Counts the rows of a day. Pure.

In: rows, the day, the present, what is usual. Out: `Figures`.
Not known here: where rows come from. The board in the browser counts in the same way, on its own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from insight.hall.types import HOURS, CallPhase, CallRow, Day, Figures, Profile, Usual


def count(rows: Iterable[CallRow], *, day: Day, now: datetime, usual: Usual, has_queue: bool) -> Figures:
    """Count them. Who called before midnight and is still there counts as there, but not as today's."""
    rows = list(rows)
    todays = [row for row in rows if day.starts_at <= row.arrived_at < day.ends_at]
    states = Counter(row.state for row in rows if row.state.is_now)
    states.update(row.state for row in todays if not row.state.is_now)
    waits = [(row.answered_at - row.arrived_at).total_seconds() for row in todays if row.answered_at]
    answered, abandoned = len(waits), states[CallPhase.ABANDONED]
    is_shown = has_queue and answered + abandoned > 0
    waiting = [row.arrived_at for row in rows if row.state is CallPhase.WAITING]
    hours = Counter(row.arrived_at.astimezone(day.zone).hour for row in todays)
    return Figures(
        calls=len(todays),
        waiting=states[CallPhase.WAITING],
        talking=states[CallPhase.TALKING],
        wrapup=states[CallPhase.WRAPUP],
        ended=states[CallPhase.ENDED],
        abandoned=abandoned,
        answered=answered,
        share_answered=answered / (answered + abandoned) if is_shown else None,
        mean_wait_s=sum(waits) / answered if has_queue and answered else None,
        longest_wait_s=max([0.0, *((now - arrived).total_seconds() for arrived in waiting)]),
        urgent=sum(row.is_urgent for row in todays),
        hours=tuple(hours[hour] for hour in range(HOURS)),
        types=_ranked(row.type for row in todays),
        categories=_ranked(row.category for row in todays),
        districts=_ranked(row.district for row in todays),
        matters=_ranked(row.matter for row in todays),
        usual_so_far=so_far(usual.calls, day=day, now=now) if usual.days else None,
        usual_day=sum(usual.calls) if usual.days else None,
    )


def so_far(profile: Profile, *, day: Day, now: datetime) -> float:
    """The part of a day's figures that is over: whole hours, and of this one as much as is over."""
    if now >= day.ends_at:
        return sum(profile)
    local = now.astimezone(day.zone)
    part = (local.minute * 60 + local.second + local.microsecond / 1e6) / 3600
    return sum(profile[: local.hour]) + profile[local.hour] * part


def _ranked(names: Iterable[str]) -> Mapping[str, int]:
    """How often each occurs: most first, then by name; without the empty one."""
    counts = Counter(name for name in names if name)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
