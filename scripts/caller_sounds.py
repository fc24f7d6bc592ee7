"""A recording as a carrier would send it: its rate, its encoding, its packets, and what networks do to them.

In: a recording. Out: packets with the moments at which they leave; the same seed hurts the same packets.
Not known here: protocols, sockets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import soxr
from numpy.typing import NDArray

from asr.decode import linear_pcm
from scripts.replay import Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """What a network does to packets."""

    loss: float = 0.0
    """Share of packets that never arrive."""
    duplicate: float = 0.0
    """Share that arrives twice."""
    late: float = 0.0
    """Share that arrives half a second after its time."""
    reorder_ms: float = 0.0
    """Each packet is held up by chance, up to so long."""
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A piece of one channel's sound."""

    channel: int
    number: int
    at_s: float
    """Where in the recording it begins."""
    leaves_s: float
    """When it is sent, counted from the beginning of the recording."""
    data: bytes


def at_rate(recording: Recording, rate_hz: int) -> Recording:
    """The recording at another rate."""
    if recording.rate_hz == rate_hz:
        return recording
    samples = soxr.resample(recording.samples, recording.rate_hz, rate_hz)
    return replace(recording, samples=samples, rate_hz=rate_hz)


def encoded(samples: NDArray[np.int16], encoding: str) -> bytes:
    """Samples in that encoding; G.711 takes the code whose sound is nearest."""
    if encoding == "pcm_s16le":
        return np.ascontiguousarray(samples, "<i2").tobytes()
    levels = np.frombuffer(linear_pcm(encoding, bytes(range(256))), "<i2").astype(np.int32)
    order = np.argsort(levels, kind="stable")
    between = (levels[order][1:] + levels[order][:-1]) / 2
    return bytes(order[np.searchsorted(between, samples)].astype(np.uint8).tobytes())


def packets_of(recording: Recording, *, encoding: str, packet_s: float = 0.02) -> list[Packet]:
    """Every channel in packets, in the order of their sound; the last ones are filled up with silence."""
    size = round(packet_s * recording.rate_hz)
    count = -(-len(recording.samples) // size)
    padded = np.zeros((count * size, recording.samples.shape[1]), np.int16)
    padded[: len(recording.samples)] = recording.samples
    return [
        Packet(
            channel=channel,
            number=number,
            at_s=number * size / recording.rate_hz,
            leaves_s=(number + 1) * size / recording.rate_hz,
            data=encoded(padded[number * size : (number + 1) * size, channel], encoding),
        )
        for number in range(count)
        for channel in range(padded.shape[1])
    ]


def impaired(packets: Sequence[Packet], impairment: Impairment) -> list[Packet]:
    """The packets as they come out of a network, in the order in which they do."""
    rng = np.random.default_rng(impairment.seed)
    out: list[Packet] = []
    for packet in packets:
        lost, twice, late, held = rng.random(4)
        if lost < impairment.loss:
            continue
        delay_s = held * impairment.reorder_ms / 1000 + (0.5 if late < impairment.late else 0.0)
        out.append(replace(packet, leaves_s=packet.leaves_s + delay_s))
        if twice < impairment.duplicate:
            out.append(replace(packet, leaves_s=packet.leaves_s + delay_s + 0.03))
    return sorted(out, key=lambda packet: packet.leaves_s)
