"""SIP, SDP and recording metadata as vendors write them: the pure parts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.types import Party
from calls.ingest.messages import BadMessage
from calls.ingest.rtp import PCMA, PCMU
from calls.ingest.rules import CarrierRules
from calls.ingest.sdp import answer_bytes, chosen_codecs, read_offer
from calls.ingest.sip import MAX_BYTES, SipStream, address_in, answer, parameter, read_message, request_bytes
from calls.ingest.siprec import SiprecBody, cast, read_body
from calls.ingest.siprec_metadata import Metadata, read_metadata

HEADERS = [
    ("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK0"),
    ("From", '"a, b" <sip:src@10.0.0.1>;tag=77'),
    ("To", "<sip:srs@10.0.0.5>"),
    ("Call-ID", "abc@10.0.0.1"),
    ("CSeq", "1 INVITE"),
    ("Record-Route", "<sip:10.0.0.2;lr>"),
]
INVITE = request_bytes("INVITE", "sip:srs@10.0.0.5", HEADERS, b"body")


def test_a_request_is_read() -> None:
    message = read_message(INVITE)
    assert (message.method, message.uri, message.call_id, message.cseq) == (
        "INVITE",
        "sip:srs@10.0.0.5",
        "abc@10.0.0.1",
        1,
    )
    assert message.branch == "z9hG4bK1"
    assert len(message.all("via")) == 2
    assert message.body == b"body"


def test_short_names_folded_lines_and_bare_newlines_are_read() -> None:
    text = (
        "BYE sip:a@b SIP/2.0\r\nv: SIP/2.0/TCP h\r\n ;branch=x\r\nf: <sip:a@b>;tag=1\r\nt: sip:c@d;tag=2\r\n"
        "i: 1\r\nCSeq: 9 BYE\r\nl: 0\r\n\r\n"
    )
    message = read_message(text.encode())
    assert (message.branch, parameter(message.one("to"), "tag"), address_in(message.one("to"))) == (
        "x",
        "2",
        "sip:c@d",
    )


def test_an_answer_keeps_the_way_back_and_says_where_the_request_came_from() -> None:
    data = answer(read_message(INVITE), 200, tag="ours", source=("192.0.2.9", 4000), body=b"sdp")
    message = read_message(data)
    assert (message.status, message.method) == (200, "INVITE")
    assert parameter(message.one("to"), "tag") == "ours"
    assert message.all("via")[0] == "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport=4000;received=192.0.2.9"
    assert message.all("record-route") == ["<sip:10.0.0.2;lr>"]
    assert message.body == b"sdp"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: one INVITE"),
        INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE"),
        INVITE.replace(b"Call-ID: abc@10.0.0.1\r\n", b""),
        INVITE.replace(b"Content-Length: 4", b"Content-Length: 5"),
        INVITE.replace(b"Content-Length: 4", b"Content-Length: -4"),
        INVITE.replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"),
        INVITE.replace(b"Call-ID:", b"Call-ID"),
        b"OPTIONS sip:a SIP/2.0\r\n" + b"a: b\r\n" * 300 + b"\r\n",
        INVITE + b"x" * MAX_BYTES,
    ],
)
def test_what_is_no_sip_is_said(data: bytes) -> None:
    with pytest.raises(BadMessage):
        read_message(data)


@given(seed=st.integers(0, 100_000), count=st.integers(1, 5))
def test_a_stream_is_taken_apart_however_tcp_cuts_it(seed: int, count: int) -> None:
    rng = random.Random(seed)
    data = b"\r\n\r\n".join([INVITE] * count)
    stream, found, at = SipStream(), [], 0
    while at < len(data):
        size = rng.choice([1, 3, 40, 700])
        found += stream.read(data[at : at + size])
        at += size
    assert found == [INVITE] * count


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_no_bytes_break_the_stream(pieces: list[bytes]) -> None:
    stream = SipStream()
    for piece in pieces:
        try:
            for one in stream.read(piece + b"\r\n\r\n"):
                read_message(one)
        except BadMessage:
            break


def test_a_stream_that_never_ends_a_message_is_bounded() -> None:
    stream = SipStream()
    stream.read(b"x" * MAX_BYTES)
    with pytest.raises(BadMessage):
        stream.read(b"x")


@given(st.text(max_size=300))
def test_no_text_breaks_the_offer_and_the_headers(text: str) -> None:
    parameter(text, "tag")
    address_in(text)
    for offer in (text, f"v=0\nm=audio 1 RTP/AVP 8\n{text}", f"m={text}"):
        try:
            read_offer(offer)
        except BadMessage:
            continue


OFFER = """v=0
o=SBC 1 1 IN IP4 10.0.0.1
s=-
c=IN IP4 10.0.0.1
t=0 0
m=audio 20000 RTP/AVP 18 0 8 101
a=rtpmap:101 telephone-event/8000
a=label:1
a=sendonly
m=audio 20002 RTP/AVP 8 101
a=label:2
a=sendonly
m=video 20004 RTP/AVP 96
a=rtpmap:96 H264/90000
"""


def test_an_offer_is_read_and_answered_line_by_line() -> None:
    offer = read_offer(OFFER)
    assert [(one.kind, one.label, one.direction) for one in offer] == [
        ("audio", "1", "sendonly"),
        ("audio", "2", "sendonly"),
        ("video", "", "sendrecv"),
    ]
    assert [one.is_readable for one in offer] == [True, True, False]
    assert chosen_codecs(offer[:2]) == [8, 8]
    text = answer_bytes(offer, {0: (40_000, 8), 1: (40_002, 8)}, address="10.0.0.5", version=3).decode()
    lines = text.split("\r\n")
    assert [line for line in lines if line.startswith("m=")] == [
        "m=audio 40000 RTP/AVP 8",
        "m=audio 40002 RTP/AVP 8",
        "m=video 0 RTP/AVP 96",
    ]
    assert lines.count("a=recvonly") == 2
    assert "a=label:1" in lines
    assert "c=IN IP4 10.0.0.5" in lines


def test_codecs_that_differ_are_taken_as_they_are_and_rates_that_differ_are_not() -> None:
    mixed = read_offer(OFFER.replace("18 0 8 101", "0"))
    assert chosen_codecs(mixed[:2]) == [0, 8]
    assert [mixed[0].codecs[0], mixed[1].codecs[8]] == [PCMU, PCMA]
    wide = read_offer(
        OFFER.replace("18 0 8 101", "97").replace("a=label:1", "a=label:1\na=rtpmap:97 L16/16000")
    )
    with pytest.raises(BadMessage):
        chosen_codecs(wide[:2])


@pytest.mark.parametrize("line", ["c=IN IP4 0.0.0.0", "a=inactive"])
def test_both_ways_to_say_hold_are_read(line: str) -> None:
    assert read_offer(OFFER.replace("a=label:2\na=sendonly", f"a=label:2\n{line}"))[1].direction == "inactive"


@pytest.mark.parametrize("offer", ["", "v=0", "m=audio", "m=audio x RTP/AVP 8", "m=audio 1 RTP/AVP 8\n" * 17])
def test_what_is_no_offer_is_said(offer: str) -> None:
    with pytest.raises(BadMessage):
        read_offer(offer)


RFC = """<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1">
 <datamode>complete</datamode>
 <session session_id="hVpd7YQgRW2nD22h7q60JQ=="><sipSessionID>ab30</sipSessionID></session>
 <participant participant_id="srfBElmCRp2QB23b7Mpk0w==">
  <nameID aor="sip:027@pbx.example"><name xml:lang="zh">王坐席</name></nameID></participant>
 <participant participant_id="zSfPoSvdSDCmU3A3TRDxAw==">
  <nameID aor="tel:13900000001"><name>李</name></nameID></participant>
 <stream stream_id="S1" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>96</label></stream>
 <stream stream_id="S2" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>97</label></stream>
 <participantstreamassoc participant_id="srfBElmCRp2QB23b7Mpk0w=="><send>S1</send><recv>S2</recv>
 </participantstreamassoc>
 <participantstreamassoc participant_id="zSfPoSvdSDCmU3A3TRDxAw=="><send>S2</send><recv>S1</recv>
 </participantstreamassoc>
