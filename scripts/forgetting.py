"""Deletes again what had been deleted, in data that come from before that.

In: a database of the newest schema, its data folder, a list of deletions. Out: how many went again.
Not known here: where the list comes from.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, delete, select, update

from calls.audio.sound import Recordings
from calls.keeping.deletion import Deleter
from calls.keeping.tables import holds
from calls.keeping.types import What
from calls.orders.attachments import Attachments
from calls.orders.desk import ATTACHMENTS
from calls.orders.erasure import ERASED, OrderEraser
from calls.orders.tables import orders
from calls.tables import calls
from calls.types import CallState
from knowledge_base.database import writing
from scripts.backup_store import Forgotten

BY = "恢复备份"


def forget_again(
    engine: Engine,
    data: Path,
    recordings: Recordings,
    forgotten: Iterable[Forgotten],
    *,
    now: datetime,
    tell: Callable[[str], None] = lambda _: None,
) -> int:
    """Delete what the list names and is there.

    Whoever deleted it had the right to: holds of before do not count.

    A call of the same identifier that began only after the deletion is another one, and stays.
    """
    deleter, done = Deleter(engine, recordings), 0
    eraser = OrderEraser(engine, Attachments(engine, data / ATTACHMENTS, recordings.objects))
    for one in forgotten:
        what, why = What(one.what), f"备份之后已于 {one.at[:10]} 删除"
        if what is What.ORDER:
            if _still_tells(engine, one):
                eraser.erase(one.call_id, who=BY, reason=why, now=now, is_over=False)
                done += 1
                tell(f"再次删除 {done}")
            continue
        if not _clear_way(engine, one, what):
            if what is What.CALL and not _is_there(engine, one.call_id):
                recordings.delete(one.call_id)  # sound that no row leads to any more
            continue
        deleter.delete(one.call_id, what, who=BY, reason=why, now=now)
        done += 1
        tell(f"再次删除 {done}")
    if done:
        deleter.settle()
    return done


def _clear_way(engine: Engine, one: Forgotten, what: What) -> bool:
    with writing(engine) as connection:
        row = connection.execute(
            select(calls.c.started_at, calls.c.audio_format).where(calls.c.call_id == one.call_id)
        ).first()
        if row is None or datetime.fromisoformat(row.started_at) > datetime.fromisoformat(one.at):
            return False
        if what is What.AUDIO and row.audio_format is None:
            return False
        connection.execute(delete(holds).where(holds.c.call_id == one.call_id))
        connection.execute(update(calls).where(calls.c.call_id == one.call_id).values(state=CallState.ENDED))
        return True


def _still_tells(engine: Engine, one: Forgotten) -> bool:
    """Whether there is such an order, of before, with something personal in it."""
    with engine.connect() as connection:
        row = connection.execute(
            select(orders.c.created_at, orders.c.summary).where(orders.c.order_id == one.call_id)
        ).first()
    if row is None or datetime.fromisoformat(row.created_at) > datetime.fromisoformat(one.at):
        return False
    return bool(row.summary != ERASED)


def _is_there(engine: Engine, call_id: str) -> bool:
    with engine.connect() as connection:
        return connection.scalar(select(calls.c.call_id).where(calls.c.call_id == call_id)) is not None
