"""The packets of Asterisk's AudioSocket protocol.

In: bytes as TCP brings them, split and joined anywhere. Out: frozen packets; also packets as bytes.
Not known here: sockets, calls, which leg a line is.

A packet is a kind (1 byte), the length of its payload (16 bits, network order) and the payload
(Asterisk's documentation, "AudioSocket"). At most one packet, 65,538 bytes, is held back.
"""

import struct
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from calls.ingest.messages import BadMessage

HANG_UP, IDENTITY, DIGIT, FAILED = 0x00, 0x01, 0x03, 0xFF
RATES_HZ = {
    0x10: 8_000,
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x15: 44_100,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
"""Kinds of packets with linear 16-bit samples, little-endian, one channel, and their rates."""

CALLER_LEFT = 0x01
"""The error by which Asterisk says that the calling party has hung up."""

_HEADER = struct.Struct(">BH")
_KINDS = {rate_hz: kind for kind, rate_hz in RATES_HZ.items()}


@dataclass(frozen=True, slots=True)
class HungUp:
    """The line is over."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which line this is; the first packet."""

    uuid: UUID


@dataclass(frozen=True, slots=True)
class Digit:
    """A key was pressed."""

    digit: str


@dataclass(frozen=True, slots=True)
class Pcm:
    """Sound."""

    rate_hz: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The other side met an error; -1 where it gives no code."""

    code: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A kind that nobody has described yet; it is passed over."""

    kind: int


Packet: TypeAlias = HungUp | Identity | Digit | Pcm | Failed | Unknown


class PacketReader:
    """Reads one connection."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._has_begun = False

    def read(self, data: bytes) -> list[Packet]:
        """Every packet that is complete. Raises `BadMessage` where one cannot be, or the first is no UUID."""
        self._held += data
        packets: list[Packet] = []
        at = 0
        while len(self._held) - at >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._held, at)
            if not self._has_begun and (kind, length) != (IDENTITY, 16):
                raise BadMessage("第一个包必须是 UUID。", code="call.not_started")
            self._has_begun = True
            end = at + _HEADER.size + length
            if len(self._held) < end:
                break
            packets.append(_packet_of(kind, bytes(self._held[at + _HEADER.size : end])))
            at = end
        del self._held[:at]
        return packets


def _packet_of(kind: int, payload: bytes) -> Packet:
    if kind == HANG_UP:
        return HungUp()
    if kind == IDENTITY:
        if len(payload) != 16:
            raise BadMessage(f"UUID 应为 16 字节，收到 {len(payload)} 字节。")
        return Identity(UUID(bytes=payload))
    if kind == DIGIT:
        return Digit(payload[:1].decode("ascii", "replace"))
    if kind == FAILED:
        return Failed(int.from_bytes(payload[:8]) if payload else -1)
    if (rate_hz := RATES_HZ.get(kind)) is not None:
        if len(payload) % 2:
            raise BadMessage("声音包的长度不是整数个 16 位样点。")
        return Pcm(rate_hz, payload)
    return Unknown(kind)


def hang_up_packet() -> bytes:
    """Said by whoever ends the line."""
    return _HEADER.pack(HANG_UP, 0)


def identity_packet(uuid: UUID) -> bytes:
    """The first packet of a line."""
    return _HEADER.pack(IDENTITY, 16) + uuid.bytes


def digit_packet(digit: str) -> bytes:
    """A pressed key."""
    return _HEADER.pack(DIGIT, 1) + digit.encode("ascii")


def sound_packet(rate_hz: int, data: bytes) -> bytes:
    """Sound of whole samples, 65,535 bytes at most. Raises `KeyError` at a rate that has no kind."""
    return _HEADER.pack(_KINDS[rate_hz], len(data)) + data


def failed_packet(code: int) -> bytes:
    """An error with its code, one byte."""
    return _HEADER.pack(FAILED, 1) + bytes([code])
