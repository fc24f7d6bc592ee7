"""What the name of a recording tells of its call.

In: a name, a pattern with named groups. Out: when it began, who called, who took it.
Not known here: what is in the recording.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

TIME_PATTERN = re.compile(
    r"(?<!\d)(?P<time>20\d\d[-_.]?\d\d[-_.]?\d\d[-_. T]{0,2}\d\d[-_.:]?\d\d[-_.:]?\d\d)(?!\d)"
)
"""Year to second, with or without something between: 20260305103205, 2026-03-05_10.32.05."""
_FORMS = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M"}
"""By the number of digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCall:
    """All that a name tells; None for what it does not."""

    started_at: datetime | None
    caller: str | None
    operator_id: str | None


def read_name(name: str, pattern: re.Pattern[str] | None, zone: ZoneInfo) -> NamedCall:
    """Look for the groups `time`, `caller` and `operator`; a pattern without `time` leaves it to our own."""
    found = pattern.search(name) if pattern else None
    groups = found.groupdict() if found else {}
    if pattern is None or "time" not in pattern.groupindex:
        own = TIME_PATTERN.search(name)
        groups |= own.groupdict() if own else {}
    return NamedCall(
        started_at=_moment(groups.get("time") or "", zone),
        caller=groups.get("caller") or None,
        operator_id=groups.get("operator") or None,
    )


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    digits = re.sub(r"\D", "", text)
    if len(digits) not in _FORMS:
        return None
    try:
        return datetime.strptime(digits, _FORMS[len(digits)]).replace(tzinfo=zone)
    except ValueError:
        return None
