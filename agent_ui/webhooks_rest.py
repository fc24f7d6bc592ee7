"""Webhooks over REST, for admins: who is told of what happens, and how they fare.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how events are kept and sent.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from agent_ui.door import author_of, note_target
from agent_ui.paging import RowNumber
from agent_ui.screen_commands import Typed
from calls.webhooks.outbox import Outbox
from calls.webhooks.signing import key_of, new_secret
from calls.webhooks.types import ALL, BadReceiver, Pause, Receiver, Standing, UnknownReceiver, WebhookError

MOST_RECEIVERS = 20
_LONGEST_URL = 1_000


class ReceiverIn(BaseModel):
    """Somebody to be told; without a secret one is made."""

    name: Typed = Field(min_length=1, max_length=100)
    url: str = Field(max_length=_LONGEST_URL)
    events: list[str] = Field(default=[ALL], min_length=1, max_length=100, description="Types, or `*`.")
    secret: str | None = Field(default=None, max_length=200, description="`whsec_` and a key in base64.")


class ReceiverChangeIn(BaseModel):
    """What changes; what is left out stays."""

    name: Typed | None = Field(default=None, min_length=1, max_length=100)
    url: str | None = Field(default=None, max_length=_LONGEST_URL)
    events: list[str] | None = Field(default=None, min_length=1, max_length=100)
    is_paused: bool | None = Field(default=None, description="False also lets one go on that was given up.")


class ReceiverOut(BaseModel):
    """Somebody who is told, and how they fare; the secret is told once, when it is made."""

    model_config = ConfigDict(from_attributes=True)

    receiver_id: int
    name: str
    url: str
    events: list[str]
    standing: Standing
    pause: Pause | None
    waiting: int
    delivered: int
    lost: int
    attempts: int
    next_try_at: datetime | None
    failing_since: datetime | None
    last_error: str
    last_delivered_at: datetime | None
    created_by: str
    created_at: datetime
    secret: str | None = None


class ReceiversOut(BaseModel):
    """Everybody who is told, and the types of events that there are."""

    receivers: list[ReceiverOut]
    events: list[str]


def webhooks_router(outbox: Outbox, *, events: Sequence[str], clock: Callable[[], datetime]) -> APIRouter:
    """`/v1/webhooks`. `events` are the types that there are."""
    router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

    def told(receiver: Receiver, *, secret: str | None = None) -> ReceiverOut:
        return ReceiverOut.model_validate(receiver).model_copy(update={"secret": secret})

    def see_events(wanted: Sequence[str]) -> tuple[str, ...]:
        for one in wanted:
            if one != ALL and one not in events:
                raise BadReceiver(f"没有名为 {one[:40]} 的事件。", code="webhook.unknown_event")
        return tuple(dict.fromkeys(wanted))

    @router.get("")
    def list_receivers() -> ReceiversOut:
        """List the receivers with how they fare, and the types of events."""
        return ReceiversOut(receivers=[told(one) for one in outbox.receivers()], events=list(events))

    @router.post("", status_code=201)
    def add_receiver(body: ReceiverIn, request: Request) -> ReceiverOut:
        """Tell somebody from now on. Its secret is in this answer and nowhere else."""
        with _answering():
            if len(outbox.receivers()) >= MOST_RECEIVERS:
                raise BadReceiver(f"最多 {MOST_RECEIVERS} 个接收方。", code="webhook.too_many")
            secret = body.secret or new_secret()
            if key_of(secret) is None:
                message = "密钥应为 whsec_ 加 24 至 64 字节的 Base64；留空则自动生成。"
                raise BadReceiver(message, code="webhook.bad_secret")
            receiver = outbox.add(
                name=body.name,
                url=_seen(body.url),
                secret=secret,
                events=see_events(body.events),
                author=author_of(request),
                now=clock(),
            )
        note_target(request, f"{receiver.receiver_id} {receiver.name}")
        return told(receiver, secret=secret)

    @router.patch("/{receiver_id}")
    def change_receiver(receiver_id: RowNumber, body: ReceiverChangeIn, request: Request) -> ReceiverOut:
        """Change, pause or go on; what waits is sent in the same order."""
        with _answering():
            receiver = outbox.change(
                receiver_id,
                name=body.name,
                url=_seen(body.url) if body.url is not None else None,
                events=see_events(body.events) if body.events is not None else None,
            )
            if body.is_paused is not None:
                receiver = outbox.pause(receiver_id, Pause.BY_HAND if body.is_paused else None)
        note_target(request, f"{receiver.name} {receiver.standing}")
        return told(receiver)

    @router.post("/{receiver_id}/secret")
    def renew_secret(receiver_id: RowNumber) -> ReceiverOut:
        """Make another secret; what is sent from now on is signed with it, and only this answer tells it."""
        with _answering():
            secret = new_secret()
            return told(outbox.change(receiver_id, secret=secret), secret=secret)

    @router.post("/{receiver_id}/ping", status_code=202)
    def ping_receiver(receiver_id: RowNumber) -> ReceiverOut:
        """Send an event that says nothing, behind what waits."""
        with _answering():
            outbox.ping(receiver_id, now=clock())
            return told(outbox.receiver(receiver_id))

    @router.post("/{receiver_id}/skip")
    def skip_event(receiver_id: RowNumber, request: Request) -> ReceiverOut:
        """Leave out the event that is next, where the receiver will never take it."""
        with _answering():
            skipped = outbox.skip(receiver_id)
            note_target(request, skipped or "")
            return told(outbox.receiver(receiver_id))

    @router.delete("/{receiver_id}", status_code=204)
    def remove_receiver(receiver_id: RowNumber) -> None:
        """Tell it nothing any more, and forget what waited for it."""
        with _answering():
            outbox.remove(receiver_id)

    return router


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except WebhookError as error:
        status = 404 if isinstance(error, UnknownReceiver) else 422
        raise HTTPException(status, {"code": error.code, "message": error.message}) from None


def _seen(url: str) -> str:
    """An address to which something can be posted. Raises `BadReceiver`."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        is_bare = parts.username is None and parts.password is None and not parts.fragment
    except ValueError:
        is_one = is_bare = False
    if not (is_one and is_bare and url.isascii() and url.isprintable() and " " not in url):
        message = "地址应以 http:// 或 https:// 开头，不含用户名和密码。"
        raise BadReceiver(message, code="webhook.bad_url")
    return url
