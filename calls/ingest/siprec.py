"""What a recording client says of the call that it has recorded (RFC 7865, RFC 7866).

In: the body of an INVITE. Out: the offer, and who speaks in which of its streams. Pure.
Not known here: SIP's messages, sockets, RTP.

Vendors differ: labels are numbers or names. Where nothing says who is the citizen, the first stream is
theirs: citizens call in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any

from asr.types import Party
from calls.ingest.messages import BadMessage
from calls.ingest.rules import CarrierRules
from calls.ingest.sdp import OfferedStream, read_offer
from calls.ingest.siprec_metadata import NOTHING_SAID, Metadata, Participant, read_metadata

_CITIZEN_LABELS = ("1", "10", "a_leg", "a-leg", "aleg", "caller", "inbound")
_OPERATOR_LABELS = ("2", "20", "b_leg", "b-leg", "bleg", "callee", "outbound")
_MAX_PARTS = 8
_METADATA = "application/rs-metadata"
"""What the type begins with: it was called otherwise before the RFC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiprecBody:
    """The body of an INVITE."""

    offer: Sequence[OfferedStream]
    """Empty where the message says only who takes part."""
    metadata: Metadata = NOTHING_SAID

    def followed_by(self, later: "SiprecBody") -> "SiprecBody":
        """What holds after a later message of the same session."""
        return SiprecBody(offer=later.offer or self.offer, metadata=self.metadata.followed_by(later.metadata))


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """Which streams are taken, and for whom."""

    parties: Mapping[int, Party]
    """By the place of the stream in the offer."""
    fields: Mapping[str, Any]
    """For the record."""
    is_operator_named: bool = False
    """Whether the metadata say who sends the operator's stream; else it is a guess by order."""


def read_body(content_type: str, body: bytes) -> SiprecBody:
    """Take a body apart. Raises `BadMessage`, with a code of its own for what SIP has words for."""
    parts = list(_parts_of(content_type, body))
    sdp = next((part for kind, part in parts if kind == "application/sdp"), None)
    xml = next((part for kind, part in parts if kind.startswith(_METADATA)), None)
    if sdp is None and xml is None:
        raise BadMessage("消息里没有 SDP。", code="sip.no_offer")
    return SiprecBody(
        offer=read_offer(sdp.decode("utf-8", "replace")) if sdp is not None else (),
        metadata=read_metadata(xml) if xml is not None and xml.strip() else NOTHING_SAID,
    )


def _parts_of(content_type: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/sdp" or kind.startswith(_METADATA):
        yield kind, body
        return
    if not kind.startswith("multipart/"):
        raise BadMessage(f"不支持 {kind[:60]}。", code="sip.unsupported_type")
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    for number, part in enumerate(message_from_bytes(head + body).walk()):
        if number > _MAX_PARTS:
            raise BadMessage("消息的部分过多。")
        if not part.is_multipart():
            yield part.get_content_type(), _payload(part)


def _payload(part: "Message[str, str]") -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def cast(body: SiprecBody, rules: CarrierRules, *, known: Sequence[Party] = ()) -> Casting:
    """Decide who speaks in which stream: two at most, or those that are `known` of the call already.

    Raises `BadMessage` where nothing of the offer can be heard.
    """
    if not body.offer:
        raise BadMessage("消息里没有 SDP。", code="sip.no_offer")
    readable = [place for place, stream in enumerate(body.offer) if stream.is_readable]
    if not readable:
        raise BadMessage(
            "没有可以接收的声音（需要 RTP/AVP 的 PCMA、PCMU 或 L16；加密的要先安装 srtp 附件）。",
            code="sip.not_acceptable",
        )
    wanted = {place: _party_of(body, place, rules) for place in readable}
    if len(readable) == 1 and not known:
        place = readable[0]
        parties = {place: wanted[place] or Party.MIXED}
    else:
        parties = _two_of(readable, wanted, known)
    people = {party: _person(body, place) for place, party in parties.items()}
    metadata = body.metadata
    citizen = people.get(Party.CITIZEN) or next(iter(metadata.participants), None)
    operator = people.get(Party.OPERATOR) or next(iter(metadata.participants[1:]), None)
    fields: dict[str, Any] = {
        "caller": citizen.user if citizen else "",
        "operator_id": operator.user if operator else "",
        "市民": citizen.name if citizen else "",
        "坐席": operator.name if operator else "",
        "session_id": metadata.session_id,
    }
    known_fields = {name: value for name, value in fields.items() if value}
    return Casting(
        parties=parties,
        fields={**metadata.extra, **known_fields},
        is_operator_named=people.get(Party.OPERATOR) is not None,
    )


def is_seat_certain(told: Mapping[str, Any], casting: Casting, metadata: Metadata) -> bool:
    """Whether a running call may be moved to the operator of `casting`; `told` is what was said before.

    Where nobody says who sends the operator's stream, that is a guess by the order of the participants, and
    counts only if the operator of before is in the call no longer.
    """
    operator = casting.fields.get("operator_id")
    if not operator or operator == told.get("caller"):
        return False
    users = {one.user for one in metadata.participants}
    return casting.is_operator_named or told.get("operator_id") not in users


def _person(body: SiprecBody, place: int) -> Participant | None:
    return body.metadata.by_label.get(body.offer[place].label)


def _party_of(body: SiprecBody, place: int, rules: CarrierRules) -> Party | None:
    """Who speaks there, as the house says, or as the label is usually meant; None where neither helps."""
    label, person = body.offer[place].label, _person(body, place)
    for key in (label, person.aor if person else "", person.user if person else ""):
        if key and key in rules.parties:
            return rules.parties[key]
    if label.lower() in _CITIZEN_LABELS:
        return Party.CITIZEN
    return Party.OPERATOR if label.lower() in _OPERATOR_LABELS else None


def _two_of(
    readable: Sequence[int], wanted: Mapping[int, Party | None], known: Sequence[Party]
) -> dict[int, Party]:
    free = list(known or (Party.CITIZEN, Party.OPERATOR))
    parties: dict[int, Party] = {}
    for place in readable:
        if (party := wanted[place]) in free:
            assert party is not None
            free.remove(party)
            parties[place] = party
    for place in readable:
        if place not in parties and free:
            parties[place] = free.pop(0)
    return dict(sorted(parties.items()))
