"""Calls that Asterisk's ARI brings by `externalMedia`: RTP, to ports that were asked for before.

In: wishes for ports, and the end of calls. Out: ports; calls, from their first packet on.
Not known here: HTTP, how RTP is read.

Bound: the ports there are. Ports to which nothing comes are given back after the idle time.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asr.types import Party
from calls.ingest.exchange import Exchange
from calls.ingest.messages import BadMessage
from calls.ingest.rtp import PCMA, PCMU, STATIC, Codec
from calls.ingest.rtp_call import LegCodecs, RtpCall
from calls.ingest.rtp_ports import RtpPorts
from calls.ingest.rules import CarrierRules
from calls.ingest.signals import Begin
from calls.types import CallConflict, HouseFull

FORMATS: Mapping[str, Codec] = {
    "ulaw": PCMU,
    "alaw": PCMA,
    "slin": Codec(encoding="pcm_s16le", rate_hz=8_000),
    "slin12": Codec(encoding="pcm_s16le", rate_hz=12_000),
    "slin16": Codec(encoding="pcm_s16le", rate_hz=16_000),
    "slin24": Codec(encoding="pcm_s16le", rate_hz=24_000),
    "slin32": Codec(encoding="pcm_s16le", rate_hz=32_000),
    "slin44": Codec(encoding="pcm_s16le", rate_hz=44_100),
    "slin48": Codec(encoding="pcm_s16le", rate_hz=48_000),
}
"""Asterisk's names of formats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpWish:
    """What will be sent."""

    key: str
    codec: Codec
    parties: tuple[Party, ...]
    ssrcs: tuple[int, ...] = ()
    """Of the parties, in their order: then all come to one port. Empty: each has a port of its own."""
    fields: Mapping[str, Any] = field(default_factory=dict)


class AriCalls:
    """All calls whose ports were asked for."""

    def __init__(self, exchange: Exchange, ports: RtpPorts, *, rules: CarrierRules, idle_s: float):
        named = {str(party): party for party in Party}
        self._exchange = exchange
        self._ports = ports
        self._rules = rules.model_copy(update={"parties": named | rules.parties})
        self._idle_s = idle_s
        self._calls: dict[str, tuple[RtpWish, dict[Party, int], RtpCall]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def expect(self, wish: RtpWish) -> dict[Party, int]:
        """The port of each party; the same ones where the call is expected or runs already.

        Another operator in a wish for a call that runs takes it over: it was transferred.
        Raises `HouseFull`, `CallConflict` where it is expected in another way, `StorageFailed`.
        """
        if (known := self._calls.get(wish.key)) is not None:
            if (known[0].codec, known[0].parties) != (wish.codec, wish.parties):
                raise CallConflict(f"通话 {wish.key} 已按别的格式或各方预约。")
            await known[2].retell(wish.fields)
            return known[1]
        if (why := self._exchange.switchboard.refusal()) is not None:
            raise HouseFull(why)
        call = RtpCall(
            self._exchange,
            carrier="ari",
            rules=self._rules,
            begin=Begin(
                key=wish.key,
                encoding=wish.codec.encoding,
                sample_rate_hz=wish.codec.rate_hz,
                tracks=tuple(str(party) for party in wish.parties),
                fields=wish.fields,
            ),
            idle_s=self._idle_s,
        )
        ports: dict[Party, int] = {}
        self._calls[wish.key] = (wish, ports, call)
        try:
            ports |= await self._listen(call, wish)
        except BaseException:
            call.close()
            del self._calls[wish.key]
            raise
        self._tasks.add(task := call.start(lambda: self._forget(wish.key, call)))
        task.add_done_callback(self._tasks.discard)
        return ports

    async def _listen(self, call: RtpCall, wish: RtpWish) -> dict[Party, int]:
        leg = LegCodecs(codecs={}, other=wish.codec)
        if wish.codec in STATIC.values():
            leg = LegCodecs(codecs={kind: codec for kind, codec in STATIC.items() if codec == wish.codec})
        if wish.ssrcs:
            if len(wish.ssrcs) != len(wish.parties) or len(set(wish.ssrcs)) != len(wish.ssrcs):
                raise BadMessage("每一方要有各自的 SSRC。")
            legs = {f"{party}#{ssrc}": leg for party, ssrc in zip(wish.parties, wish.ssrcs, strict=True)}
            return dict.fromkeys(wish.parties, await call.listen(self._ports, legs))
        return {party: await call.listen(self._ports, {str(party): leg}) for party in wish.parties}

    def end(self, key: str) -> bool:
        """The call is over; False where none of that key is expected or runs."""
        if (known := self._calls.get(key)) is None:
            return False
        known[2].end()
        return True

    def _forget(self, key: str, call: RtpCall) -> None:
        if (known := self._calls.get(key)) is not None and known[2] is call:
            del self._calls[key]

    async def close(self) -> None:
        """Let all calls go; they stay open to be taken up."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
