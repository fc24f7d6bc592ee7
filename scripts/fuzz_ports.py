"""Fuzzes the readers of protocols that come over ports of their own, one at a time, guided by coverage.

In: the name of a reader, then options of libFuzzer. Out: nothing, or a file with the input that broke it.
Not known here: sockets, calls.

    pip install -e .[fuzz]
    python -m scripts.fuzz_ports sip -max_total_time=600 -timeout=5 -rss_limit_mb=1024

An exception other than `BadMessage`, an answer that takes longer than the timeout, or more memory than the
limit is a finding.
"""

import sys
from collections.abc import Callable
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["calls.ingest"]):
    from calls.ingest.audiosocket import PacketReader, Pcm, identity_packet
    from calls.ingest.digest import Digest, Verdict
    from calls.ingest.jitter import Jitter
    from calls.ingest.joining import Joining
    from calls.ingest.messages import BadMessage
    from calls.ingest.rtp import STATIC, CallClock, Codec, RtpStream, read_packet
    from calls.ingest.rules import CarrierRules
    from calls.ingest.sdp import answer_bytes, chosen_codecs, read_offer
    from calls.ingest.sip import SipStream, address_in, answer, parameter, read_message
    from calls.ingest.siprec import cast, is_seat_certain, read_body
    from calls.ingest.siprec_metadata import read_metadata
    from calls.ingest.srtp import crypto_line, read_crypto

from uuid import UUID

_SIP = (
    "INVITE sip:a@b SIP/2.0\r\n",
    "SIP/2.0 200 OK\r\n",
    "Via: SIP/2.0/UDP h;branch=z9hG4bK1;rport\r\n",
    "v: SIP/2.0/TCP [::1]:5060;branch=x, SIP/2.0/TLS a\r\n",
    'From: "a, b" <sip:a@b;tag=0>;tag=1\r\n',
    "To: sip:c@d;tag=2\r\n",
    "Call-ID: 1\r\n",
    "CSeq: 1 INVITE\r\n",
    "Content-Length: 4\r\n",
    "Record-Route: <sip:a;lr>,<sip:b>\r\n",
    "Require: siprec, 100rel\r\n",
    "\r\n",
    " folded\r\n",
)
_SDP = (
    "v=0\r\n",
    "c=IN IP4 0.0.0.0\r\n",
    "m=audio 20000 RTP/AVP 8 0 96\r\n",
    "m=video 0 RTP/SAVP 97\r\n",
    "a=rtpmap:96 L16/16000/1\r\n",
    "a=rtpmap:8 PCMA/8000\r\n",
    "a=label:1\r\n",
    "a=sendonly\r\n",
    "a=inactive\r\n",
)
_XML = (
    "<recording xmlns='urn:ietf:params:xml:ns:recording:1'>",
    "</recording>",
    "<session session_id='1'/>",
    "<participant participant_id='p'><nameID aor='sip:1@a'/></participant>",
    "<participant id='p'>",
    "</participant>",
    "<stream stream_id='s'><label>1</label></stream>",
    "<send>s</send>",
    "<participantstreamassoc participant_id='p'><send>s</send></participantstreamassoc>",
    "<x:y xmlns:x='z'>text</x:y>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "&b;",
)
_MULTIPART = (
    "--x\r\nContent-Type: application/sdp\r\n\r\n",
    "--x\r\nContent-Type: application/rs-metadata+xml\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    "--x\r\nContent-Type: multipart/mixed;boundary=x\r\n\r\n",
    "--x--\r\n",
)
_DIGEST = (
    'username="a", ',
    'realm="zhiting", ',
    "algorithm=SHA-256, ",
    "algorithm=md5,",
    "qop=auth, ",
    "nc=00000001, ",
    "nc=ffffffff",
    'uri="sip:a@b", ',
    'cnonce="c\\"d", ',
    'response="0", ',
    'nonce="MS4wOjA6MA", ',
)
_CRYPTO = (
    "1 ",
    "AES_CM_128_HMAC_SHA1_80 ",
    "AES_CM_128_HMAC_SHA1_32 ",
    "inline:",
    "A" * 40,
    "|2^20",
    "|1:4",
    " WSH=64",
    " UNENCRYPTED_SRTP",
)


def _text(data: atheris.FuzzedDataProvider, pieces: tuple[str, ...]) -> str:
    """Lines as the protocol has them, and anything else between."""
    found = []
    for _ in range(data.ConsumeIntInRange(0, 30)):
        if data.ConsumeIntInRange(0, 5):
            found.append(pieces[data.ConsumeIntInRange(0, len(pieces) - 1)])
        else:
            found.append(str(data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(0, 40))))
    return "".join(found)


def _audiosocket(data: atheris.FuzzedDataProvider) -> None:
    reader, joining = PacketReader(), Joining(legs=2, rate_hz=8_000)
    pieces = [identity_packet(UUID(int=1))] if data.ConsumeIntInRange(0, 7) else []
    pieces += [bytes(data.ConsumeBytes(data.ConsumeIntInRange(0, 300))) for _ in range(12)]
    with suppress(BadMessage):
        for piece in pieces:
            for packet in reader.read(piece):
                if isinstance(packet, Pcm):
                    joining.put(data.ConsumeIntInRange(0, 1), packet.data)
    joining.flush()


