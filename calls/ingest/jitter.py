"""Puts the packets of a stream in order of media time, leg by leg, and fills what never came.

In: packets with the moment at which their sound begins, in any order. Out: stretches of interleaved sound
without gaps, and long stretches that are missing on every leg.
Not known here: sockets, protocols, encodings beyond the bytes of a sample, wall clocks.

Bound: `delay_s` of sound behind the newest packet. Where every leg is complete nothing is held back; a hole
is waited for until the newest packet is that far ahead, then it becomes silence. What comes later is dropped
and counted. Ordering by media time with a window, and believing a jump of the clock only after several
packets in a row, are the ways of RTP receivers (RFC 3550, A.1).
"""

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class JitterOptions:
    """How long packets are waited for, and how far a clock is believed."""

    delay_s: float = 0.2
    """Seconds by which a packet may come after a later one."""
    slack_s: float = 0.002
    """A packet that begins so near to the end of the one before follows it: clocks are rounded."""
    loose_s: float = 0.06
    """The same for packets whose numbers follow each other: some carriers stamp by the clock on the wall."""
    gap_s: float = 0.5
    """From here on sound that is missing on every leg is a gap, not silence."""
    jump_s: float = 2.0
    """A packet further away than this is believed only with others beside it."""
    max_gap_s: float = 900.0
    """The longest gap; a clock that goes on further ahead has been set anew."""
    witnesses: int = 3
    """Packets in a row that prove a jump of the clock."""

    def __post_init__(self) -> None:
        if (
            not 0
            < self.slack_s
            <= self.loose_s
            <= self.delay_s
            <= self.gap_s
            <= self.jump_s
            <= self.max_gap_s
        ):
            raise ValueError("slack_s, loose_s, delay_s, gap_s, jump_s and max_gap_s must be in that order")


