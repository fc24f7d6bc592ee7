"""Events for other systems: signed, in order, once for whoever looks at identifiers, whatever fails."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from standardwebhooks import Webhook, WebhookVerificationError

from calls.orders.desk import OrderDesk
from calls.orders.events import EVENT_TYPES
from calls.orders.types import Deed, MatterType, OrderContent, Part, Person, Wish
from calls.outward import prefix_of
from calls.webhooks import outbox as outbox_module
from calls.webhooks.outbox import GIVE_UP_AFTER, LONGEST_PAUSE, Outbox, forget, pause_after, put
from calls.webhooks.posting import open_post
from calls.webhooks.sender import Sender
from calls.webhooks.signing import key_of, new_secret, signed
from calls.webhooks.types import Event, Pause, Standing
from knowledge_base.database import writing
from tests.conftest import Clock
from tests.databases import both_databases
from tests.order_parts import order_desk
from tests.real_server import free_port

LI = Person(name="li", parts=frozenset(Part))
HOUR_S = 3600


@dataclass
class Receiver:
    """A real HTTP server on a port of its own, which may be down, refuse, or lose its answers."""

    port: int = field(default_factory=free_port)
    server: asyncio.Server | None = None
    answer: Callable[[str], int | None] = lambda event_id: 204
    """The status for an event; None takes it and closes the line without a word."""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    tries: int = 0

    async def up(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(_header(line) for line in head[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        self.tries += 1
        status = self.answer(headers["webhook-id"])
        if status is None or 200 <= status < 300:
            self.got.append((headers, body))
        if status is not None:
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def has(self, count: int) -> None:
        """Wait for so many."""
        for _ in range(3000):
            if len(self.got) >= count:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{len(self.got)} came instead of {count}")

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name.lower(), value


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.up()
    try:
        yield receiver
    finally:
        await receiver.down()


@pytest.fixture
def desk(engine: Engine, tmp_path: Path, clock: Clock) -> OrderDesk:
    return order_desk(engine, tmp_path, clock)


@pytest.fixture
def outbox(engine: Engine) -> Outbox:
    return Outbox(engine)


def tell(outbox: Outbox, receiver: Receiver, clock: Clock, *events: str) -> int:
    return outbox.add(
        name="市工单系统",
        url=receiver.url,
        secret=new_secret(),
        events=events or ("*",),
        author="admin",
        now=clock(),
    ).receiver_id


def begin(desk: OrderDesk, number: int = 0) -> str:
    content = OrderContent(type=MatterType.HELP, summary=f"路灯不亮 {number}")
    return desk.begin(content, LI, call_id=None, operator_id=None).order_id


@asynccontextmanager
async def sending(outbox: Outbox, clock: Clock) -> AsyncIterator[Callable[[], Any]]:
    """A function that does one round of the sender over real HTTP."""
    async with open_post() as post:
        sender = Sender(outbox, post, clock=clock)

        async def one_round() -> None:
            await sender.start_due()
            await sender.settle()

        yield one_round


async def test_a_receiver_down_for_an_hour_gets_every_event_once_and_in_order(
    desk: OrderDesk, outbox: Outbox, clock: Clock
) -> None:
    async with receiving() as receiver, sending(outbox, clock) as one_round:
        tell(outbox, receiver, clock)
        happened = [f"{begin(desk)}.v1"]
        await one_round()
        assert receiver.ids() == happened
        began = clock()
        await receiver.down()  # for the first half nobody listens, then somebody who refuses
        while (down_s := (clock() - began).total_seconds()) < HOUR_S:
            if down_s == HOUR_S / 2:
                receiver.answer = lambda event_id: 503
                await receiver.up()
            if down_s % 60 == 0:
                order_id = begin(desk, int(down_s))
                desk.move(order_id, Wish(deed=Deed.ACCEPT), LI, expected=1)
                happened += [f"{order_id}.v1", f"{order_id}.v2"]
            await one_round()
            clock.advance(5)
        (told,) = outbox.receivers()
        assert (told.standing, told.waiting, told.last_error) == (Standing.FAILING, 120, "http 503")
        assert told.failing_since == began
        assert 5 <= told.attempts <= 20, "the pauses grow"
        assert receiver.ids() == happened[:1]
        receiver.answer = lambda event_id: 204
        waited = 0
        while outbox.receivers()[0].waiting:
            clock.advance(5)
            waited += 5
            await one_round()
        assert waited <= LONGEST_PAUSE.total_seconds()
        assert receiver.ids() == happened
        (told,) = outbox.receivers()
        assert (told.standing, told.delivered, told.attempts, told.lost) == (Standing.FINE, 121, 0, 0)


async def test_an_answer_that_is_lost_brings_the_same_identifier_again(
    desk: OrderDesk, outbox: Outbox, clock: Clock
) -> None:
    """At least once on the line; exactly once for whoever passes over identifiers that were there."""
    async with receiving() as receiver, sending(outbox, clock) as one_round:
        tell(outbox, receiver, clock)
        happened = [f"{begin(desk, number)}.v1" for number in range(6)]
        lost = {happened[1], happened[4]}

        def forget(event_id: str) -> int | None:
            if event_id in lost:
                lost.remove(event_id)
                return None
            return 200

        receiver.answer = forget
        for _ in range(40):
            await one_round()
            clock.advance(5)
        assert len(receiver.got) == 8
        assert list(dict.fromkeys(receiver.ids())) == happened
        bodies = {}
        for headers, body in receiver.got:
            assert bodies.setdefault(headers["webhook-id"], body) == body


async def test_the_dead_block_nobody(desk: OrderDesk, outbox: Outbox, clock: Clock) -> None:
    async with receiving() as dead, receiving() as living:
        gate = asyncio.Event()

        async def post(url: str, body: bytes, headers: Any) -> int:
            if url == dead.url:
                await gate.wait()  # takes the line and never answers
                return 500
            living.got.append((dict(headers), body))
            return 200

        tell(outbox, dead, clock)
        tell(outbox, living, clock)
        sender = Sender(outbox, post, clock=clock)
        happened = []
        for number in range(5):
            happened.append(f"{begin(desk, number)}.v1")
            await sender.start_due()
            await living.has(number + 1)
        assert living.ids() == happened
        gate.set()
        await sender.settle()
        assert [one.waiting for one in outbox.receivers()] == [5, 0]


async def test_what_arrives_is_signed_and_says_what_happened(
    desk: OrderDesk, outbox: Outbox, clock: Clock
) -> None:
    async with receiving() as receiver, sending(outbox, clock) as one_round:
        secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
        outbox.add(name="甲", url=receiver.url, secret=secret, events=("*",), author="admin", now=clock())
        order_id = begin(desk)
        desk.comment(order_id, "请尽快", LI)
        await one_round()
        for headers, body in receiver.got:
            stamp = headers["webhook-timestamp"]
            assert int(stamp) == int(clock().timestamp())
            text = f"{headers['webhook-id']}.{stamp}.".encode() + body
            mark = base64.b64encode(hmac.new(b"k" * 32, text, hashlib.sha256).digest()).decode()
            assert headers["webhook-signature"] == f"v1,{mark}"
        created, said = (json.loads(body) for _, body in receiver.got)
        assert (created["type"], created["order"]["content"]["summary"]) == ("order.created", "路灯不亮 0")
        assert (created["order"]["state"], created["order"]["version"]) == ("draft", 1)
        assert (said["type"], said["what"]["text"]) == ("order.commented", "请尽快")


def test_the_public_library_of_the_standard_takes_what_is_signed_here() -> None:
    secret, body = new_secret(), '{"type": "call.started", "call": {"caller": "张"}}'.encode()
    headers = signed(secret, event_id="c-1.v4", body=body, at=datetime.now(UTC))
    assert Webhook(secret).verify(body, headers) == json.loads(body)
    for other_secret, other_body in ((new_secret(), body), (secret, body + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(other_secret).verify(other_body, headers)
    stale = signed(secret, event_id="c-1.v4", body=body, at=datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, stale)


def test_signatures_are_those_of_the_standard() -> None:
    """The example that the Standard Webhooks publish with their libraries."""
    headers = signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        body=b'{"test": 2432232314}',
        at=datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "abc", "whsec_", "whsec_!!!!", "whsec_YWJj", "whsec_" + "A" * 400])
def test_what_is_no_secret(secret: str) -> None:
    assert key_of(secret) is None


@both_databases
async def test_only_what_somebody_wants_is_kept_and_only_as_long(
    engine: Engine, desk: OrderDesk, outbox: Outbox, clock: Clock
) -> None:
    def kept() -> int:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM webhook_events").scalar() or 0)

    begin(desk)
    assert kept() == 0, "nobody listens"
    async with receiving() as receiver, sending(outbox, clock) as one_round:
        first = tell(outbox, receiver, clock, "order.accept")
        second = tell(outbox, receiver, clock, "order.accept", "order.created")
        order_id = begin(desk)
        desk.move(order_id, Wish(deed=Deed.ACCEPT), LI, expected=1)
        assert [one.waiting for one in outbox.receivers()] == [1, 2]
        assert kept() == 2
        outbox.pause(first, Pause.BY_HAND)
        await one_round()
        assert receiver.ids() == [f"{order_id}.v1", f"{order_id}.v2"]
        assert kept() == 1, "one waits until its receiver goes on"
        outbox.remove(first)
        assert kept() == 0
        outbox.remove(second)
        assert outbox.receivers() == []


@both_databases
def test_events_of_a_call_are_forgotten_and_no_others(engine: Engine, outbox: Outbox, clock: Clock) -> None:
    outbox.add(name="x", url="http://x", secret=new_secret(), events=("*",), author="admin", now=clock())
    names = [prefix_of(call_id) + "1" for call_id in ("c-1", "C-1", "c-10", "c_1", "c-1:")]
    with writing(engine) as connection:
        for name in names:
            put(connection, Event(event_id=name, type="call.ended", at=clock(), body="{}"))
        assert forget(connection, prefix_of("c-1")) == 1
        left = connection.exec_driver_sql("SELECT event_id FROM webhook_events ORDER BY number")
        assert [event_id for (event_id,) in left] == names[1:]


async def test_a_change_that_fails_tells_nobody(desk: OrderDesk, outbox: Outbox, clock: Clock) -> None:
    async with receiving() as receiver:
        tell(outbox, receiver, clock)
        order_id = begin(desk)
        with pytest.raises(Exception, match="刚被别人改过"):
            desk.move(order_id, Wish(deed=Deed.ACCEPT), LI, expected=7)
        assert outbox.receivers()[0].waiting == 1


async def test_who_is_gone_or_silent_for_days_is_paused_with_all_that_waits(
    desk: OrderDesk, outbox: Outbox, clock: Clock
) -> None:
    async with receiving() as receiver, sending(outbox, clock) as one_round:
        receiver_id = tell(outbox, receiver, clock)
        begin(desk)
        receiver.answer = lambda event_id: 500
        began = clock()
        while outbox.receivers()[0].pause is None:
            await one_round()
            clock.advance(LONGEST_PAUSE.total_seconds())
        lasted = clock() - began
        assert timedelta(days=1) < GIVE_UP_AFTER <= lasted <= GIVE_UP_AFTER + 2 * LONGEST_PAUSE
        assert outbox.receivers()[0].pause is Pause.GAVE_UP
        outbox.pause(receiver_id, None)
        receiver.answer = lambda event_id: 410
        await one_round()
        assert (outbox.receivers()[0].pause, outbox.receivers()[0].waiting) == (Pause.GONE, 1)
        begin(desk, 2)
        outbox.pause(receiver_id, None)
        receiver.answer = lambda event_id: 302  # no redirect is followed
        await one_round()
        assert outbox.receivers()[0].last_error == "http 302"
        assert outbox.skip(receiver_id) is not None
        receiver.answer = lambda event_id: 200
        await one_round()
        assert len(receiver.got) == 1
        assert outbox.skip(receiver_id) is None


@both_databases
async def test_a_queue_has_an_end_and_says_what_it_lost(
    desk: OrderDesk, outbox: Outbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MOST_WAITING", 3)
    async with receiving() as receiver, sending(outbox, clock) as one_round:
        tell(outbox, receiver, clock)
        ids = [begin(desk, number) for number in range(5)]
        assert (outbox.receivers()[0].waiting, outbox.receivers()[0].lost) == (3, 2)
        await one_round()
        assert receiver.ids() == [f"{order_id}.v1" for order_id in ids[:3]]


def test_the_page_names_every_event_and_how_long_is_waited() -> None:
    page = (Path(__file__).parent.parent / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert [name for name in EVENT_TYPES if f"`{name}`" not in page] == []
    assert f"{outbox_module.MOST_WAITING:,}" in page
    assert f"{GIVE_UP_AFTER.days} days" in page


def test_pauses_grow_to_a_quarter_of_an_hour() -> None:
    pauses = [pause_after(attempts).total_seconds() for attempts in range(1, 12)]
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
    assert pause_after(10_000) == LONGEST_PAUSE
