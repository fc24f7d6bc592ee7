"""A warning comes to be, and goes on. Pure.

In: what a finder or an alarm told, what is known of the matter, mutes. Out: `RaisedWarning`s.
Not known here: databases, who is told.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from calls.alarms import Alarm
from insight.raised.progress import Progress
from insight.raised.types import Layer, Mute, RaisedWarning, WarningState
from insight.raised.wording import KINDS
from insight.types import EarlyWarning

OVER_AFTER = timedelta(hours=24)
"""Without another caller a matter is over; a new burst of it is another warning."""
OVER_AFTER_UNKNOWN = timedelta(days=14)
"""What nobody counts comes more slowly, and is not told of anew before it was quiet for so long."""
_NEW = "new"
"""Instead of an identifier, until the store has given one."""


def raised(
    told: EarlyWarning,
    *,
    layer: Layer,
    category: str,
    departments: Sequence[str],
    department_ids: Sequence[str],
    mutes: Iterable[Mute],
    now: datetime,
) -> RaisedWarning:
    """The warning that a finder told; muted from the beginning where nobody wants to hear of it."""
    covering = [mute for mute in mutes if mute.covers(told.matter, told.district, now)]
    until = max((mute.until for mute in covering), default=None)
    return RaisedWarning(
        warning_id=_NEW,
        version=1,
        layer=layer,
        state=WarningState.OPEN if until is None else WarningState.MUTED,
        muted_until=until,
        matter=told.matter,
        name=told.name or told.matter,
        category=category,
        district=told.district,
        districts=told.districts,
        raised_at=told.raised_at,
        since=told.since,
        window_h=told.window_h,
        observed=told.observed,
        expected=told.expected,
        probability=told.probability,
        false_share=told.false_share,
        places=told.places,
        callers_now=told.observed,
        latest_at=told.raised_at,
        sample_ids=told.sample_ids,
        departments=tuple(departments),
        department_ids=tuple(department_ids),
        changed_at=now,
    )


def raised_by_alarm(alarm: Alarm, *, districts: Sequence[str], now: datetime) -> RaisedWarning:
    """The warning of an alarm: at once, whatever is usual, and never muted."""
    return RaisedWarning(
        warning_id=_NEW,
        version=1,
        layer=Layer.SAFETY,
        state=WarningState.OPEN,
        matter=alarm.kind.value,
        name=KINDS.get(alarm.kind.value, alarm.kind.value),
        category="安全",
        district=districts[0] if districts else None,
        districts=tuple(districts),
        raised_at=alarm.at,
        since=alarm.at,
        window_h=0,
        observed=1,
        expected=0.0,
        probability=0.0,
        false_share=0.0,
        places=0,
        callers_now=1,
        latest_at=alarm.at,
        over_at=None,
        sample_ids=(alarm.call_id,),
        severity=alarm.severity.value,
        alarm_id=alarm.alarm_id,
        changed_at=now,
    )


def going_on(warning: RaisedWarning, progress: Progress, now: datetime) -> RaisedWarning:
    """The warning with what is known of its matter now."""
    latest_at = max(warning.latest_at, progress.latest_at or warning.latest_at)
    after = OVER_AFTER_UNKNOWN if warning.layer is Layer.UNKNOWN else OVER_AFTER
    is_over = now - latest_at >= after
    return replace(
        warning,
        callers_now=max(progress.callers, 1),
        places=progress.places if progress.places else warning.places,
        latest_at=latest_at,
        over_at=latest_at if is_over else None,
    )


def has_grown(before: RaisedWarning, after: RaisedWarning) -> bool:
    """Whether the callers have doubled (once more) since it was raised: that is told."""
    return _doublings(after) > _doublings(before)


def _doublings(warning: RaisedWarning) -> int:
    return max(0, math.floor(math.log2(max(1.0, warning.callers_now / max(1, warning.observed)))))
