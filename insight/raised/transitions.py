"""What may be done with a warning, and what becomes of it. Pure.

In: a warning, a wish, when. Out: the warning as it is then, one version on, or a refusal with a code and a
sentence. Not known here: how warnings are kept, who may do what, orders.

    open ─acknowledge► acknowledged ─assign► assigned
    open, acknowledged, assigned ─mute► muted
    all but closed ─close► closed ─reopen► open, as muted is

`rate` says whether there was something, in any state, and changes it as well as takes it back. `undo` takes
the newest deed back (see `undone`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from calls.moments import stamp
from insight.raised.types import BadDeed, DeedRefused, Layer, RaisedWarning, Step, WarningState

LONGEST_NOTE = 500
LONGEST_MUTE = timedelta(days=90)
SYSTEM = "系统"
"""Author of what nobody did."""


class Deed(StrEnum):
    """What somebody may do with a warning."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    MUTE = "mute"
    CLOSE = "close"
    REOPEN = "reopen"
    RATE = "rate"
    UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to do, with what it takes."""

    deed: Deed
    note: str = ""
    order_id: str | None = None
    """With `assign`: where it goes on."""
    until: datetime | None = None
    """With `mute`."""
    is_everywhere: bool = False
    """With `mute`: the matter in all districts, not only in that of the warning."""
    is_true: bool | None = None
    """With `rate`; None takes it back."""


NAMES: Mapping[WarningState, str] = {
    WarningState.OPEN: "待处理",
    WarningState.ACKNOWLEDGED: "已接收",
    WarningState.ASSIGNED: "已转办",
    WarningState.MUTED: "已静默",
    WarningState.CLOSED: "已关闭",
}
DEEDS: Mapping[Deed, str] = {
    Deed.ACKNOWLEDGE: "接收",
    Deed.ASSIGN: "转办",
    Deed.MUTE: "静默",
    Deed.CLOSE: "关闭",
    Deed.REOPEN: "重新打开",
    Deed.RATE: "评定",
    Deed.UNDO: "撤销",
}
_S = WarningState
_FROM: Mapping[Deed, frozenset[WarningState]] = {
    Deed.ACKNOWLEDGE: frozenset({_S.OPEN}),
    Deed.ASSIGN: frozenset({_S.OPEN, _S.ACKNOWLEDGED, _S.ASSIGNED}),
    Deed.MUTE: frozenset({_S.OPEN, _S.ACKNOWLEDGED, _S.ASSIGNED}),
    Deed.CLOSE: frozenset(_S) - {_S.CLOSED},
    Deed.REOPEN: frozenset({_S.MUTED, _S.CLOSED}),
    Deed.RATE: frozenset(_S),
}
_TO: Mapping[Deed, WarningState] = {
    Deed.ACKNOWLEDGE: _S.ACKNOWLEDGED,
    Deed.MUTE: _S.MUTED,
    Deed.CLOSE: _S.CLOSED,
    Deed.REOPEN: _S.OPEN,
}
_TAKEN_BACK = ("state", "order_id", "muted_until", "note", "is_true", "rated_by", "rated_at")
_WARNING = TypeAdapter(RaisedWarning)


def deeds_of(warning: RaisedWarning, *, last: Step | None) -> tuple[Deed, ...]:
    """What may be done with it now; `last`: what was done last."""
    possible = [deed for deed in _FROM if _may(warning, deed)]
    return (*possible, Deed.UNDO) if is_undoable(warning, last) else tuple(possible)


def done(warning: RaisedWarning, wish: Wish, *, author: str, now: datetime) -> RaisedWarning:
    """What becomes of it. Raises `DeedRefused`, `BadDeed`."""
    if wish.deed is Deed.MUTE and warning.layer is Layer.SAFETY:
        raise DeedRefused("安全报警不能静默。", code="warning.not_mutable")
    if not _may(warning, wish.deed):
        raise DeedRefused(f"这条预警{NAMES[warning.state]}，不能再{DEEDS[wish.deed]}。")
    note = wish.note.strip()
    if len(note) > LONGEST_NOTE:
        raise BadDeed(f"说明最多 {LONGEST_NOTE} 字。", code="warning.note_too_long")
    fresh = replace(
        warning, version=warning.version + 1, changed_by=author, changed_at=now, note=note or warning.note
    )
    return replace(fresh, **_changes(wish, author=author, now=now))


def _changes(wish: Wish, *, author: str, now: datetime) -> Mapping[str, Any]:
    """What a deed makes of it, by field."""
    if wish.deed is Deed.RATE:
        is_given = wish.is_true is not None
        return {
            "is_true": wish.is_true,
            "rated_by": author if is_given else "",
            "rated_at": now if is_given else None,
        }
    if wish.deed is Deed.ASSIGN:
        if not wish.order_id:
            raise BadDeed("请选一张工单，或新建一张。", code="warning.order_needed")
        return {"state": _S.ASSIGNED, "order_id": wish.order_id}
    until = _until(wish.until, now) if wish.deed is Deed.MUTE else None
    return {"state": _TO[wish.deed], "muted_until": until}


def _may(warning: RaisedWarning, deed: Deed) -> bool:
    return warning.state in _FROM[deed] and not (deed is Deed.MUTE and warning.layer is Layer.SAFETY)


def is_undoable(warning: RaisedWarning, last: Step | None) -> bool:
    """Whether the newest thing that was done may be taken back: by a person, and not itself a taking back."""
    return (
        last is not None
        and last.version == warning.version
        and last.action in {deed.value for deed in Deed} - {Deed.UNDO.value}
    )


def undone(warning: RaisedWarning, last: Step | None, *, author: str, now: datetime) -> RaisedWarning:
    """The warning as it stood before the newest deed. Raises `DeedRefused`."""
    if last is None or not is_undoable(warning, last):
        raise DeedRefused("没有可以撤销的操作。", code="warning.nothing_to_undo")
    before = {name: last.changes[name][0] for name in _TAKEN_BACK if name in last.changes}
    values = {field.name: getattr(warning, field.name) for field in fields(RaisedWarning)}
    values |= before | {"version": warning.version + 1, "changed_by": author, "changed_at": now}
    return _WARNING.validate_python(values)


def differences(before: RaisedWarning | None, after: RaisedWarning) -> dict[str, tuple[Any, Any]]:
    """By field: what stood there, and what stands there now, as JSON has it."""
    found = {}
    for name in _TAKEN_BACK:
        old, new = (_plain(getattr(one, name)) if one is not None else None for one in (before, after))
        if old != new:
            found[name] = (old, new)
    return found


def _plain(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else value


def unmuted(warning: RaisedWarning, *, now: datetime) -> RaisedWarning:
    """The warning when its silence has ended: open again where it still goes on, else over."""
    state = _S.OPEN if warning.over_at is None else _S.CLOSED
    return replace(
        warning,
        version=warning.version + 1,
        state=state,
        muted_until=None,
        changed_by=SYSTEM,
        changed_at=now,
    )


def _until(until: datetime | None, now: datetime) -> datetime:
    if until is None or until.tzinfo is None:
        raise BadDeed("请选静默到什么时候。", code="warning.until_needed")
    if not now < until <= now + LONGEST_MUTE:
        raise BadDeed(f"静默时间须在以后，最长 {LONGEST_MUTE.days} 天。", code="warning.until_bad")
    return until
