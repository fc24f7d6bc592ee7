"""The addresses at which carriers bring calls in their own protocols: `WS /v1/lines/{carrier}`.

In: opened sockets. Out: each handed to the exchange with a reader of its protocol, once somebody vouches for
it.
Not known here: what is said over them.

A carrier proves itself by a token of the house (`Authorization`, `X-API-KEY`, `?token=`, or in its first
message, for those that can set neither), or by the signature that its protocol has.
"""

import asyncio
import base64
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, WebSocket

from access.types import Caller, Scope
from agent_ui.door import CLOSE_UNAUTHORISED, Door
from agent_ui.settings import Settings
from calls.ingest.carriers import CARRIERS, LEG_CARRIERS, brings_a_leg, reader_of
from calls.ingest.carrying import CarriedLine
from calls.ingest.exchange import Exchange
from calls.ingest.leg_socket import LegSocket
from calls.ingest.legs import JoinedCalls
from calls.ingest.rules import CarrierRules
from calls.ingest.signatures import is_signed_by_audiohook, is_signed_by_twilio
from calls.ingest.websocket import CLOSE_CODES
from calls.types import UnknownCall

LOOK_EVERY_S = 30.0
_REFUSE_AFTER_S = 0.5
"""A refusal takes as long whatever was wrong: nobody learns from its haste."""


def lines_router(
    *, door: Door, exchange: Exchange, settings: Settings, clock: Callable[[], datetime]
) -> APIRouter:
    """The sockets of all carriers."""
    router = APIRouter()
    joined = {
        carrier: JoinedCalls(exchange, carrier=carrier, rules=settings.carriers.get(carrier, CarrierRules()))
        for carrier in LEG_CARRIERS
    }

    @router.websocket("/v1/lines/{carrier}")
    async def line(socket: WebSocket, carrier: str) -> None:
        if carrier not in CARRIERS:
            await socket.accept()
            await socket.close(CLOSE_CODES[UnknownCall])
            return
        guest = _Guest(door, settings, socket, carrier, clock)
        rules = settings.carriers.get(carrier, CarrierRules())
        reader = reader_of(carrier, rules, socket.query_params)
        offered = socket.scope.get("subprotocols") or ()
        await socket.accept(next((one for one in offered if one in reader.subprotocols), None))
        if brings_a_leg(carrier, socket.query_params):
            leg = LegSocket(
                socket,
                joined[carrier],
                reader,
                idle_s=settings.carrier_idle_s,
                admit=guest.may_bring_calls,
            )
            await _stay(socket, guest, leg.run())
            return
        carried = CarriedLine(
            socket, reader, exchange, carrier=carrier, rules=rules, admit=guest.may_bring_calls
        )
        await _stay(socket, guest, carried.run())

    return router


async def _stay(socket: WebSocket, guest: "_Guest", work: Coroutine[Any, Any, None]) -> None:
    """Let a line work until it is over, or its token does not hold any more."""
    carrying = asyncio.create_task(work)
    try:
        while not carrying.done():
            await asyncio.wait({carrying}, timeout=LOOK_EVERY_S)
            if not carrying.done() and not await guest.may_stay():
                await socket.close(CLOSE_UNAUTHORISED)
                break
    finally:
        if not carrying.done():
            carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)


@dataclass(slots=True)
class _Guest:
    """Whoever opened a socket."""

    door: Door
    settings: Settings
    socket: WebSocket
    carrier: str
    clock: Callable[[], datetime]
    caller: Caller | None = None

    async def may_bring_calls(self, token: str | None) -> bool:
        """Whether somebody vouches for the line; `token` came in its first message."""
        is_welcome = await self._is_welcome(token)
        if not is_welcome:
            await asyncio.sleep(_REFUSE_AFTER_S)
        return is_welcome

    async def _is_welcome(self, token: str | None) -> bool:
        settings, headers = self.settings, {k.lower(): v for k, v in self.socket.headers.items()}
        url = self.socket.url
        if self.carrier == "audiohook" and (secret := settings.audiohook_secret.get_secret_value()):
            target = url.path + (f"?{url.query}" if url.query else "")
            now_s = self.clock().timestamp()
            return is_signed_by_audiohook(headers, target, base64.b64decode(secret), now_s=now_s)
        signature = headers.get("x-twilio-signature", "")
        if signature and (auth := settings.twilio_auth_token.get_secret_value()):
            rest = f"{headers.get('host', '')}{url.path}" + (f"?{url.query}" if url.query else "")
            schemes = ("wss", "https", "ws", "http")  # Twilio signs what it was told to call
            if is_signed_by_twilio([f"{scheme}://{rest}" for scheme in schemes], signature, auth):
                return True
        found = await self.door.admit(self.socket)
        if isinstance(found, int) and token:
            found = await self.door.admit_key(token)
        if isinstance(found, int) or not found.may(Scope.AUDIO):
            return False
        if found.is_person and not found.may(Scope.CALLS_ALL):  # brings calls of the own seat alone
            return False
        self.caller = found
        return True

    async def may_stay(self) -> bool:
        """Whether the token by which the line came in still holds."""
        return self.caller is None or await self.door.still_holds(self.caller)