@dataclass(frozen=True, slots=True)
class Heard:
    """Sound that is complete: whole samples of every leg, interleaved."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Missing:
    """Time during which no leg brought anything."""

    seconds: float


Stretch = Heard | Missing


@dataclass(slots=True, kw_only=True)
class JitterCounts:
    """What a stream was like."""

    packets: int = 0
    reordered: int = 0
    """Came after a later one and still in time."""
    duplicate: int = 0
    late: int = 0
    """Came when their place was already given to silence."""
    stray: int = 0
    """Far from all others, and alone."""
    jumps: int = 0
    """The clock was set anew."""
    filled_s: float = 0.0
    """Silence in place of what never came, summed over the legs."""
    missing_s: float = 0.0


@dataclass(frozen=True, slots=True, order=True)
class _Packet:
    at: int
    number: int
    data: bytes = field(compare=False)


@dataclass(slots=True)
class _Leg:
    """What one party said, as far as it is known."""

    end: int = 0
    """Up to here everything is placed, in samples."""
    latest: int = 0
    """The beginning of the packet that is furthest on."""
    ready: bytearray = field(default_factory=bytearray)
    waiting: list[_Packet] = field(default_factory=list)
    last_number: int = -2
    placed: deque[int] = field(default_factory=lambda: deque(maxlen=128))
    """Where the packets placed last said they begin."""


class Jitter:
    """One stream of one or more legs that share a clock."""

    def __init__(
        self,
        *,
        legs: int,
        rate_hz: int,
        silence: bytes,
        options: JitterOptions | None = None,
    ):
        """`silence` is one sample of it."""
        options = options or JitterOptions()
        self.counts = JitterCounts()
        self._rate_hz = rate_hz
        self._silence = silence
        self._options = options
        self._delay = round(options.delay_s * rate_hz)
        self._slack = round(options.slack_s * rate_hz)
        self._loose = round(options.loose_s * rate_hz)
        self._gap = round(options.gap_s * rate_hz)
        self._jump = round(options.jump_s * rate_hz)
        self._max_gap = round(options.max_gap_s * rate_hz)
        self._legs = [_Leg() for _ in range(legs)]
        self._origin: int | None = None
        """The clock's reading at the stream's beginning."""
        self._newest = 0
        self._suspects: list[tuple[int, _Packet]] = []

    def put(self, leg: int, at_s: float, data: bytes, number: int = -1) -> list[Stretch]:
        """Take a packet of whole samples that begins at `at_s` on the carrier's clock.

        `number` counts the packets of a leg, where the protocol does; -1 where it does not.
        """
        if not data:
            return []
        self.counts.packets += 1
        at = round(at_s * self._rate_hz)
        if self._origin is None:
            # A clock that has just begun tells what is missing before the first packet.
            self._origin = 0 if 0 <= at <= self._rate_hz else at
        packet = _Packet(at - self._origin, number, data)
        if self._is_far(packet.at):
            return list(self._suspect(leg, packet))
        self._forget_suspects()
        return list(self._take(leg, packet))

    def flush(self) -> list[Stretch]:
        """All that is held back: nothing more will come."""
        self._forget_suspects()
        return list(self._release(self._newest))

    def _samples(self, data: bytes) -> int:
        return len(data) // len(self._silence)

    def _is_far(self, at: int) -> bool:
        return abs(at - self._newest) > self._jump

    def _suspect(self, leg: int, packet: _Packet) -> Iterator[Stretch]:
        """A packet from elsewhere in time: an error, or the clock has jumped and more will follow."""
        if self._suspects and abs(packet.at - self._suspects[-1][1].at) > self._jump:
            self._forget_suspects()
        self._suspects.append((leg, packet))
        if len(self._suspects) < self._options.witnesses:
            return
        suspects, self._suspects = self._suspects, []
        first = min(one.at for _, one in suspects)
        yield from self._release(self._newest)
        if 0 < first - self._newest <= self._max_gap:
            moved = 0
        else:
            self.counts.jumps += 1
            moved = self._newest - first
            self._origin = (self._origin or 0) - moved
        for one_leg, one in suspects:
            yield from self._take(one_leg, _Packet(one.at + moved, one.number, one.data))

    def _forget_suspects(self) -> None:
        self.counts.stray += len(self._suspects)
        self._suspects.clear()

    def _take(self, leg: int, packet: _Packet) -> Iterator[Stretch]:
        lane = self._legs[leg]
        end = packet.at + self._samples(packet.data)
        if packet.at - self._newest >= self._gap:
            yield from self._release(self._newest)
            yield self._leave_out(packet.at)
        if packet.at in lane.placed or any(one.at == packet.at for one in lane.waiting):
            self.counts.duplicate += 1
            return
        if end <= lane.end:
            self.counts.late += 1
            return
        if packet.at < lane.latest:
            self.counts.reordered += 1
        lane.latest = max(lane.latest, packet.at)
        heapq.heappush(lane.waiting, packet)
        self._newest = max(self._newest, end)
        self._place(lane)
        yield from self._release(self._newest - self._delay)

    def _leave_out(self, until: int) -> Missing:
        """Time that is missing on every leg; all was released before."""
        missing_s = (until - self._newest) / self._rate_hz
        self.counts.missing_s += missing_s
        self._newest = until
        for lane in self._legs:
            lane.end = lane.latest = until
        return Missing(missing_s)

    def _place(self, lane: _Leg) -> None:
        """Take from what waits as long as it follows."""
        while lane.waiting:
            packet = lane.waiting[0]
            is_next = packet.number >= 0 and packet.number == lane.last_number + 1
            slack = self._loose if is_next else self._slack
            if packet.at - lane.end > slack:
                return
            heapq.heappop(lane.waiting)
            data = packet.data
            if (overlap := lane.end - packet.at) > slack:
                data = data[overlap * len(self._silence) :]
            lane.ready += data
            lane.end += self._samples(data)
            self._newest = max(self._newest, lane.end)
            lane.last_number = packet.number
            lane.placed.append(packet.at)

    def _release(self, until: int) -> Iterator[Stretch]:
        """Give out what is complete on every leg; before `until` what is missing becomes silence."""
        for lane in self._legs:
            while lane.end < until:
                hole_ends = min(lane.waiting[0].at, until) if lane.waiting else until
                self._fill(lane, hole_ends)
                self._place(lane)
        width = len(self._silence)
        size = min(len(lane.ready) for lane in self._legs)
        if not size:
            return
        parts = [bytes(lane.ready[:size]) for lane in self._legs]
        for lane in self._legs:
            del lane.ready[:size]
        if len(parts) == 1:
            yield Heard(parts[0])
            return
        samples = [np.frombuffer(part, dtype=f"V{width}") for part in parts]
        yield Heard(np.stack(samples, axis=1).tobytes())

    def _fill(self, lane: _Leg, until: int) -> None:
        missing = until - lane.end
        if missing <= 0:
            return
        lane.ready += self._silence * missing
        lane.end = until
        self.counts.filled_s += missing / self._rate_hz
