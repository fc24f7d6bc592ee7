"""Sends the mails that wait, without end.

In: mails, a mail server, a clock. Out: mails that were taken, or why not yet.
Not known here: what is written, SMTP.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from insight.raised.mails import MailStore
from insight.raised.smtp import MailServer, send

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
_FORGET_EVERY = timedelta(hours=6)


async def send_mails(store: MailStore, server: MailServer, clock: Callable[[], datetime]) -> None:
    """Send what is due; nothing waits for it."""
    forgot_at: datetime | None = None
    while True:
        try:
            await asyncio.to_thread(send_due, store, server, clock)
            if forgot_at is None or clock() - forgot_at >= _FORGET_EVERY:
                forgot_at = clock()
                await asyncio.to_thread(store.forget_old, forgot_at)
        except Exception:  # the database is busy or full: nothing is lost by looking again
            log.exception("mails cannot be sent now")
        await asyncio.sleep(LOOK_EVERY_S)


def send_due(store: MailStore, server: MailServer, clock: Callable[[], datetime]) -> int:
    """Try all that is due once; returns how many were taken. Blocks."""
    due, n_taken = store.due(clock()), 0
    for outcome in send(server, due) if due else ():
        if outcome.why:
            log.warning("mail %d was not taken: %s", outcome.mail.mail_id, outcome.why)
            store.fail(outcome.mail, outcome.why, is_final=outcome.is_final, now=clock())
        else:
            store.succeed(outcome.mail, now=clock())
            n_taken += 1
    return n_taken
