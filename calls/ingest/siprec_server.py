"""A SIPREC recording server (RFC 7866): answers recording clients and takes what they send.

In: SIP requests. Out: answers in SIP's own words; calls, each from a dialog with a port for every stream.
Not known here: sockets, what metadata looks like, RTP.

Refused: 403 strangers, 401 who does not know the password, 415 and 400 what cannot be read, 488 sound that
cannot be taken, 486 a full house, 503 no port or no disk.
Bounds: as many dialogs as there are ports, 5,000 answers kept for 32 s to be said again.
"""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from asr.types import Party
from calls.ingest.digest import Digest, Verdict
from calls.ingest.exchange import Exchange
from calls.ingest.messages import BadMessage
from calls.ingest.peers import Network, may_come
from calls.ingest.rtp_call import RtpCall
from calls.ingest.rtp_ports import RtpPorts
from calls.ingest.rules import CarrierRules
from calls.ingest.sdp import chosen_codecs
from calls.ingest.signals import Begin
from calls.ingest.sip import SipMessage, answer, parameter
from calls.ingest.sip_doors import Arrived
from calls.ingest.siprec import Casting, SiprecBody, cast, read_body
from calls.ingest.siprec_dialog import Dialog
from calls.types import CallError, HouseFull

log = logging.getLogger(__name__)

ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO")
ACCEPT = ("Accept", "application/sdp, application/rs-metadata+xml, multipart/mixed")
SUPPORTED = ("Supported", "siprec")
_KNOWN_EXTENSIONS = ("siprec",)
_RETRY_AFTER = ("Retry-After", "10")
_WRONG_PASSWORD_S = 0.5
_KEPT_S, _MAX_KEPT = 32.0, 5_000
_STATUS = {"sip.unsupported_type": 415, "sip.no_offer": 488, "sip.not_acceptable": 488}

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiprecOptions:
    """Who may come, and what they are told."""

    address: str
    port: int
    networks: Sequence[Network] = ()
    idle_s: float = 1800.0
    digest: Digest | None = None
    """Who may begin sessions, by a password; None: whoever may come."""


class _Refused(Exception):
    def __init__(self, status: int, more: Headers = ()):
        super().__init__(str(status))
        self.status = status
        self.more = more