def _joining(data: atheris.FuzzedDataProvider) -> None:
    joining, sent, out = Joining(legs=2, rate_hz=8_000), 0, 0
    for _ in range(data.ConsumeIntInRange(0, 60)):
        leg, samples = data.ConsumeIntInRange(0, 1), data.ConsumeIntInRange(0, 6_000)
        if data.ConsumeIntInRange(0, 9) == 0:
            out += len(joining.leave(leg))
        sent += samples
        out += len(joining.put(leg, b"\1\0" * samples))
    out += len(joining.flush())
    assert 2 * sent <= out <= 4 * 2 * sent


def _rtp(data: atheris.FuzzedDataProvider) -> None:
    clock = CallClock()
    linear = Codec(encoding="pcm_s16le", rate_hz=8_000)
    streams = [
        RtpStream(track=str(n), codecs=STATIC, other=linear, encoding="pcm_s16le", clock=clock)
        for n in (0, 1)
    ]
    jitter = Jitter(legs=2, rate_hz=8_000, silence=b"\0\0")
    arrived_s = 0.0
    for _ in range(data.ConsumeIntInRange(1, 100)):
        arrived_s += data.ConsumeIntInRange(0, 2_000) / 1_000
        if data.ConsumeIntInRange(0, 30) == 0:
            clock.skip(data.ConsumeIntInRange(0, 60))
            streams[0].rebase()
        leg = data.ConsumeIntInRange(0, 1)
        datagram = bytes(data.ConsumeBytes(data.ConsumeIntInRange(0, 60)))
        with suppress(BadMessage):
            sound = streams[leg].take(read_packet(b"\x80" + datagram), arrived_s)
            if sound is not None:
                assert sound.at_s >= 0
                jitter.put(leg, sound.at_s, sound.data, sound.number)
    jitter.flush()


def _sip(data: atheris.FuzzedDataProvider) -> None:
    text = _text(data, _SIP).encode("utf-8", "replace")
    stream = SipStream()
    with suppress(BadMessage):
        for at in range(0, len(text), 97):
            for one in stream.read(text[at : at + 97]):
                read_message(one)
    with suppress(BadMessage):
        message = read_message(text)
        address_in(message.one("contact"))
        parameter(message.one("from"), "tag")
        read_message(answer(message, 200, tag="t", source=("1.2.3.4", 5)))


def _sdp(data: atheris.FuzzedDataProvider) -> None:
    with suppress(BadMessage):
        offer = read_offer(_text(data, _SDP))
        readable = [place for place, one in enumerate(offer) if one.is_readable]
        kinds = chosen_codecs([offer[place] for place in readable])
        taken = {place: (40_000, kind) for place, kind in zip(readable, kinds, strict=True)}
        read_offer(answer_bytes(offer, taken, address="::1", version=1).decode())


def _siprec(data: atheris.FuzzedDataProvider) -> None:
    with suppress(BadMessage):
        first = read_metadata(_text(data, _XML).encode("utf-8", "replace"))
        first.followed_by(read_metadata(_text(data, _XML).encode("utf-8", "replace")))
    body = _text(data, (*_MULTIPART, *_SDP, *_XML)).encode("utf-8", "replace")
    kind = ("multipart/mixed;boundary=x", "application/sdp", _text(data, _MULTIPART)[:80])
    with suppress(BadMessage):
        read = read_body(kind[data.ConsumeIntInRange(0, 2)], body)
        casting = cast(read, CarrierRules())
        is_seat_certain(casting.fields, cast(read.followed_by(read), CarrierRules()), read.metadata)


def _password(data: atheris.FuzzedDataProvider) -> None:
    crypto = read_crypto(_text(data, _CRYPTO))
    assert crypto is None or read_crypto(crypto_line(crypto, crypto.key).removeprefix("a=crypto:")) == crypto
    digest = Digest(user="a", password="b")  # noqa: S106 - nobody's
    nonce = digest.challenges(1.0)[1].split('"')[3] if data.ConsumeBool() else ""
    ours = f'Digest realm="zhiting", qop=auth, nc=00000001, nonce="{nonce}", ' if data.ConsumeBool() else ""
    assert digest.check(ours + _text(data, _DIGEST), "INVITE", 2.0) is Verdict.WRONG


TARGETS: dict[str, Callable[[atheris.FuzzedDataProvider], None]] = {
    "password": _password,
    "audiosocket": _audiosocket,
    "joining": _joining,
    "rtp": _rtp,
    "sip": _sip,
    "sdp": _sdp,
    "siprec": _siprec,
}


def main() -> None:
    """Fuzz the reader that is named first."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"which reader? one of {', '.join(TARGETS)}")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, lambda data: target(atheris.FuzzedDataProvider(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
