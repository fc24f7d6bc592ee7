"""What other systems are told of work orders. Pure.

In: an order as it stands after something was done, and what that was. Out: `Event`s for the outbox.
Not known here: who is told, and how.

An identifier names the order and what happened to it, so the same thing never has two.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from calls.orders.types import Comment, Deed, Order
from calls.webhooks.types import Event
from knowledge_base.json_text import dumps

EVENT_TYPES = (
    "order.created",
    "order.edited",
    *(f"order.{deed.value}" for deed in Deed),
    "order.absorbed",
    "order.handed_over",
    "order.erased",
    "order.commented",
    "order.attached",
    "order.detached",
)
"""All that may happen to an order. `absorbed`: another one was merged into it; `handed_over`: a partner
office was told of it (calls/supervision); `erased`: what leads to a person is gone."""


def stepped(order: Order, *, action: str, author: str, note: str) -> Event:
    """A change of an order."""
    what = {"action": action, "author": author, "note": note}
    return _event(f"{order.order_id}.v{order.version}", f"order.{action}", order, order.changed_at, what)


def commented(order: Order, comment: Comment) -> Event:
    """A comment on an order."""
    what = {"comment_id": comment.comment_id, "author": comment.author, "text": comment.text}
    return _event(f"{order.order_id}.c{comment.comment_id}", "order.commented", order, comment.at, what)


def attached(order: Order, step_id: int, *, action: str, name: str, author: str, now: datetime) -> Event:
    """A file that came to an order or was taken away."""
    what = {"name": name, "author": author}
    return _event(f"{order.order_id}.a{step_id}", f"order.{action}", order, now, what)


def _event(event_id: str, type_: str, order: Order, at: datetime, what: Mapping[str, Any]) -> Event:
    body = {"id": event_id, "type": type_, "at": at.isoformat(), "what": what, "order": _plain(asdict(order))}
    return Event(event_id=event_id, type=type_, at=at, body=dumps(body))


def _plain(value: Any) -> Any:
    """Only what JSON has; names of states and the like are texts already."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value