class SiprecServer:
    """All recording sessions."""

    def __init__(self, options: SiprecOptions, exchange: Exchange, ports: RtpPorts, *, rules: CarrierRules):
        self._options = options
        self._exchange = exchange
        self._ports = ports
        self._rules = rules
        self._call_rules = rules.model_copy(update={"parties": {str(party): party for party in Party}})
        self._dialogs: dict[tuple[str, str], Dialog] = {}
        self._said: OrderedDict[tuple[str, str, str, int], tuple[float, bytes]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    # Messages.

    def take(self, arrived: Arrived) -> None:
        """Take a message; its answer may come later."""
        message = arrived.message
        if message.status:
            key = message.call_id, parameter(message.one("from"), "tag")
            if (dialog := self._dialogs.get(key)) is not None:
                dialog.hear_answer(message)
            return
        if message.method == "ACK":
            if (dialog := self._dialog_of(arrived)) is not None:
                dialog.acknowledge(message.cseq)
            return
        self._forget_old()
        if (said := self._said.get(_transaction(arrived))) is not None:  # sent again
            if said[1]:
                arrived.reply(said[1])
            return
        if not may_come(arrived.source[0], self._options.networks):
            self._answer(arrived, 403)
            return
        self._answer_request(arrived)

    def _answer_request(self, arrived: Arrived) -> None:
        message = arrived.message
        has_tag = bool(parameter(message.one("to"), "tag"))
        dialog = self._dialog_of(arrived)
        if message.method == "OPTIONS":
            self._answer(arrived, 200, [ALLOW, ACCEPT, SUPPORTED])
        elif message.method == "CANCEL":
            # An INVITE is answered at once; there is nothing left to cancel.
            is_known = any(key[0] == message.call_id for key in self._dialogs)
            self._answer(arrived, 200 if is_known else 481)
        elif has_tag and dialog is None:
            self._answer(arrived, 481)
        elif message.method == "INVITE":
            self._answer(arrived, 100)
            self._begin(arrived, self._change(arrived, dialog) if dialog else self._invite(arrived))
        elif dialog is None:
            self._answer(arrived, 481 if message.method in ("BYE", "UPDATE", "INFO") else 405, [ALLOW])
        elif message.cseq <= dialog.cseq:
            self._answer(arrived, 500)
        elif message.method == "BYE":
            self._answer(arrived, 200)
            self._drop(dialog)
            dialog.call.end()
        elif message.method == "UPDATE":
            self._begin(arrived, self._change(arrived, dialog))
        elif message.method == "INFO":
            dialog.cseq = message.cseq
            self._answer(arrived, 200)
        else:
            self._answer(arrived, 405, [ALLOW])

    def _answer(
        self, arrived: Arrived, status: int, more: Headers = (), body: bytes = b"", tag: str = ""
    ) -> bytes:
        message = arrived.message
        if not tag and status > 100:
            tag = parameter(message.one("to"), "tag") or secrets.token_hex(6)
        data = answer(message, status, tag=tag, source=arrived.source, more=more, body=body)
        now_s = asyncio.get_running_loop().time()
        key = _transaction(arrived)
        self._said.pop(key, None)
        while len(self._said) >= _MAX_KEPT:
            self._said.popitem(last=False)
        self._said[key] = now_s, data
        arrived.reply(data)
        return data

    def _forget_old(self) -> None:
        now_s = asyncio.get_running_loop().time()
        while self._said and next(iter(self._said.values()))[0] < now_s - _KEPT_S:
            self._said.popitem(last=False)

    def _dialog_of(self, arrived: Arrived) -> Dialog | None:
        message = arrived.message
        dialog = self._dialogs.get((message.call_id, parameter(message.one("to"), "tag")))
        if dialog is not None and message.method in ("INVITE", "UPDATE", "BYE"):
            dialog.latest = arrived
        return dialog

    def _begin(self, arrived: Arrived, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except _Refused as refused:
                log.info("a recording session is refused: %d", refused.status)
                self._answer(arrived, refused.status, refused.more)
            except CallError as error:
                log.warning("a recording session is refused: %s", error.code)
                self._answer(arrived, 503, [_RETRY_AFTER])
            except Exception as error:  # the socket's edge: other sessions go on
                log.error("a recording session broke", exc_info=error)
                self._answer(arrived, 500)

        self._keep(guarded())

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(task := asyncio.create_task(work))
        task.add_done_callback(self._tasks.discard)

    # Sessions.

    async def _invite(self, arrived: Arrived) -> None:
        """A recording session begins. Raises `_Refused`, `CallError`s."""
        message = arrived.message
        await self._admit(message)
        required = [one.strip() for value in message.all("require") for one in value.split(",")]
        if unknown := [one for one in required if one and one.lower() not in _KNOWN_EXTENSIONS]:
            raise _Refused(420, [("Unsupported", ", ".join(unknown))])
        body, casting = self._read(arrived)
        streams = [body.offer[place] for place in casting.parties]
        try:
            kinds = dict(zip(casting.parties, chosen_codecs(streams), strict=True))
        except BadMessage:
            raise _Refused(488) from None
        codecs = [body.offer[place].codecs[kind] for place, kind in kinds.items()]
        encodings = {codec.encoding for codec in codecs}
        fields = {**_own_fields(message), **casting.fields}
        call = RtpCall(
            self._exchange,
            carrier="siprec",
            rules=self._call_rules,
            begin=Begin(
                key=body.metadata.session_id or message.call_id,
                encoding=encodings.pop() if len(encodings) == 1 else "pcm_s16le",
                sample_rate_hz=codecs[0].rate_hz,
                tracks=tuple(str(party) for party in casting.parties.values()),
                fields=fields,
            ),
            idle_s=self._options.idle_s,
        )
        tag = secrets.token_hex(8)
        dialog = Dialog(
            call=call,
            invited=arrived,
            tag=tag,
            contact=f"<sip:zhiting@{self._options.address}:{self._options.port}>;+sip.srs",
            address=self._options.address,
            cseq=message.cseq,
            body=body,
            fields=fields,
        )
        try:
            taken = {place: (party, kinds[place]) for place, party in casting.parties.items()}
            await dialog.agree(body, self._ports, taken)
            try:
                await call.open()
            except HouseFull:
                raise _Refused(486) from None
        except BaseException:
            call.close()
            raise
        self._dialogs[message.call_id, tag] = dialog
        self._tasks.add(task := call.start(lambda: self._on_over(dialog)))
        task.add_done_callback(self._tasks.discard)
        self._agree(arrived, dialog, dialog.answer)

    async def _admit(self, message: SipMessage) -> None:
        """Ask for the password. Raises `_Refused`."""
        if (digest := self._options.digest) is None:
            return
        now_s = asyncio.get_running_loop().time()
        verdicts = [digest.check(one, "INVITE", now_s) for one in message.all("authorization")]
        if Verdict.RIGHT in verdicts:
            return
        if Verdict.WRONG in verdicts:
            log.warning("a recording client does not know the password")
            await asyncio.sleep(_WRONG_PASSWORD_S)
        challenges = digest.challenges(now_s, is_stale=Verdict.STALE in verdicts)
        raise _Refused(401, [("WWW-Authenticate", one) for one in challenges])

    async def _change(self, arrived: Arrived, dialog: Dialog) -> None:
        """A re-INVITE or UPDATE: hold, its end, other streams, new metadata, or only a sign of life."""
        message = arrived.message
        if message.cseq <= dialog.cseq:
            raise _Refused(500)
        dialog.cseq = message.cseq
        has_offer = False
        if message.body.strip():
            try:
                body = read_body(message.one("content-type"), message.body)
            except BadMessage as error:
                if error.code != "sip.no_offer":
                    raise _Refused(_STATUS.get(error.code, 400), [ACCEPT]) from None
            else:
                has_offer = bool(body.offer)
                await dialog.renegotiate(body, self._rules, self._ports, _own_fields(message))
        is_asked = has_offer or message.method == "INVITE"
        self._agree(arrived, dialog, dialog.answer if is_asked else b"")

    def _read(self, arrived: Arrived) -> tuple[SiprecBody, Casting]:
        try:
            body = read_body(arrived.message.one("content-type"), arrived.message.body)
            return body, cast(body, self._rules)
        except BadMessage as error:
            raise _Refused(_STATUS.get(error.code, 400), [ACCEPT]) from None

    def _agree(self, arrived: Arrived, dialog: Dialog, sdp: bytes) -> None:
        more = [("Contact", dialog.contact), ALLOW, SUPPORTED]
        more += [("Content-Type", "application/sdp")] if sdp else []
        data = self._answer(arrived, 200, more, sdp, dialog.tag)
        if arrived.message.method == "INVITE":
            self._keep(dialog.repeat(data, arrived))

    def _on_over(self, dialog: Dialog) -> None:
        """The call is over; where that was not the other side's wish it is told."""
        if not dialog.is_over:
            self._keep(self._say_farewell(dialog))

    async def _say_farewell(self, dialog: Dialog) -> None:
        try:
            await dialog.say_farewell()
        finally:
            self._drop(dialog)

    def _drop(self, dialog: Dialog) -> None:
        dialog.is_over = True
        self._dialogs.pop((dialog.invited.message.call_id, dialog.tag), None)

    async def close(self) -> None:
        """Let all sessions go and say so; their calls stay open, to be taken up by new ones."""
        for dialog in list(self._dialogs.values()):
            self._drop(dialog)
            (dialog.latest or dialog.invited).reply(dialog.farewell())
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _own_fields(message: SipMessage) -> dict[str, str]:
    """What a client says of the call in headers of its own."""
    return {name: value for name, value in message.headers if name.startswith("x-")}


def _transaction(arrived: Arrived) -> tuple[str, str, str, int]:
    message = arrived.message
    return message.call_id, message.branch, message.method, message.cseq
