"""The outbox: what happened, kept for every receiver until it has it.

In: events, put in by the transaction that makes them true; what came of attempts to deliver.
Out: the event that a receiver gets next; receivers and how they fare.
Not known here: how an event is sent, what it is about.

Every receiver has a queue of its own and gets one event after the other, so only the first of a queue has
attempts. An event stays as long as somebody waits for it.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from calls.moments import stamp
from calls.webhooks.tables import events as _events
from calls.webhooks.tables import receivers as _receivers
from calls.webhooks.tables import waiting as _waiting
from calls.webhooks.types import PING, Delivery, Event, Pause, Receiver, UnknownReceiver, is_wanted
from knowledge_base.database import writing

MOST_WAITING = 50_000
"""Events kept for one receiver. A city of 500 orders a day makes some 4,000 events a day."""
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(days=3)
"""Without a success a receiver is paused until an admin lets it go on; nothing of its queue is lost."""


def put(connection: Connection, event: Event) -> None:
    """Keep an event for all who want it, in the transaction of whoever makes it true."""
    wanting = [
        row.receiver_id
        for row in connection.execute(sa.select(_receivers.c.receiver_id, _receivers.c.events))
        if is_wanted(event.type, row.events)
    ]
    _keep(connection, event, wanting)


def _keep(connection: Connection, event: Event, receiver_ids: list[int]) -> None:
    """Whose queue is full does not get it, and has one lost more."""
    counts = sa.select(_waiting.c.receiver_id, sa.func.count().label("held")).group_by(_waiting.c.receiver_id)
    full = {
        row.receiver_id
        for row in connection.execute(counts.where(_waiting.c.receiver_id.in_(receiver_ids)))
        if row.held >= MOST_WAITING
    }
    if full:
        lose = _receivers.update().where(_receivers.c.receiver_id.in_(full))
        connection.execute(lose.values(lost=_receivers.c.lost + 1))
    takers = [one for one in receiver_ids if one not in full]
    if not takers:
        return
    values = {"event_id": event.event_id, "type": event.type, "at": stamp(event.at), "body": event.body}
    key = connection.execute(_events.insert().values(values)).inserted_primary_key
    assert key is not None
    connection.execute(_waiting.insert(), [{"receiver_id": one, "number": key[0]} for one in takers])


def forget(connection: Connection, prefix: str) -> int:
    """Forget the events whose identifiers begin so, whoever waits for them; returns how many there were."""
    after = prefix[:-1] + chr(
        ord(prefix[-1]) + 1
    )  # LIKE would take another's whose letters are larger or smaller
    its = sa.select(_events.c.number).where(_events.c.event_id >= prefix, _events.c.event_id < after)
    connection.execute(_waiting.delete().where(_waiting.c.number.in_(its)))
    return connection.execute(_events.delete().where(_events.c.number.in_(its))).rowcount


class Outbox:
    """All methods block. Any thread may call them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def receivers(self) -> list[Receiver]:
        """Everybody who is told something, in the order in which they came."""
        with self._engine.connect() as connection:
            counts = sa.select(_waiting.c.receiver_id, sa.func.count().label("held"))
            found = connection.execute(counts.group_by(_waiting.c.receiver_id)).all()
            held = {row.receiver_id: row.held for row in found}
            rows = connection.execute(sa.select(_receivers).order_by(_receivers.c.receiver_id)).all()
        return [_to_receiver(row, held.get(row.receiver_id, 0)) for row in rows]

    def receiver(self, receiver_id: int) -> Receiver:
        """One of them. Raises `UnknownReceiver`."""
        for one in self.receivers():
            if one.receiver_id == receiver_id:
                return one
        raise UnknownReceiver(f"没有编号为 {receiver_id} 的接收方。")

    def add(
        self, *, name: str, url: str, secret: str, events: tuple[str, ...], author: str, now: datetime
    ) -> Receiver:
        """Tell somebody from now on."""
        row = {
            "name": name,
            "url": url,
            "secret": secret,
            "events": list(events),
            "created_by": author,
            "created_at": stamp(now),
            "delivered": 0,
            "lost": 0,
            "attempts": 0,
            "last_error": "",
        }
        with writing(self._engine) as connection:
            key = connection.execute(_receivers.insert().values(row)).inserted_primary_key
            assert key is not None
        return self.receiver(key[0])

    def change(
        self,
        receiver_id: int,
        *,
        name: str | None = None,
        url: str | None = None,
        secret: str | None = None,
        events: tuple[str, ...] | None = None,
    ) -> Receiver:
        """Change what is given; the next attempt follows at once. Raises `UnknownReceiver`."""
        given = {"name": name, "url": url, "secret": secret, "events": list(events) if events else None}
        changed = {key: value for key, value in given.items() if value is not None}
        self._update(receiver_id, next_try_at=None, **changed)
        return self.receiver(receiver_id)

    def pause(self, receiver_id: int, why: Pause | None) -> Receiver:
        """Send it nothing for the time being, or go on (None) where it stopped. Raises `UnknownReceiver`."""
        fresh: dict[str, Any] = {"attempts": 0, "next_try_at": None, "failing_since": None}
        self._update(receiver_id, pause=why.value if why else None, **(fresh if why is None else {}))
        return self.receiver(receiver_id)

    def remove(self, receiver_id: int) -> None:
        """Tell it nothing any more, and forget what waited. Raises `UnknownReceiver`."""
        with writing(self._engine) as connection:
            connection.execute(_waiting.delete().where(_waiting.c.receiver_id == receiver_id))
            gone = connection.execute(_receivers.delete().where(_receivers.c.receiver_id == receiver_id))
            if gone.rowcount != 1:
                raise UnknownReceiver(f"没有编号为 {receiver_id} 的接收方。")
            _forget_unwanted(connection)

    def ping(self, receiver_id: int, *, now: datetime) -> None:
        """Put an event that says nothing behind what waits. Raises `UnknownReceiver`."""
        self.receiver(receiver_id)
        event_id = f"{PING}-{receiver_id}-{stamp(now)}"
        body = f'{{"id": "{event_id}", "type": "{PING}", "at": "{stamp(now)}"}}'
        with writing(self._engine) as connection:
            _keep(connection, Event(event_id=event_id, type=PING, at=now, body=body), [receiver_id])

    def skip(self, receiver_id: int) -> str | None:
        """Leave out the event that is next; returns its identifier. Raises `UnknownReceiver`."""
        self.receiver(receiver_id)
        with writing(self._engine) as connection:
            row = connection.execute(_first_of(receiver_id)).first()
            if row is not None:
                _take_out(connection, receiver_id, row.number)
                change = _receivers.update().where(_receivers.c.receiver_id == receiver_id)
                connection.execute(change.values(attempts=0, next_try_at=None))
        return row.event_id if row is not None else None

    def due(self, now: datetime) -> list[int]:
        """The receivers to whom something may be sent now."""
        has_some = sa.exists().where(_waiting.c.receiver_id == _receivers.c.receiver_id)
        is_time = sa.or_(_receivers.c.next_try_at.is_(None), _receivers.c.next_try_at <= stamp(now))
        found = sa.select(_receivers.c.receiver_id).where(_receivers.c.pause.is_(None), has_some, is_time)
        with self._engine.connect() as connection:
            return list(connection.scalars(found.order_by(_receivers.c.receiver_id)))

    def next(self, receiver_id: int) -> Delivery | None:
        """What a receiver gets next; None where nothing waits, or it is paused or gone."""
        with self._engine.connect() as connection:
            who = connection.execute(
                sa.select(_receivers).where(_receivers.c.receiver_id == receiver_id)
            ).first()
            row = connection.execute(_first_of(receiver_id)).first()
        if who is None or who.pause is not None or row is None:
            return None
        at = datetime.fromisoformat(row.at)
        return Delivery(
            receiver_id=receiver_id,
            number=row.number,
            url=who.url,
            secret=who.secret,
            event=Event(event_id=row.event_id, type=row.type, at=at, body=row.body),
            attempts=who.attempts,
        )

    def succeed(self, delivery: Delivery, *, now: datetime) -> None:
        """It was taken."""
        with writing(self._engine) as connection:
            _take_out(connection, delivery.receiver_id, delivery.number)
            change = _receivers.update().where(_receivers.c.receiver_id == delivery.receiver_id)
            connection.execute(
                change.values(
                    delivered=_receivers.c.delivered + 1,
                    attempts=0,
                    next_try_at=None,
                    failing_since=None,
                    last_error="",
                    last_delivered_at=stamp(now),
                )
            )

    def fail(self, delivery: Delivery, error: str, *, now: datetime, is_gone: bool = False) -> None:
        """It was not taken: try again later, each time later; after days, or at its own wish, not at all."""
        with writing(self._engine) as connection:
            mine = _receivers.c.receiver_id == delivery.receiver_id
            row = connection.execute(sa.select(_receivers).where(mine)).first()
            if row is None or row.attempts != delivery.attempts:
                return  # it was changed meanwhile, and begins anew
            since = datetime.fromisoformat(row.failing_since) if row.failing_since else now
            pause = row.pause
            if is_gone:
                pause = Pause.GONE.value
            elif now - since >= GIVE_UP_AFTER:
                pause = pause or Pause.GAVE_UP.value
            connection.execute(
                _receivers.update()
                .where(mine)
                .values(
                    attempts=row.attempts + 1,
                    next_try_at=stamp(now + pause_after(row.attempts + 1)),
                    failing_since=stamp(since),
                    last_error=error[:200],
                    pause=pause,
                )
            )

    def _update(self, receiver_id: int, **values: Any) -> None:
        with writing(self._engine) as connection:
            change = _receivers.update().where(_receivers.c.receiver_id == receiver_id).values(values)
            if connection.execute(change).rowcount != 1:
                raise UnknownReceiver(f"没有编号为 {receiver_id} 的接收方。")


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts in vain."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(LONGEST_PAUSE, FIRST_PAUSE * doubled)


