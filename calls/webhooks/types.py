"""The types of webhooks: what happened, who wants to hear of it, how they fare, and the errors.

In: nothing. Out: `Event`, `Receiver`, `Standing`, `WebhookError`.
Not known here: databases, HTTP, what the events are about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.types import CallError

PING = "ping"
"""An event that says nothing, for somebody who wants to see whether one arrives."""
ALL = "*"
"""Stands for every type of event but those that carry what was said."""
_SAID = ("segment.", "suggestion.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, as it will be told."""

    event_id: str
    """The same however often it is sent; a receiver that has seen it passes it over."""
    type: str
    at: datetime
    body: str
    """JSON; sent as it stands here, byte for byte."""


def is_wanted(type_: str, wanted: Sequence[str]) -> bool:
    """Whether who named `wanted` is told of an event; what was said in calls has to be named itself."""
    return type_ in wanted or (ALL in wanted and not type_.startswith(_SAID))


class Pause(StrEnum):
    """Why a receiver gets nothing for the time being."""

    BY_HAND = "by_hand"
    GONE = "gone"
    """It said itself that it wants no more (410)."""
    GAVE_UP = "gave_up"
    """It has taken nothing for days."""


class Standing(StrEnum):
    """How a receiver fares."""

    FINE = "fine"
    FAILING = "failing"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Somebody who is told what happens."""

    receiver_id: int
    name: str
    url: str
    events: tuple[str, ...]
    """Types of events, or `*`."""
    pause: Pause | None
    created_by: str
    created_at: datetime
    waiting: int = 0
    """Events that it does not have yet."""
    delivered: int = 0
    lost: int = 0
    """Events that were not kept for it, because too many waited already."""
    attempts: int = 0
    """In vain, of the event that is next."""
    next_try_at: datetime | None = None
    failing_since: datetime | None = None
    last_error: str = ""
    """What the last attempt came to: `http 503`, `timeout`, …; empty after one that went well."""
    last_delivered_at: datetime | None = None

    @property
    def standing(self) -> Standing:
        """How it fares."""
        if self.pause is not None:
            return Standing.PAUSED
        return Standing.FINE if self.failing_since is None else Standing.FAILING


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The event that a receiver gets next."""

    receiver_id: int
    number: int
    url: str
    secret: str
    event: Event
    attempts: int


class WebhookError(CallError):
    """What can go wrong around webhooks.

    WebhookError
    ├── UnknownReceiver   no such receiver
    └── BadReceiver       one that cannot be kept as it was given
    """

    code = "webhook.error"


class UnknownReceiver(WebhookError):
    """No such receiver."""

    code = "webhook.unknown"


class BadReceiver(WebhookError):
    """Not to be kept as it was given."""

    code = "webhook.bad"