</recording>"""
ACME = """<?xml version='1.0' encoding='UTF-8'?>
<recording xmlns='urn:ietf:params:xml:ns:recording'>
 <dataMode>complete</dataMode>
 <session id="acme-1"><associate-time>2026-03-05T10:32:05</associate-time>
  <extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:ucid>00FA;x</apkt:ucid>
  <apkt:callerOrig>true</apkt:callerOrig></extensiondata></session>
 <participant id="p1" session="acme-1">
  <nameID aor="sip:13900000001@10.0.0.1"><name>13900000001</name></nameID><send>s1</send></participant>
 <participant id="p2" session="acme-1"><nameID aor="sip:027@10.0.0.1"/><send>s2</send></participant>
 <stream id="s1" session="acme-1"><label>1</label><mode>separate</mode></stream>
 <stream id="s2" session="acme-1"><label>2</label></stream>
</recording>"""
SONUS = """<ns1:recording xmlns:ns1="urn:ietf:params:xml:ns:recording:1">
 <ns1:session ns1:session_id="x" session_id="sonus-1"/>
 <ns1:participant participant_id="p1"><ns1:nameID aor="sip:13900000001@a"/></ns1:participant>
 <ns1:participant participant_id="p2"><ns1:nameID aor="sip:027@a"/></ns1:participant>
 <ns1:stream stream_id="s1"><ns1:label>a_leg</ns1:label></ns1:stream>
 <ns1:stream stream_id="s2"><ns1:label>b_leg</ns1:label></ns1:stream>
 <ns1:participantstreamassoc participant_id="p1"><ns1:send>s1</ns1:send></ns1:participantstreamassoc>
 <ns1:participantstreamassoc participant_id="p2"><ns1:send>s2</ns1:send></ns1:participantstreamassoc>
 <callData><fromhdr>sip:13900000001@a</fromhdr><callerName>x</callerName></callData>
