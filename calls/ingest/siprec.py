"""What a recording client says of the call that it has recorded (RFC 7865, RFC 7866).

In: the body of an INVITE. Out: the offer, and who speaks in which of its streams. Pure.
Not known here: SIP's messages, sockets, RTP.

Vendors differ: namespaces and their prefixes, `id` in place of `participant_id` (Acme), data of their own
beside (Sonus), labels that are numbers or names. Only the local names of elements are looked at. Where
nothing says who is the citizen, the first stream is theirs: citizens call in.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from asr.types import Party
from calls.ingest.messages import BadMessage
from calls.ingest.rules import CarrierRules
from calls.ingest.sdp import OfferedStream, read_offer

_CITIZEN_LABELS = ("1", "10", "a_leg", "a-leg", "aleg", "caller", "inbound")
_OPERATOR_LABELS = ("2", "20", "b_leg", "b-leg", "bleg", "callee", "outbound")
_MAX_PARTS = 8
_MAX_ELEMENTS = 2_000
_KNOWN = frozenset(
    name
    for line in (
        "recording datamode group group-ref session sessionrecordingassoc sipsessionid reason start-time",
        "stop-time participant participantsessionassoc participantstreamassoc nameid name aor stream label",
        "mode send recv associate-time disassociate-time",
    )
    for name in line.split()
)
"""Elements of RFC 7865; what else has a text is the vendor's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody in the call."""

    aor: str = ""
    name: str = ""

    @property
    def user(self) -> str:
        """The number or name before the host."""
        found = re.fullmatch(r"(?:sips?|tel):([^@;>]+).*", self.aor, re.IGNORECASE)
        return found.group(1) if found else self.aor


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Who takes part, and what stream carries whom."""

    session_id: str = ""
    participants: tuple[Participant, ...] = ()
    by_label: Mapping[str, Participant] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    """What the vendor adds, by the local name of the element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiprecBody:
    """The body of an INVITE."""

    offer: Sequence[OfferedStream]
    metadata: Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """Which streams are taken, and for whom."""

    parties: Mapping[int, Party]
    """By the place of the stream in the offer."""
    fields: Mapping[str, Any]
    """For the record."""


def read_body(content_type: str, body: bytes) -> SiprecBody:
    """Take a body apart. Raises `BadMessage`, with a code of its own for what SIP has words for."""
    parts = list(_parts_of(content_type, body))
    sdp = next((part for kind, part in parts if kind == "application/sdp"), None)
    if sdp is None:
        raise BadMessage("消息里没有 SDP。", code="sip.no_offer")
    # The type was called otherwise before the RFC.
    xml = next((part for kind, part in parts if kind.startswith("application/rs-metadata")), None)
    metadata = read_metadata(xml) if xml is not None and xml.strip() else Metadata()
    return SiprecBody(offer=read_offer(sdp.decode("utf-8", "replace")), metadata=metadata)


def _parts_of(content_type: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/sdp":
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


def read_metadata(xml: bytes) -> Metadata:
    """Parse `rs-metadata`. Raises `BadMessage`."""
    try:
        root = fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise BadMessage("rs-metadata 不是可读的 XML。") from None
    elements = list(root.iter())
    if len(elements) > _MAX_ELEMENTS:
        raise BadMessage("rs-metadata 过大。")
    participants: dict[str, Participant] = {}
    labels: dict[str, str] = {}
    sent_by: dict[str, str] = {}
    session_id = ""
    extra: dict[str, str] = {}
    for element in elements:
        name = _local(element.tag)
        if name == "session":
            session_id = session_id or _id(element, "session_id")
        elif name == "participant":
            participants[_id(element, "participant_id")] = _participant(element)
        elif name == "stream":
            labels[_id(element, "stream_id")] = _text_of(element, "label")
        if name in ("participant", "participantstreamassoc"):
            for send in element.iter():
                if _local(send.tag) == "send" and send.text:
                    sent_by[send.text.strip()] = _id(element, "participant_id")
        if name not in _KNOWN and not len(element) and element.text and element.text.strip():
            extra.setdefault(name, element.text.strip()[:200])
    by_label = {
        label: participants[sent_by[stream]]
        for stream, label in labels.items()
        if label and sent_by.get(stream) in participants
    }
    return Metadata(
        session_id=session_id, participants=tuple(participants.values()), by_label=by_label, extra=extra
    )


def _participant(element: Element) -> Participant:
    ids = [one for one in element.iter() if _local(one.tag) == "nameid"]
    aor = ids[0].get("aor", "") if ids else element.get("aor", "") or _text_of(element, "aor")
    return Participant(aor=aor.strip()[:200], name=_text_of(element, "name")[:64])


def _id(element: Element, name: str) -> str:
    return (element.get(name) or element.get("id") or "").strip()


def _text_of(element: Element, name: str) -> str:
    found = (one.text or "" for one in element.iter() if _local(one.tag) == name)
    return next(found, "").strip()


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2].lower()


def cast(body: SiprecBody, rules: CarrierRules, *, known: Sequence[Party] = ()) -> Casting:
    """Decide who speaks in which stream: two at most, or those that are `known` of the call already.

    Raises `BadMessage` where nothing of the offer can be heard.
    """
    readable = [place for place, stream in enumerate(body.offer) if stream.is_readable]
    if not readable:
        raise BadMessage(
            "没有可以接收的声音（需要 RTP/AVP 的 PCMA、PCMU 或 L16）。", code="sip.not_acceptable"
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
    return Casting(parties=parties, fields={**metadata.extra, **known_fields})


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
