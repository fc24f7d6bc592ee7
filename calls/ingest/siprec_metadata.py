"""What a recording client says of those who take part in a call (RFC 7865), at the beginning and later.

In: `rs-metadata` as XML. Out: who sends which stream; a later message laid over an earlier one. Pure.
Not known here: SIP, SDP, who of them is the citizen.

Vendors differ: namespaces and their prefixes, `id` in place of `participant_id` (Acme), data of their own
beside (Sonus). Only the local names of elements are looked at. A message is a snapshot of everything unless
it says `partial`: then what it does not name stays as it was. Who was dissociated from the session, or from
a stream, is no longer there; of two who send a stream, the one who was named last does.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from calls.ingest.messages import BadMessage

_MAX_ELEMENTS = 2_000
_MAX_PEOPLE = 100
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
    people: Mapping[str, Participant] = field(default_factory=dict)
    """By the identifier that the client gave them, in the order in which they came."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of streams, by their identifier."""
    senders: Mapping[str, str] = field(default_factory=dict)
    """Stream → who sends it."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """What the vendor adds, by the local name of the element."""
    is_partial: bool = False
    gone: frozenset[str] = frozenset()
    """Participants of whom the message says that they have left."""
    unsent: Mapping[str, str] = field(default_factory=dict)
    """Stream → who does not send it any more."""

    @property
    def participants(self) -> tuple[Participant, ...]:
        """Everybody."""
        return tuple(self.people.values())

    @property
    def by_label(self) -> Mapping[str, Participant]:
        """Who is heard in the stream of a label, as far as that is said."""
        return {
            label: self.people[sender]
            for stream, label in self.labels.items()
            if label and (sender := self.senders.get(stream, "")) in self.people
        }

    def followed_by(self, later: "Metadata") -> "Metadata":
        """What holds after a later message."""
        if not later.is_partial:
            return later
        people = {**self.people, **later.people}
        left = [one for one in people if one in later.gone]
        left += list(people)[: max(0, len(people) - len(left) - _MAX_PEOPLE)]
        still = {
            stream: sender for stream, sender in self.senders.items() if later.unsent.get(stream) != sender
        }
        return Metadata(
            session_id=self.session_id or later.session_id,
            people={key: one for key, one in people.items() if key not in left},
            labels=dict(list({**self.labels, **later.labels}.items())[-_MAX_PEOPLE:]),
            senders=dict(list({**still, **later.senders}.items())[-_MAX_PEOPLE:]),
            extra={**self.extra, **later.extra},
        )


NOTHING_SAID = Metadata(is_partial=True)
"""Of a message without metadata."""


def read_metadata(xml: bytes) -> Metadata:
    """Parse `rs-metadata`. Raises `BadMessage`."""
    try:
        root = fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise BadMessage("rs-metadata 不是可读的 XML。") from None
    elements = list(root.iter())
    if len(elements) > _MAX_ELEMENTS:
        raise BadMessage("rs-metadata 过大。")
    people: dict[str, Participant] = {}
    labels: dict[str, str] = {}
    senders: dict[str, str] = {}
    unsent: dict[str, str] = {}
    gone: set[str] = set()
    session_id = mode = ""
    extra: dict[str, str] = {}
    for element in elements:
        name = _local(element.tag)
        if name == "datamode":
            mode = (element.text or "").strip().lower()
        elif name == "session":
            session_id = session_id or _id(element, "session_id")
        elif name == "participant":
            people[_id(element, "participant_id")] = _participant(element)
        elif name == "stream":
            labels[_id(element, "stream_id")] = _text_of(element, "label")
        elif name == "participantsessionassoc" and _has_left(element):
            gone.add(_id(element, "participant_id"))
        if name in ("participant", "participantstreamassoc"):
            who = _id(element, "participant_id")
            for stream in _texts(element, "send"):
                (unsent if name != "participant" and _has_left(element) else senders)[stream] = who
        if name not in _KNOWN and not len(element) and element.text and element.text.strip():
            extra.setdefault(name, element.text.strip()[:200])
    return Metadata(
        session_id=session_id,
        people={key: one for key, one in people.items() if key not in gone},
        labels=labels,
        senders=senders,
        extra=extra,
        is_partial=mode == "partial",
        gone=frozenset(gone),
        unsent=unsent,
    )


def _has_left(association: Element) -> bool:
    return bool(_text_of(association, "disassociate-time"))


def _participant(element: Element) -> Participant:
    ids = [one for one in element.iter() if _local(one.tag) == "nameid"]
    aor = ids[0].get("aor", "") if ids else element.get("aor", "") or _text_of(element, "aor")
    return Participant(aor=aor.strip()[:200], name=_text_of(element, "name")[:64])


def _id(element: Element, name: str) -> str:
    return (element.get(name) or element.get("id") or "").strip()


def _text_of(element: Element, name: str) -> str:
    return next(_texts(element, name), "")


def _texts(element: Element, name: str) -> Iterator[str]:
    return (one.text.strip() for one in element.iter() if _local(one.tag) == name and one.text)


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2].lower()
