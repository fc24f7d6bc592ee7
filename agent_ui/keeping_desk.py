"""What keeps calls and lets them go, put together; and the nightly round.

In: the opened database, the sound of calls, settings. Out: a desk for REST and commands; work without end.
Not known here: HTTP, how anything is deleted.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from calls.audio.sound import Recordings
from calls.audio.types import AudioAway
from calls.keeping.deletion import Deleter
from calls.keeping.holds import Holds
from calls.keeping.retention import Retention
from calls.keeping.types import Policy

log = logging.getLogger(__name__)

AT = time(3, 10)
"""When the house is quiet."""
_RETRY_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingDesk:
    """Holds, deletion, retention."""

    holds: Holds
    deleter: Deleter
    retention: Retention
    clock: Callable[[], datetime]

    @classmethod
    def open(
        cls,
        database: Engine,
        sounds: Recordings,
        policy: Callable[[], Policy],
        *,
        clock: Callable[[], datetime],
    ) -> "KeepingDesk":
        """Put it together; `policy` says how long calls are kept now."""
        deleter = Deleter(database, sounds)
        return cls(
            holds=Holds(database),
            deleter=deleter,
            retention=Retention(engine=database, deleter=deleter, policy=policy),
            clock=clock,
        )


async def keep_to_terms(desk: KeepingDesk) -> None:
    """Once after every start and then every night delete what is due, without end."""
    while True:
        try:
            deleted = await asyncio.to_thread(desk.retention.run, desk.clock())
        except (DBAPIError, OSError, AudioAway) as error:
            log.error("what is due was not all deleted, it is tried again: %s", type(error).__name__)
            await asyncio.sleep(_RETRY_S)
            continue
        if deleted:
            log.info("%d recordings and calls whose time was over were deleted", deleted)
        await asyncio.sleep(seconds_until(AT, desk.clock()))


def seconds_until(moment: time, now: datetime) -> float:
    """From now to the next time that clocks show it."""
    today = now.replace(hour=moment.hour, minute=moment.minute, second=0, microsecond=0)
    return ((today if today > now else today + timedelta(days=1)) - now).total_seconds()
