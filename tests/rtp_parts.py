"""RTP as another party writes it, and what a bad network does to it; nothing here is the server's code."""

import asyncio
import random
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

SAMPLES = 160
"""Of a packet: 20 ms at 8 kHz."""
SILENCE = b"\xd5"
"""A sample of it in A-law."""


def codes(seed: int, seconds: float) -> bytes:
    """A-law without any silence, so that what is kept shows where each sample came from."""
    values = np.random.default_rng(seed).integers(0, 256, round(seconds * 8_000)).astype(np.uint8)
    values[values == SILENCE[0]] = 0x2A
    return values.tobytes()


class Leg:
    """One stream; those of one seed run on one clock."""

    def __init__(self, port: int, sound: bytes, *, seed: int = 1):
        self.port = port
        self.sound = sound
        self._rng = random.Random(seed)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.change_source()

    def change_source(self) -> None:
        """Another device speaks: identifier, counters and port are new."""
        self._ssrc = self._rng.getrandbits(31) + self.port
        self._number = self._rng.getrandbits(16)
        self._timestamp = self._rng.getrandbits(32)
        self.change_port()

    def change_port(self) -> None:
        """The same stream from another port."""
        self._socket.close()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    @property
    def count(self) -> int:
        """Packets in all."""
        return len(self.sound) // SAMPLES

    def datagram(self, n: int) -> bytes:
        """The packet that begins `n` times 20 ms after the first one."""
        number = (self._number + n) & 0xFFFF
        timestamp = (self._timestamp + n * SAMPLES) & 0xFFFFFFFF
        head = struct.pack("!BBHII", 0x80, 8, number, timestamp, self._ssrc)
        return head + self.sound[n * SAMPLES : (n + 1) * SAMPLES]

    def send(self, n: int) -> None:
        """Send one packet."""
        self._socket.sendto(self.datagram(n), ("127.0.0.1", self.port))

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


@contextmanager
def speaking(ports: Iterable[int], seconds: float) -> Iterator[list[Leg]]:
    """A stream to each port."""
    legs = [Leg(port, codes(port, seconds)) for port in ports]
    try:
        yield legs
    finally:
        for leg in legs:
            leg.close()


async def send(legs: Sequence[Leg], order: Iterable[tuple[int, int]]) -> None:
    """Send packets, each as (leg, number). Each is read before the next one is sent: none overtakes another.

    Only the first ones of both legs arrive together, so that the server sees that they are of one clock.
    """
    for place, (leg, n) in enumerate(order):
        legs[leg].send(n)
        if place:
            await asyncio.sleep(0)


def in_order(
    legs: Sequence[Leg], first_s: float = 0.0, until_s: float | None = None
) -> list[tuple[int, int]]:
    """Every packet of that time, leg by leg."""
    last = legs[0].count if until_s is None else round(until_s * 50)
    return [(leg, n) for n in range(round(first_s * 50), last) for leg in range(len(legs))]


def hurt(
    packets: Sequence[tuple[int, int]], *, seed: int
) -> tuple[list[tuple[int, int]], set[tuple[int, int]]]:
    """The packets as a bad network brings them, and those that are of no use.

    5 % are lost, 3 % come half a second and more too late, 5 % come twice; the others are held up by up to
    160 ms, so that they overtake each other. The first 5 and the last 50 packets of a leg come through.
    """
    rng = random.Random(seed)
    last = max(n for _, n in packets)
    comes: list[tuple[float, int, int]] = []
    useless: set[tuple[int, int]] = set()
    for leg, n in packets:
        fate = rng.random() if 5 <= n <= last - 50 else 1.0
        at = n + (rng.uniform(0, 8) if 5 <= n <= last - 50 else 0.0)
        if fate < 0.08:
            useless.add((leg, n))
        if fate < 0.05:
            continue
        comes.append((at + 30 if fate < 0.08 else at, leg, n))
        if 0.08 <= fate < 0.13:
            comes.append((at + rng.uniform(0, 3), leg, n))
    return [(leg, n) for _, leg, n in sorted(comes)], useless


def kept_of(spool: bytes, legs: int) -> list[bytes]:
    """What was kept of each leg, without the silence before and after it."""
    return [spool[leg::legs].strip(SILENCE) for leg in range(legs)]


def without(sound: bytes, leg: int, useless: set[tuple[int, int]]) -> bytes:
    """The sound with silence in place of packets that are of no use."""
    left = bytearray(sound)
    for one, n in useless:
        if one == leg:
            left[n * SAMPLES : (n + 1) * SAMPLES] = SILENCE * SAMPLES
    return bytes(left)
