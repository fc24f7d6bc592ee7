"""What the holding of calls emits: leases, who is alive, and the errors of those who hold no longer.

In: nothing. Out: values for whoever opens, takes up or writes to a call.
Not known here: databases, timers, sessions.

A lease has no hours of its own. A process that lives says so every second (its beat); a lease is worth as
much as the process that holds it. It is removed when the call is cut off, and has another token when somebody
takes the call up. Facts of a running call are written in a transaction that sees the token: a process that
comes back from a long pause cannot write what another one writes by now.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from calls.types import CallError


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A call is held by a process."""

    call_id: str
    process_id: str
    token: str
    """Another one each time that the call is taken."""
    wanted_by: str | None = None
    """The process to which the call's line came meanwhile."""
    is_urgent: bool = False
    """Whether it is to be let go even though its line here seems to be alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one look into the database showed."""

    beats: Mapping[str, int]
    """By process."""
    leases: tuple[Lease, ...]
    leader: str | None
    """The process that does what one alone must do."""


class LeaseLost(CallError):
    """The call is held by another process by now: nothing is written of it here any more."""

    code = "call.held_elsewhere"

    def __init__(self, message: str = "这通电话已经由另一台服务器接手。") -> None:
        super().__init__(message)


class SeatChanged(CallError):
    """The call went to another operator while a fact was on its way; the fact is written anew."""

    code = "call.seat_changed"

    def __init__(self, operator_id: str | None) -> None:
        super().__init__("通话已转给另一个坐席。")
        self.operator_id = operator_id
