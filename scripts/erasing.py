"""Finds all that is kept of a person by their telephone number, and lets it go.

In: the database, the data folder, a number. Out: which calls and orders there are; what went, what could not.
Not known here: the command line, how calls and orders are deleted.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from calls.audio.sound import Recordings
from calls.forms.tables import wrapups
from calls.keeping.deletion import Deleter
from calls.keeping.types import What
from calls.orders.attachments import Attachments
from calls.orders.desk import ATTACHMENTS
from calls.orders.erasure import OrderEraser
from calls.orders.tables import orders
from calls.tables import calls
from calls.types import CallError

LEAST_DIGITS = 7
"""A shorter number is many people's."""
COPIES = ("before-upgrade", "after-upgrade")
"""Folders of the data folder with older databases, which nobody deletes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is kept of somebody."""

    calls: tuple[str, ...]
    orders: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What went, and of what could not go: which, and the sentence that says why."""

    gone: int
    left: tuple[tuple[str, str], ...]


def find_by_number(engine: Engine, number: str) -> Found:
    """Calls from that number or whose wrap-up names it, and orders that name it or were made of such a call.

    Numbers are compared by their digits; one with more in front (+86, a line's 0, an area) is the same.
    """
    wanted = _digits(number)
    if len(wanted) < LEAST_DIGITS:
        raise ValueError(f"号码至少要有 {LEAST_DIGITS} 位数字。")
    in_form = wrapups.c.form["caller_phone"]["value"].as_string()
    ends = f"%{wanted[-4:]}%"
    with engine.connect() as connection:
        rows = connection.execute(sa.select(calls.c.call_id, calls.c.caller).where(calls.c.caller.like(ends)))
        its = {row.call_id for row in rows if _is_same(row.caller, wanted)}
        rows = connection.execute(sa.select(wrapups.c.call_id, in_form.label("number")))
        its |= {row.call_id for row in rows if _is_same(row.number, wanted)}
        rows = connection.execute(sa.select(orders.c.order_id, orders.c.call_id, orders.c.caller_phone))
        made = {row.order_id for row in rows if row.call_id in its or _is_same(row.caller_phone, wanted)}
    return Found(calls=tuple(sorted(its)), orders=tuple(sorted(made)))


def let_go(
    engine: Engine,
    data: Path,
    recordings: Recordings,
    found: Found,
    *,
    who: str,
    reason: str,
    now: datetime,
    tell: Callable[[str], None] = lambda _: None,
) -> Erased:
    """Delete the calls and empty the orders; whatever may not go is told, and the rest goes all the same."""
    deleter = Deleter(engine, recordings)
    eraser = OrderEraser(engine, Attachments(engine, data / ATTACHMENTS, recordings.objects))
    gone, left = 0, []
    for one, do in _deeds(found, deleter, eraser, who=who, reason=reason, now=now):
        try:
            do()
        except CallError as error:
            left.append((one, error.message))
            continue
        gone += 1
        tell(one)
    if gone:
        deleter.settle()
    return Erased(gone=gone, left=tuple(left))


def copies_in(data: Path) -> list[Path]:
    """Older databases in the data folder, in which the person may still be."""
    return [path for name in COPIES for path in sorted((data / name).glob("*")) if path.is_dir()]


def _deeds(
    found: Found, deleter: Deleter, eraser: OrderEraser, *, who: str, reason: str, now: datetime
) -> Iterable[tuple[str, Callable[[], object]]]:
    for order_id in found.orders:
        yield order_id, lambda one=order_id: eraser.erase(one, who=who, reason=reason, now=now)  # type: ignore[misc]
    for call_id in found.calls:
        yield call_id, lambda one=call_id: deleter.delete(one, What.CALL, who=who, reason=reason, now=now)  # type: ignore[misc]


def _is_same(number: str | None, wanted: str) -> bool:
    kept = _digits(number or "")
    return len(kept) >= LEAST_DIGITS and (kept.endswith(wanted) or wanted.endswith(kept))


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isascii() and sign.isdecimal())
