"""The sender: takes what waits in the outbox to those who want it.

In: an outbox, a function that posts, a clock. Out: requests, one after the other to each receiver.
Not known here: HTTP, what the events are about.

Each receiver has a task of its own while something is due to it, so that one that is slow or dead holds up
nobody. An event is taken out of the outbox only when it was taken by the receiver: it may come twice, under
the same identifier, never not at all.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from calls.watching import Step, Watch, unwatched
from calls.webhooks.outbox import Outbox
from calls.webhooks.signing import signed
from calls.webhooks.types import Delivery

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
_GONE = 410

Post: TypeAlias = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]
"""(address, body, headers) → status. Raises `NotSent`; takes some seconds at most."""


class NotSent(Exception):
    """No answer; `why` is short: `timeout`, `refused`, …."""

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


class Sender:
    """Belongs on one event loop."""

    def __init__(
        self, outbox: Outbox, post: Post, *, clock: Callable[[], datetime], watch: Watch = unwatched
    ) -> None:
        self._outbox = outbox
        self._watch = watch
        self._post = post
        self._clock = clock
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Send what is due, without end."""
        try:
            while True:
                try:
                    await self.start_due()
                except Exception:  # the database is busy or full: nothing is lost by looking again
                    log.exception("the outbox of webhooks cannot be read")
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            for task in list(self._tasks.values()):
                task.cancel()

    async def start_due(self) -> None:
        """Begin to send to everybody to whom something is due and to whom nothing is being sent."""
        for receiver_id in await asyncio.to_thread(self._outbox.due, self._clock()):
            if receiver_id not in self._tasks:
                task = asyncio.create_task(self._send_all(receiver_id))
                self._tasks[receiver_id] = task
                task.add_done_callback(lambda _, who=receiver_id: self._tasks.pop(who, None))  # type: ignore[misc]

    async def settle(self) -> None:
        """Wait until nothing is being sent."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def _send_all(self, receiver_id: int) -> None:
        """One after the other, until there are no more or one is not taken."""
        try:
            while (delivery := await asyncio.to_thread(self._outbox.next, receiver_id)) is not None:
                if not await self._send(delivery):
                    return
        except Exception:  # the outbox cannot be written: looked at again with the next round
            log.exception("webhook receiver %s could not be served", receiver_id)

    async def _send(self, delivery: Delivery) -> bool:
        event = delivery.event
        with self._watch(
            "webhook",
            receiver_id=delivery.receiver_id,
            event_id=event.event_id,
            event_type=event.type,
            attempts=delivery.attempts,
        ) as step:
            return await self._try(delivery, step)

    async def _try(self, delivery: Delivery, step: Step) -> bool:
        event, body = delivery.event, delivery.event.body.encode()
        headers = {"content-type": "application/json", **step.headers}
        headers |= signed(delivery.secret, event_id=event.event_id, body=body, at=self._clock())
        try:
            status = await self._post(delivery.url, body, headers)
        except NotSent as error:
            why, is_gone = error.why, False
        else:
            step.note(status=status)
            if 200 <= status < 300:
                await asyncio.to_thread(self._outbox.succeed, delivery, now=self._clock())
                return True
            why, is_gone = f"http {status}", status == _GONE
        step.fail(why)
        log.info("webhook receiver %s did not take %s: %s", delivery.receiver_id, event.event_id, why)
        await asyncio.to_thread(self._outbox.fail, delivery, why, now=self._clock(), is_gone=is_gone)
        return False
