"""Posts events over HTTP: no redirect is followed, no proxy of the environment asked, nothing is read.

In: an outbox, a clock; an address, a body, headers. Out: requests; the status of the answer, or `NotSent`.
Not known here: what is posted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import httpx

from calls.watching import Watch, unwatched
from calls.webhooks.outbox import Outbox
from calls.webhooks.sender import NotSent, Post, Sender

_SILENCE_S = 10.0
_LONGEST_S = 20.0
"""However slowly an answer drips in."""


async def send_out(outbox: Outbox, clock: Callable[[], datetime], watch: Watch = unwatched) -> None:
    """Send what is due, without end."""
    async with open_post() as post:
        await Sender(outbox, post, clock=clock, watch=watch).run()


@asynccontextmanager
async def open_post() -> AsyncIterator[Post]:
    """A function that posts, for as long as it is needed."""
    async with httpx.AsyncClient(timeout=_SILENCE_S, trust_env=False, follow_redirects=False) as web:

        async def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
            try:
                async with (
                    asyncio.timeout(_LONGEST_S),
                    web.stream("POST", url, content=body, headers=dict(headers)) as answer,
                ):
                    return answer.status_code
            except (httpx.TimeoutException, TimeoutError):
                raise NotSent("timeout") from None
            except httpx.ConnectError:
                raise NotSent("refused") from None
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                raise NotSent(type(error).__name__) from None

        yield post
