"""What other processes do to calls that are held here: they write it down, and it is followed here.

In: facts of running calls that another process wrote. Out: sessions that know of them, facts that follow.
Not known here: how the facts came, who gave the command.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from calls.session import Session
from calls.types import CallError, CallTransferred, Entry, SuggestionMarked

log = logging.getLogger(__name__)


class Obedience:
    """`hear` runs on the event loop and never waits; `close` it in the end."""

    def __init__(self, session: Callable[[str], Session | None]) -> None:
        """`session` finds the one of a call, if it runs here."""
        self._session = session
        self._following: set[asyncio.Task[None]] = set()

    def hear(self, entries: list[Entry]) -> None:
        """Follow what was written elsewhere."""
        for entry in entries:
            session = self._session(entry.call_id or "")
            if session is None:
                continue
            match entry.fact:
                case CallTransferred(to_operator=operator_id):
                    session.call = replace(session.call, operator_id=operator_id)
                case SuggestionMarked() as marked:
                    task = asyncio.create_task(self._mark(session, marked))
                    self._following.add(task)
                    task.add_done_callback(self._following.discard)

    async def _mark(self, session: Session, marked: SuggestionMarked) -> None:
        try:
            await session.take_mark(marked.article_id, marked.mark)
        except CallError as error:
            log.error("cards of call %s do not follow a mark: %s", session.call.call_id, error.code)

    async def close(self) -> None:
        """Wait for what is being followed."""
        await asyncio.gather(*self._following, return_exceptions=True)
