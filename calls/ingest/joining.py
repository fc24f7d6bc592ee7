"""Lays the legs of one call beside each other that come over lines of their own and carry no clock.

In: samples of one leg or the other, in their order. Out: whole samples of every leg, interleaved; silence
where a leg has nothing.
Not known here: sockets, protocols, clocks.

What counts is the sound itself: a leg goes on where it stopped. The slower leg is waited for until the other
is `patience_s` ahead of it, then it is silent. A leg that comes back after that, or joins in the middle, is
laid beside the newest sound of the other. Nothing is ever dropped: where a network holds sound back and then
brings it all at once, the legs are up to that much longer than the time that passed.
Bound: `patience_s` of sound and one packet.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class _Leg:
    ready: bytearray = field(default_factory=bytearray)
    is_waited_for: bool = True
    silent: int = 0
    """Samples of silence since it last brought anything."""


class Joining:
    """The legs of one call; samples are 16-bit."""

    def __init__(self, *, legs: int, rate_hz: int, patience_s: float = 0.4):
        self._patience = round(patience_s * rate_hz)
        self._legs = [_Leg() for _ in range(legs)]

    def put(self, leg: int, data: bytes) -> bytes:
        """Take whole samples of a leg; returns what is complete now."""
        lane = self._legs[leg]
        lane.is_waited_for = True
        if data:
            if not lane.ready and lane.silent >= self._patience:
                self._line_up(lane, len(data) // 2)
            lane.ready += data
            lane.silent = 0
        return self._release()

    def leave(self, leg: int) -> bytes:
        """The line of that leg is gone: it is not waited for until it brings something again."""
        self._legs[leg].is_waited_for = False
        return self._release()

    def flush(self) -> bytes:
        """All that is held back: nothing more will come."""
        return self._take(max(_samples(lane) for lane in self._legs))

    def _line_up(self, lane: _Leg, coming: int) -> None:
        """What comes now ends where the newest sound of the others ends."""
        newest = max(_samples(other) for other in self._legs)
        lane.ready += bytes(2 * max(0, newest - coming))

    def _release(self) -> bytes:
        longest = max(_samples(lane) for lane in self._legs)
        complete = min((_samples(lane) for lane in self._legs if lane.is_waited_for), default=longest)
        return self._take(max(complete, longest - self._patience))

    def _take(self, samples: int) -> bytes:
        parts = []
        for lane in self._legs:
            part = bytes(lane.ready[: 2 * samples])
            del lane.ready[: 2 * samples]
            if (missing := samples - len(part) // 2) > 0:
                lane.silent += missing
                part += bytes(2 * missing)
            parts.append(np.frombuffer(part, "<i2"))
        return np.stack(parts, axis=1).tobytes() if samples else b""


def _samples(lane: _Leg) -> int:
    return len(lane.ready) // 2