</ns1:recording>"""


def body_of(xml: str, labels: tuple[str, ...]) -> SiprecBody:
    lines = "".join(
        f"m=audio {20_000 + 2 * n} RTP/AVP 8\na=label:{one}\na=sendonly\n" for n, one in enumerate(labels)
    )
    metadata = read_metadata(xml.encode()) if xml else Metadata()
    return SiprecBody(offer=read_offer("v=0\n" + lines), metadata=metadata)


@pytest.mark.parametrize(
    ("xml", "labels", "session_id"),
    [
        (ACME, ("1", "2"), "acme-1"),
        (SONUS, ("a_leg", "b_leg"), "sonus-1"),
        (SONUS, ("b_leg", "a_leg"), "sonus-1"),
    ],
)
def test_vendors_are_understood(xml: str, labels: tuple[str, ...], session_id: str) -> None:
    casting = cast(body_of(xml, labels), CarrierRules())
    said = [str(party) for _, party in sorted(casting.parties.items())]
    assert said == [{"1": "citizen", "a": "citizen"}.get(one[0], "operator") for one in labels]
    assert (casting.fields["caller"], casting.fields["operator_id"]) == ("13900000001", "027")
    assert casting.fields["session_id"] == session_id


def test_what_the_vendor_adds_is_kept() -> None:
    assert cast(body_of(ACME, ("1", "2")), CarrierRules()).fields["ucid"] == "00FA;x"
    assert cast(body_of(SONUS, ("a_leg", "b_leg")), CarrierRules()).fields["callername"] == "x"


def test_the_house_says_who_is_who_by_label_or_address() -> None:
    for key in ("97", "tel:13900000001", "13900000001"):
        rules = CarrierRules(parties={key: Party.CITIZEN})
        casting = cast(body_of(RFC, ("96", "97")), rules)
        assert casting.parties == {0: Party.OPERATOR, 1: Party.CITIZEN}
        assert (casting.fields["caller"], casting.fields["operator_id"]) == ("13900000001", "027")
        assert (casting.fields["市民"], casting.fields["坐席"]) == ("李", "王坐席")


def test_where_nothing_says_who_is_who_the_first_is_the_citizen() -> None:
    assert cast(body_of("", ("x", "y")), CarrierRules()).parties == {0: Party.CITIZEN, 1: Party.OPERATOR}
    assert cast(body_of("", ("x",)), CarrierRules()).parties == {0: Party.MIXED}
    assert cast(body_of("", ("x", "y", "z")), CarrierRules()).parties == {0: Party.CITIZEN, 1: Party.OPERATOR}
    assert cast(body_of("", ("x", "1")), CarrierRules()).parties == {0: Party.OPERATOR, 1: Party.CITIZEN}


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<recording>",
        '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><recording>&b;</recording>',
        '<!DOCTYPE r SYSTEM "file:///etc/passwd"><recording/>',
        "<?xml version='1.0' encoding='nonsense'?><a/>",
        "<r>" + "<a/>" * 3_000 + "</r>",
    ],
)
def test_metadata_that_cannot_be_read_is_said(xml: str) -> None:
    with pytest.raises(BadMessage):
        read_metadata(xml.encode())


@given(st.binary(max_size=300))
def test_no_bytes_break_metadata_and_bodies(data: bytes) -> None:
    for kind in ("multipart/mixed;boundary=x", "multipart/mixed", "application/sdp", "text/plain", ""):
        for body in (data, b"--x\r\nContent-Type: application/sdp\r\n\r\n" + data + b"\r\n--x--"):
            try:
                cast(read_body(kind, body), CarrierRules())
            except BadMessage:
                continue
    try:
        read_metadata(data)
    except BadMessage:
        return


def test_a_body_with_parts_is_taken_apart_in_any_order() -> None:
    parts = [
        b"Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n"
        + ACME.encode(),
        b"Content-Type: application/sdp\r\n\r\n" + OFFER.encode(),
    ]
    for order in (parts, parts[::-1]):
        body = b"--b b\r\n" + b"\r\n--b b\r\n".join(order) + b"\r\n--b b--\r\n"
        found = read_body('multipart/mixed; boundary="b b"', body)
        assert found.metadata.session_id == "acme-1"
        assert len(found.offer) == 3
    alone = read_body("application/rs-metadata+xml", ACME.encode())
    assert (alone.metadata.session_id, alone.offer) == ("acme-1", ())
    for kind, code in (("application/rs-metadata+xml", "sip.no_offer"), ("a/b", "sip.unsupported_type")):
        with pytest.raises(BadMessage) as caught:
            cast(read_body(kind, ACME.encode()), CarrierRules())
        assert caught.value.code == code