def _first_of(receiver_id: int) -> sa.Select[Any]:
    joined = _waiting.join(_events, _events.c.number == _waiting.c.number)
    mine = sa.select(_events).select_from(joined).where(_waiting.c.receiver_id == receiver_id)
    return mine.order_by(_waiting.c.number).limit(1)


def _take_out(connection: Connection, receiver_id: int, number: int) -> None:
    mine = sa.and_(_waiting.c.receiver_id == receiver_id, _waiting.c.number == number)
    connection.execute(_waiting.delete().where(mine))
    nobody = ~sa.exists().where(_waiting.c.number == _events.c.number)
    connection.execute(_events.delete().where(_events.c.number == number, nobody))


def _forget_unwanted(connection: Connection) -> None:
    connection.execute(_events.delete().where(~sa.exists().where(_waiting.c.number == _events.c.number)))


def _to_receiver(row: sa.Row[Any], waiting: int) -> Receiver:
    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    return Receiver(
        receiver_id=row.receiver_id,
        name=row.name,
        url=row.url,
        events=tuple(row.events),
        pause=Pause(row.pause) if row.pause else None,
        created_by=row.created_by,
        created_at=datetime.fromisoformat(row.created_at),
        waiting=waiting,
        delivered=row.delivered,
        lost=row.lost,
        attempts=row.attempts,
        next_try_at=moment(row.next_try_at),
        failing_since=moment(row.failing_since),
        last_error=row.last_error,
        last_delivered_at=moment(row.last_delivered_at),
    )
