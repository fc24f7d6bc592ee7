"""Leases, beats and leadership, in the installation's one database.

In: a process, calls. Out: what the database says of them; errors where a lease is not what it was.
Not known here: when anybody is held to be dead, sessions, screens. All of it blocks: call it from a thread.

Those functions that take a connection belong into the transaction that also writes the fact.
"""

import secrets
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from calls.holding.tables import leaders, leases, processes
from calls.holding.types import Lease, LeaseLost, SeatChanged, Sight
from calls.tables import calls
from calls.types import CallConflict, CallState
from knowledge_base.database import writing

_LEADER = "city"


def new_lease(call_id: str, process_id: str) -> Lease:
    """A lease that nobody had before."""
    return Lease(call_id=call_id, process_id=process_id, token=secrets.token_hex(8))


def take(connection: Connection, lease: Lease) -> None:
    """Hold a call that nobody holds. Raises `CallConflict`."""
    held = select(leases.c.process_id).where(leases.c.call_id == lease.call_id)
    if connection.scalar(held) is not None:
        raise CallConflict(f"通话 {lease.call_id} 正由另一台服务器处理。")
    row = {"call_id": lease.call_id, "process_id": lease.process_id, "token": lease.token}
    connection.execute(insert(leases).values(**row, is_urgent=False))


def hold(connection: Connection, lease: Lease, operator_id: str | None) -> None:
    """See that the call is still held, until the end of the transaction, and still at that seat.

    Raises `LeaseLost`, `SeatChanged`.
    """
    token = connection.scalar(
        select(leases.c.token).where(leases.c.call_id == lease.call_id).with_for_update(read=True)
    )
    if token != lease.token:
        raise LeaseLost
    seat = connection.execute(select(calls.c.operator_id).where(calls.c.call_id == lease.call_id)).first()
    if seat is not None and seat.operator_id != operator_id:
        raise SeatChanged(seat.operator_id)


def let_go(connection: Connection, lease: Lease) -> None:
    """Hold the call no longer. Raises `LeaseLost` where it was held no longer already."""
    mine = (leases.c.call_id == lease.call_id) & (leases.c.token == lease.token)
    if connection.execute(delete(leases).where(mine)).rowcount != 1:
        raise LeaseLost


def see_cut_off(connection: Connection, call_id: str) -> None:
    """See that a call without a holder is not over and not marked yet. Raises `LeaseLost`."""
    state = connection.scalar(select(calls.c.state).where(calls.c.call_id == call_id).with_for_update())
    if state not in (CallState.LIVE, CallState.LOST):
        raise LeaseLost
    if connection.scalar(select(leases.c.token).where(leases.c.call_id == call_id)) is not None:
        raise LeaseLost


class LeaseStore:
    """What one process reads and writes beside the facts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def look(self, process_id: str) -> Sight:
        """Say that this process lives, and see who else does and who holds what."""
        beat = processes.c.process_id == process_id
        # No turn among the writers is waited for: one of them that is stopped must not stop the beats.
        with self._engine.begin() as connection:
            if not connection.execute(
                update(processes).where(beat).values(beat=processes.c.beat + 1)
            ).rowcount:
                connection.execute(insert(processes).values(process_id=process_id, beat=1))
            return Sight(
                beats={row.process_id: row.beat for row in connection.execute(select(processes))},
                leases=tuple(_to_lease(row) for row in connection.execute(select(leases))),
                leader=connection.scalar(select(leaders.c.process_id).where(leaders.c.name == _LEADER)),
            )

    def lease(self, call_id: str) -> Lease | None:
        """Who holds that call, or None."""
        with self._engine.connect() as connection:
            row = connection.execute(select(leases).where(leases.c.call_id == call_id)).first()
        return _to_lease(row) if row else None

    def take(self, lease: Lease) -> None:
        """Hold a call that nobody holds. Raises `CallConflict`."""
        with writing(self._engine) as connection:
            take(connection, lease)

    def give_back(self, lease: Lease) -> None:
        """Hold it no longer, if it was held at all."""
        with writing(self._engine) as connection:
            connection.execute(
                delete(leases).where(leases.c.call_id == lease.call_id, leases.c.token == lease.token)
            )

    def want(self, call_id: str, process_id: str | None, *, is_urgent: bool = False) -> None:
        """Ask whoever holds the call to let go of it; None takes the wish back."""
        wish = update(leases).where(leases.c.call_id == call_id)
        with writing(self._engine) as connection:
            connection.execute(wish.values(wanted_by=process_id, is_urgent=is_urgent))

    def lead(self, process_id: str, *, instead_of: str | None) -> bool:
        """Become the one who does what one alone must do, after that process; says whether it is so."""
        with writing(self._engine) as connection:
            now = connection.scalar(select(leaders.c.process_id).where(leaders.c.name == _LEADER))
            if now != instead_of:
                return now == process_id
            connection.execute(delete(leaders).where(leaders.c.name == _LEADER))
            connection.execute(insert(leaders).values(name=_LEADER, process_id=process_id))
            return True

    def leave(self, process_id: str) -> None:
        """The process ends in peace: it leads no longer, and nobody waits for its beat."""
        with writing(self._engine) as connection:
            connection.execute(delete(leaders).where(leaders.c.process_id == process_id))
            connection.execute(delete(processes).where(processes.c.process_id == process_id))

    def forget_process(self, process_id: str) -> None:
        """Remove a process that is dead and holds nothing."""
        with writing(self._engine) as connection:
            connection.execute(delete(processes).where(processes.c.process_id == process_id))


def _to_lease(row: Row[Any]) -> Lease:
    return Lease(
        call_id=row.call_id,
        process_id=row.process_id,
        token=row.token,
        wanted_by=row.wanted_by,
        is_urgent=row.is_urgent,
    )
