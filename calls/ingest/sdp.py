"""What a recorder needs of SDP (RFC 8866): the streams of an offer, and the answer to them.

In: text. Out: offered streams; the answer as bytes. Pure.
Not known here: SIP, who speaks in a stream.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from calls.ingest.messages import BadMessage
from calls.ingest.rtp import PCMA, PCMU, STATIC, Codec
from calls.ingest.srtp import Crypto, crypto_line, is_srtp_there, read_crypto

MAX_STREAMS = 16
_LINEAR_RATES_HZ = (8_000, 16_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedStream:
    """One `m=` line."""

    kind: str
    port: int
    profile: str
    formats: tuple[str, ...]
    address: str = ""
    """From where, or to where, the other side has it; for sound that it sends that is a hint."""
    label: str = ""
    direction: str = "sendrecv"
    codecs: Mapping[int, Codec] = field(default_factory=dict)
    """What can be heard, by payload type."""
    crypto: Crypto | None = None
    """How it is encrypted; None also where that cannot be read here."""

    @property
    def is_readable(self) -> bool:
        """Whether it is sound that can be taken."""
        is_open = self.profile == "RTP/AVP" or (self.profile == "RTP/SAVP" and self.crypto is not None)
        return self.kind == "audio" and self.port > 0 and is_open and bool(self.codecs)


def read_offer(text: str) -> list[OfferedStream]:
    """The streams of an offer. Raises `BadMessage`."""
    sections: list[list[tuple[str, str]]] = [[]]
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if not equals or len(name) != 1:
            continue
        if name == "m":
            sections.append([])
        sections[-1].append((name, value.strip()))
    if not 1 < len(sections) <= MAX_STREAMS + 1:
        raise BadMessage("SDP 没有声音，或媒体行过多。")
    return [_stream(sections[0], section) for section in sections[1:]]


def _stream(session: Sequence[tuple[str, str]], section: Sequence[tuple[str, str]]) -> OfferedStream:
    parts = section[0][1].split()
    if len(parts) < 4 or not parts[1].partition("/")[0].isdecimal():
        raise BadMessage("SDP 的媒体行不对。")
    direction, label, address = "sendrecv", "", ""
    maps: dict[str, str] = {}
    crypto: Crypto | None = None
    for name, value in (*session, *section):
        if name == "c":
            address = value.split()[-1] if value else ""
            if address == "0.0.0.0":  # noqa: S104 - the old way to say hold
                direction = "inactive"
        if name != "a":
            continue
        key, _, rest = value.partition(":")
        if key in ("sendonly", "recvonly", "sendrecv", "inactive"):
            direction = key
        elif key == "label":
            label = rest.strip()
        elif key == "crypto" and crypto is None and parts[2] == "RTP/SAVP" and is_srtp_there():
            crypto = read_crypto(rest)
        elif key == "rtpmap":
            kind, _, what = rest.partition(" ")
            maps[kind.strip()] = what.strip()
    formats = tuple(parts[3:])
    return OfferedStream(
        kind=parts[0],
        port=min(int(parts[1].partition("/")[0][:6]), 65_535),
        profile=parts[2],
        formats=formats,
        address=address[:64],
        label=label,
        direction=direction,
        crypto=crypto,
        codecs={int(one): codec for one in formats if (codec := _codec(one, maps.get(one, ""))) is not None},
    )


def _codec(kind: str, mapped: str) -> Codec | None:
    if not kind.isascii() or not kind.isdigit() or len(kind) > 3:
        return None
    if not mapped:
        return STATIC.get(int(kind))
    name, _, rest = mapped.partition("/")
    rate, _, channels = rest.partition("/")
    if channels not in ("", "1") or not rate.isdecimal():
        return None
    if name.upper() in ("PCMU", "PCMA") and rate == "8000":
        return PCMU if name.upper() == "PCMU" else PCMA
    if name.upper() == "L16" and len(rate) < 6 and int(rate) in _LINEAR_RATES_HZ:
        return Codec(encoding="pcm_s16le", rate_hz=int(rate))
    return None


def chosen_codecs(streams: Sequence[OfferedStream]) -> list[int]:
    """The payload type for each stream: the same codec for all where there is one, A-law before the rest.

    Raises `BadMessage` where rates differ, so that the streams cannot be one call.
    """
    for wanted in (PCMA, PCMU):
        if all(wanted in stream.codecs.values() for stream in streams):
            return [_kind_of(stream, wanted) for stream in streams]
    kinds = [next(iter(stream.codecs)) for stream in streams]
    if len({stream.codecs[kind].rate_hz for stream, kind in zip(streams, kinds, strict=True)}) > 1:
        raise BadMessage("各路声音的采样率不同。")
    return kinds


def _kind_of(stream: OfferedStream, wanted: Codec) -> int:
    return next(kind for kind, codec in stream.codecs.items() if codec == wanted)


def answer_bytes(
    offer: Sequence[OfferedStream],
    taken: Mapping[int, tuple[int, int]],
    *,
    address: str,
    version: int,
    own_key: bytes = b"",
) -> bytes:
    """The answer: `taken` has (port, payload type) by the place of the line; the others are refused.

    `own_key` is named where a stream is encrypted.
    """
    family = "IP6" if ":" in address else "IP4"
    lines = [
        "v=0",
        f"o=zhiting {version} {version} IN {family} {address}",
        "s=zhiting",
        f"c=IN {family} {address}",
        "t=0 0",
    ]
    for place, stream in enumerate(offer):
        if place not in taken:
            lines.append(f"m={stream.kind} 0 {stream.profile} {' '.join(stream.formats)}")
            continue
        port, kind = taken[place]
        codec = stream.codecs[kind]
        name = {"alaw": "PCMA", "mulaw": "PCMU"}.get(codec.encoding, "L16")
        lines += [f"m=audio {port} {stream.profile} {kind}", f"a=rtpmap:{kind} {name}/{codec.rate_hz}"]
        lines += [f"a=label:{stream.label}"] if stream.label else []
        lines += [crypto_line(stream.crypto, own_key)] if stream.crypto else []
        lines.append("a=inactive" if stream.direction == "inactive" else "a=recvonly")
    return "\r\n".join(lines).encode() + b"\r\n"
