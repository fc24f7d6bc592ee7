"""One recording session (RFC 7866): a SIP dialog and the call that it brings.

In: requests within the dialog. Out: answers to them, and a farewell of ours where the call cannot go on.
Not known here: sockets, other dialogs.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asr.types import Party
from calls.ingest.messages import BadMessage
from calls.ingest.rtp import Codec
from calls.ingest.rtp_call import LegCodecs, RtpCall
from calls.ingest.rtp_ports import RtpPorts
from calls.ingest.rules import CarrierRules
from calls.ingest.sdp import OfferedStream, answer_bytes
from calls.ingest.sip import SipMessage, address_in, request_bytes
from calls.ingest.sip_doors import Arrived
from calls.ingest.siprec import Casting, SiprecBody, cast, is_seat_certain
from calls.ingest.srtp import new_key

log = logging.getLogger(__name__)

_FIRST_AGAIN_S, _MOST_AGAIN_S, _GIVES_UP_S = 0.5, 4.0, 32.0
_FAREWELLS = 4


@dataclass(slots=True, kw_only=True)
class Dialog:
    """A recording session as it stands."""

    call: RtpCall
    invited: Arrived
    """The request that began it."""
    tag: str
    contact: str
    address: str
    """To which sound is sent."""
    body: SiprecBody
    """What was offered and said of the participants, as it stands now."""
    fields: Mapping[str, Any]
    """What was told of the call."""
    ports: dict[str, int] = field(default_factory=dict)
    """By the label of the stream, or its place."""
    latest: Arrived | None = None
    """By which we would speak to them."""
    cseq: int = 0
    own_cseq: int = 0
    version: int = 1
    answer: bytes = b""
    is_over: bool = False
    _sources: dict[str, tuple[str, int]] = field(default_factory=dict)
    """From where each stream is sent, as the other side has it."""
    _own_key: bytes = field(default_factory=new_key, repr=False)
    _acked: set[int] = field(default_factory=set)
    _farewell_answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def agree(self, body: SiprecBody, ports: RtpPorts, taken: Mapping[int, tuple[Party, int]]) -> None:
        """Open the ports that are missing; `answer` is what is said to the offer then. Raises `HouseFull`."""
        lines: dict[int, tuple[int, int]] = {}
        for place, (party, kind) in taken.items():
            stream = body.offer[place]
            codecs = {kind: stream.codecs[kind]}
            name = stream.label or f"#{place}"
            source = stream.address, stream.port
            if name in self.ports and self._sources.get(name) not in (None, source):
                self.call.expect_another_source(self.ports[name])
            self._sources[name] = source
            if name not in self.ports:
                self.ports[name] = await self.call.listen(ports, {str(party): LegCodecs(codecs=codecs)})
            else:
                self.call.recode(str(party), codecs)
            self.call.unseal(self.ports[name], stream.crypto)
            lines[place] = self.ports[name], kind
        self.answer = answer_bytes(
            body.offer, lines, address=self.address, version=self.version, own_key=self._own_key
        )
        self.version += 1

    async def renegotiate(
        self, body: SiprecBody, rules: CarrierRules, ports: RtpPorts, own: Mapping[str, str]
    ) -> None:
        """A new offer in mid-call, or other participants: hold, its end, other streams, a transfer.

        `own` is what the request says beside its body. Raises `HouseFull`, `StorageFailed`.
        """
        self.body = self.body.followed_by(body)
        begin = self.call.begin
        known = [Party(track) for track in begin.tracks]
        taken: dict[int, tuple[Party, int]] = {}
        casting: Casting | None
        try:
            casting = cast(self.body, rules, known=known)
        except BadMessage:
            casting = None
            log.info("call %s is on hold: no stream is left", self.call.call_id)
        else:
            for place, party in casting.parties.items():
                kind = _kind_for(self.body.offer[place], begin.encoding, begin.sample_rate_hz)
                if kind is not None:
                    taken[place] = party, kind
        offer = self.body.offer
        is_heard = any(offer[place].direction not in ("inactive", "recvonly") for place in taken)
        if body.offer:
            self.call.hold(is_on=not is_heard)
            await self.agree(self.body, ports, taken)
        # On hold there may be others for a while: a player of music, somebody who is asked something.
        if is_heard and casting and is_seat_certain(self.fields, casting, self.body.metadata):
            fields = {**own, **casting.fields}
            await self.call.retell(fields)
            self.fields = fields

    def acknowledge(self, cseq: int) -> None:
        """The other side has our answer."""
        self._acked.add(cseq)

    async def repeat(self, data: bytes, arrived: Arrived) -> None:
        """Say the answer to an INVITE until it is acknowledged (RFC 3261, 13.3.1.4)."""
        wait_s, waited_s = _FIRST_AGAIN_S, 0.0
        while waited_s < _GIVES_UP_S:
            await asyncio.sleep(wait_s)
            waited_s += wait_s
            if self.is_over or arrived.message.cseq in self._acked:
                return
            arrived.reply(data)
            wait_s = min(2 * wait_s, _MOST_AGAIN_S)
        log.warning("nobody acknowledged the answer for call %s", self.call.call_id)

    def farewell(self) -> bytes:
        """A BYE of ours."""
        began = self.invited.message
        latest = self.latest or self.invited
        self.own_cseq += 1
        via = f"SIP/2.0/{latest.transport} {self.address};branch=z9hG4bK{secrets.token_hex(8)};rport"
        headers = [("Via", via), ("Max-Forwards", "70")]
        headers += [("Route", route) for route in began.all("record-route")]
        headers += [
            ("From", f"{began.one('to')};tag={self.tag}"),
            ("To", began.one("from")),
            ("Call-ID", began.call_id),
            ("CSeq", f"{self.own_cseq} BYE"),
        ]
        contacts = latest.message.all("contact") or began.all("contact") or [began.one("from")]
        target = address_in(contacts[0])
        return request_bytes("BYE", target, headers)

    async def say_farewell(self) -> None:
        """Tell the other side that the recording is over, a few times where it does not hear."""
        data, wait_s = self.farewell(), _FIRST_AGAIN_S
        for _ in range(_FAREWELLS):
            (self.latest or self.invited).reply(data)
            try:
                async with asyncio.timeout(wait_s):
                    await self._farewell_answered.wait()
                return
            except TimeoutError:
                wait_s *= 2

    def hear_answer(self, message: SipMessage) -> None:
        """An answer to a request of ours."""
        if message.method == "BYE" and message.status >= 200:
            self._farewell_answered.set()


def _kind_for(stream: OfferedStream, encoding: str, rate_hz: int) -> int | None:
    """A payload type that the running call can take."""

    def fits(codec: Codec) -> bool:
        return codec.rate_hz == rate_hz and encoding in (codec.encoding, "pcm_s16le")

    return next((kind for kind, codec in stream.codecs.items() if fits(codec)), None)
