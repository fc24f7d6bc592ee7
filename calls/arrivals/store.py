"""Keeps arrivals, in the installation's one database.

In: arrivals as the telephone system tells them, again and again as it knows more. Out: arrivals.
Not known here: HTTP, who counts them. All of it blocks: call it from a thread.
"""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy import Engine

from calls.arrivals.tables import arrivals
from calls.arrivals.types import Arrival, BadArrival
from calls.moments import stamp
from calls.tables import calls
from knowledge_base.database import writing


class ArrivalStore:
    """Any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def tell(self, arrival: Arrival) -> Arrival:
        """Keep what is known now; what was told before and is left out here stays. Raises `BadArrival`."""
        with writing(self._engine) as connection:
            row = connection.execute(
                sa.select(arrivals).where(arrivals.c.call_id == arrival.call_id)
            ).one_or_none()
            if row is not None:
                known = arrival_of(row)
                arrival = replace(
                    arrival,
                    answered_at=arrival.answered_at or known.answered_at,
                    left_at=arrival.left_at or known.left_at,
                )
                if arrival == known:
                    return known
            _see(arrival)
            newest = connection.scalar(sa.select(sa.func.max(arrivals.c.revision))) or 0
            values = {
                "arrived_at": stamp(arrival.arrived_at),
                "answered_at": stamp(arrival.answered_at) if arrival.answered_at else None,
                "left_at": stamp(arrival.left_at) if arrival.left_at else None,
                "revision": newest + 1,
            }
            if row is None:
                connection.execute(arrivals.insert().values(call_id=arrival.call_id, **values))
            else:
                connection.execute(
                    arrivals.update().where(arrivals.c.call_id == arrival.call_id).values(values)
                )
        return arrival

    def forget(self, *, before: datetime) -> int:
        """Delete arrivals of that time that no call on record came of; returns how many.

        Those of calls go with their calls.
        """
        is_of_call = sa.exists().where(calls.c.call_id == arrivals.c.call_id)
        old = arrivals.delete().where(arrivals.c.arrived_at < stamp(before), ~is_of_call)
        with writing(self._engine) as connection:
            return connection.execute(old).rowcount


def arrival_of(row: "sa.Row[tuple[str, str, str | None, str | None, int]]") -> Arrival:
    """An arrival of its row."""
    return Arrival(
        call_id=row.call_id,
        arrived_at=datetime.fromisoformat(row.arrived_at),
        answered_at=datetime.fromisoformat(row.answered_at) if row.answered_at else None,
        left_at=datetime.fromisoformat(row.left_at) if row.left_at else None,
    )


def _see(arrival: Arrival) -> None:
    moments = (arrival.arrived_at, arrival.answered_at, arrival.left_at)
    known = [moment for moment in moments if moment is not None]
    if any(later < earlier for earlier, later in pairwise(known)):
        raise BadArrival("来电时间有误：应答和挂断不能早于来电，挂断不能早于应答。")
