"""The types of arrivals.

In: nothing. Out: `Arrival`, `BadArrival`.
Not known here: databases, HTTP, telephone systems.
"""

from dataclasses import dataclass
from datetime import datetime

from calls.types import CallError


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A call as the queue of the telephone system knows it."""

    call_id: str
    """Of the call that it becomes when somebody answers."""
    arrived_at: datetime
    answered_at: datetime | None = None
    """None where nobody answered, or where only the beginning of the call's sound tells it."""
    left_at: datetime | None = None
    """When the caller hung up; of one who was not answered this is giving up."""


class BadArrival(CallError):
    """The moments of an arrival do not follow one another."""

    code = "arrival.bad"
