"""RTP: packets, and the stream of one leg with its clock.

In: datagrams with the moment of their arrival. Out: sound with its place on the clock of the call.
Not known here: sockets, SIP, calls that run, waiting for packets that are late (`jitter.py` does that).

Formats: RFC 3550 (header, padding, extension), RFC 3551 (PCMU, PCMA, L16 in network order). Each leg has a
clock of its own with a random beginning: it is laid on the call's by the arrival of its first packet, or by
its timestamps where these run together with those of the leg before. Clocks that drift are followed: the
quickest packet of every few seconds tells how far the leg has moved, as in any jitter buffer.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from asr.decode import linear_pcm
from calls.ingest.messages import BadMessage
from calls.ingest.samples import little_endian
from calls.ingest.signals import Sound

_HEADER = struct.Struct(">BBHII")
_TOGETHER_S = 0.1
"""Timestamps of two legs that agree with arrival so well are of one clock."""
_WINDOW = 250
_DRIFT_S = 0.06
_NEAR_S = 0.5
_NEAR_PACKETS = 100
_FAR_S = 1.0
_WITNESSES = 3
_COMFORT_NOISE = (13, 19)


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpPacket:
    """One packet."""

    payload_type: int
    number: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """How a payload is written."""

    encoding: str
    """`mulaw`, `alaw` or `pcm_s16le`, as the house names them."""
    rate_hz: int
    is_big_endian: bool = True
    """Of linear samples: as RTP has it; some senders do not."""

    def decoded(self, payload: bytes, wanted: str) -> bytes | None:
        """The samples as the call keeps them; None where that cannot be."""
        if self.encoding == "pcm_s16le":
            payload = little_endian(payload) if self.is_big_endian else payload
        if self.encoding == wanted:
            return payload
        return linear_pcm(self.encoding, payload) if wanted == "pcm_s16le" else None


PCMU = Codec(encoding="mulaw", rate_hz=8_000)
PCMA = Codec(encoding="alaw", rate_hz=8_000)
STATIC: Mapping[int, Codec] = {0: PCMU, 8: PCMA}
"""Payload types that mean the same everywhere."""


def read_packet(datagram: bytes) -> RtpPacket:
    """Parse one datagram. Raises `BadMessage`."""
    if len(datagram) < _HEADER.size:
        raise BadMessage("RTP 包不足 12 字节。")
    first, second, number, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first >> 6 != 2:
        raise BadMessage("RTP 版本不是 2。")
    start = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(datagram) < start + 4:
            raise BadMessage("RTP 扩展头不完整。")
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4])
    end = len(datagram) - (datagram[-1] if first & 0x20 else 0)
    if end < start or (first & 0x20 and datagram[-1] == 0):
        raise BadMessage("RTP 长度与包头不符。")
    return RtpPacket(
        payload_type=second & 0x7F,
        number=number,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=datagram[start:end],
    )


def written(packet: RtpPacket, *, is_marked: bool = False) -> bytes:
    """The packet as a datagram."""
    second = packet.payload_type | (0x80 if is_marked else 0)
    head = _HEADER.pack(0x80, second, packet.number & 0xFFFF, packet.timestamp & 0xFFFFFFFF, packet.ssrc)
    return head + packet.payload


@dataclass(slots=True)
class CallClock:
    """What the legs of one call share: where its time begins, and the last leg that was laid on it."""

    origin_s: float | None = None
    rate_hz: int = 0
    timestamp: int = 0
    at_s: float = 0.0

    def place(self, timestamp: int, rate_hz: int, arrived_s: float) -> float:
        """Where a leg begins whose first packet has that timestamp."""
        if self.origin_s is None:
            self.origin_s = arrived_s
        at_s = max(0.0, arrived_s - self.origin_s)
        if self.rate_hz == rate_hz:
            told_s = self.at_s + _difference(timestamp, self.timestamp, 32) / rate_hz
            if abs(told_s - at_s) < _TOGETHER_S and told_s >= 0:
                at_s = told_s
        self.rate_hz, self.timestamp, self.at_s = rate_hz, timestamp, at_s
        return at_s

    def skip(self, seconds: float) -> None:
        """Time that is not of the call has gone by: a hold."""
        if self.origin_s is not None:
            self.origin_s += seconds


@dataclass(slots=True, kw_only=True)
class StreamCounts:
    """What was not sound."""

    foreign: int = 0
    """Of another payload type than agreed, or not whole samples."""
    old: int = 0
    """Of a source that another one has replaced."""
    early: int = 0
    """From before the packet with which the call began."""
    stray: int = 0
    """Far from where the clock should be."""
    sources: int = 0
    shifts: int = 0
    """Times that the clock was moved, for drift or a jump."""


@dataclass(slots=True, kw_only=True)
class RtpStream:
    """The packets of one leg."""

    track: str
    codecs: Mapping[int, Codec]
    """By payload type."""
    other: Codec | None = None
    """For payload types that nobody named; None: they are left out."""
    encoding: str
    """In which the call is kept."""
    clock: CallClock
    counts: StreamCounts = field(default_factory=StreamCounts)
    _ssrc: int | None = None
    _left: tuple[int, ...] = ()
    _number: int = 1 << 16
    _timestamp: int = 0
    _begun: int = 0
    """The extended timestamp that is at `_begun_s`."""
    _begun_s: float = 0.0
    _seen: int = 0
    _quickest_s: float = 0.0
    _usual_s: float | None = None
    _far: int = 0
    _is_anew: bool = False

    def take(self, packet: RtpPacket, arrived_s: float) -> Sound | None:
        """The sound of a packet, or None where it has none that is wanted."""
        codec = self._codec_of(packet)
        data = codec.decoded(packet.payload, self.encoding) if codec else None
        if codec is None or not data or (self.encoding == "pcm_s16le" and len(data) % 2):
            self.counts.foreign += 1
            return None
        if packet.ssrc != self._ssrc and not self._change_source(packet, codec, arrived_s):
            return None
        number = self._number + _difference(packet.number, self._number, 16)
        timestamp = self._timestamp + _difference(packet.timestamp, self._timestamp, 32)
        at_s = self._begun_s + (timestamp - self._begun) / codec.rate_hz
        late_s = arrived_s - (self.clock.origin_s or 0.0) - at_s
        samples = len(data) // (2 if self.encoding == "pcm_s16le" else 1)
        if not self._is_steady(number, timestamp, samples, codec.rate_hz):
            by_s = self._jump(late_s)
            if by_s is None:
                return None
        else:
            by_s = self._drift(late_s)
        if by_s:
            self.counts.shifts += 1
            at_s = max(0.0, at_s + by_s)
            self._begun, self._begun_s = timestamp, at_s
        if number > self._number or by_s:
            self._number, self._timestamp = number, timestamp
        if at_s < 0:
            self.counts.early += 1
            return None
        return Sound(track=self.track, at_s=at_s, data=data, number=number)

    def rebase(self) -> None:
        """After a hold: where the next packet belongs is seen anew from its arrival."""
        self._is_anew = True

    def _codec_of(self, packet: RtpPacket) -> Codec | None:
        if packet.payload_type in self.codecs:
            return self.codecs[packet.payload_type]
        is_event = packet.payload_type > 95 and len(packet.payload) == 4  # RFC 4733: a key was pressed
        return None if is_event or packet.payload_type in _COMFORT_NOISE else self.other

    def _change_source(self, packet: RtpPacket, codec: Codec, arrived_s: float) -> bool:
        """A new source begins: another telephone, or the same one after a hold."""
        if packet.ssrc in self._left:
            self.counts.old += 1
            return False
        if self._ssrc is not None:
            self._left = (*self._left[-7:], self._ssrc)
        self.counts.sources += 1
        self._ssrc = packet.ssrc
        self._timestamp = self._begun = packet.timestamp
        self._number += 1_000 + _difference(packet.number, self._number + 1_000, 16)
        self._begun_s = self.clock.place(packet.timestamp, codec.rate_hz, arrived_s)
        self._usual_s, self._seen, self._far, self._is_anew = None, 0, 0, False
        return True

    def _is_steady(self, number: int, timestamp: int, samples: int, rate_hz: int) -> bool:
        """Whether the clock has run on as the packets were counted: then it is believed."""
        if self._is_anew:
            return False
        packets = number - self._number
        moved_s = (timestamp - self._timestamp - packets * samples) / rate_hz
        return abs(packets) <= _NEAR_PACKETS and abs(moved_s) < _NEAR_S

    def _jump(self, late_s: float) -> float | None:
        """By how much a clock is put right that has jumped; None where that is not believed yet."""
        off_s = late_s - (self._usual_s or 0.0)
        if not self._is_anew and abs(off_s) <= _FAR_S:  # silence was left out, and the clock knows it
            self._far = 0
            return 0.0
        self._far += 1
        if not self._is_anew and self._far <= _WITNESSES:
            self.counts.stray += 1
            return None
        self._is_anew, self._far, self._seen = False, 0, 0
        return off_s

    def _drift(self, late_s: float) -> float:
        """By how much the clock has moved against ours since it was looked at last."""
        self._far = 0
        self._quickest_s = min(self._quickest_s, late_s) if self._seen else late_s
        self._seen += 1
        if self._seen < _WINDOW:
            return 0.0
        self._seen = 0
        usual_s, drift_s = self._usual_s, self._quickest_s - (self._usual_s or 0.0)
        if usual_s is None or abs(drift_s) > _NEAR_S:  # packets were held up for long, and all alike
            self._usual_s = self._quickest_s
            return 0.0
        return drift_s if abs(drift_s) > _DRIFT_S else 0.0


def _difference(value: int, of: int, bits: int) -> int:
    """The way from one number to another on a circle, the short way round."""
    half = 1 << (bits - 1)
    return ((value - of + half) & ((1 << bits) - 1)) - half
