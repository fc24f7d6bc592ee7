"""Plays calls into a server as live lines do, and keeps what the screens were sent.

In: recordings made ready beforehand, a server's address, how long to play.
Out: `PlayedCall`s with every text and the time at which it arrived; refusals in the server's own words.
Not known here: figures, the server's process. Light on purpose: it shares the machine with what it measures.
"""

import asyncio
import itertools
import json
import random
import secrets
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from asr.recordings import file_to_pcm
from asr.types import Party
from scripts import callers
from scripts.bench_figures import PlayedCall, Shown, Span, audible
from scripts.call_data import ReferenceCall, with_recordings
from scripts.replay import Recording, ReplayFailed
from scripts.simulate_caller import PROTOCOLS

BLOCK_S = 0.1
_AFTERWARDS_S = 60.0
"""How long the last texts of a call are waited for."""
_STAGGERED_OVER_S = 8.0
_WORTHWHILE_S = 0.5  # shorter rests of the run are not worth a call
_ASKS_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A recording cut into the messages of a live line."""

    reference: ReferenceCall
    rate_hz: int
    blocks: list[bytes]
    speech: dict[Party, list[Span]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be played."""

    server: str
    token: str | None
    calls: int
    seconds: float
    has_churn: bool = False
    """Whether calls have pauses between them, are hung up at any time, and sometimes vanish."""
    carrier: str | None = None
    """Protocol in which the calls come, as of `zhiting simulate-caller`; None: our own."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    played: list[PlayedCall] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    """What the server said, as `code: message`."""
    unserved_lines: int = 0
    """Lines that never got a call in."""
    vanished: int = 0
    """Calls whose line was cut on purpose."""
    broken: list[str] = field(default_factory=list)
    """Calls that ended in a way that nobody wanted."""
    late_s: float = 0.0
    """The most that a block of sound was sent too late: beyond a few hundredths the figures are worse than
    the server."""


def read_tracks(calls: Sequence[ReferenceCall]) -> list[Track]:
    """Make recordings ready. Raises `BadData`, `BadAudio`."""
    tracks = []
    for call, path in with_recordings(calls):
        pcm = file_to_pcm(path)
        step = round(BLOCK_S * pcm.sample_rate_hz)
        tracks.append(
            Track(
                reference=call,
                rate_hz=pcm.sample_rate_hz,
                blocks=[
                    np.ascontiguousarray(pcm.samples[at : at + step], "<i2").tobytes()
                    for at in range(0, len(pcm.samples), step)
                ],
                speech={
                    party: audible(
                        pcm.samples[:, channel],
                        pcm.sample_rate_hz,
                        [turn for turn in call.turns if turn.party is party],
                    )
                    for channel, party in enumerate(call.parties)
                },
            )
        )
    return tracks


async def play(tracks: Sequence[Track], plan: Plan) -> Outcome:
    """Keep `plan.calls` lines busy until the time is over; refused ones ask again every few seconds."""
    outcome = Outcome()
    until = asyncio.get_running_loop().time() + plan.seconds
    async with asyncio.TaskGroup() as lines:
        for number in range(plan.calls):
            # each line takes every n-th recording, so that no two play the same one at the same time
            order = itertools.cycle(
                [tracks[at % len(tracks)] for at in _every(number, plan.calls, len(tracks))]
            )
            lines.create_task(_line(number, order, plan, until, outcome))
    return outcome


def _every(first: int, step: int, count: int) -> range:
    return range(first, first + step * count, step)


async def _line(number: int, order: Iterator[Track], plan: Plan, until: float, outcome: Outcome) -> None:
    loop = asyncio.get_running_loop()
    chance = random.Random(number)  # noqa: S311 - repeatable
    await asyncio.sleep(_STAGGERED_OVER_S * number / plan.calls)
    has_served = False
    for track in order:
        if until - loop.time() < _WORTHWHILE_S:
            break
        own_id = f"bench-{number}-{secrets.token_hex(4)}"
        call = _Call(track, plan, str(uuid.uuid4()) if plan.carrier else own_id)
        whole_s = len(track.blocks) * BLOCK_S
        wanted_s = whole_s * chance.uniform(0.1, 1.0) if plan.has_churn else whole_s
        seconds = min(wanted_s, until - loop.time())
        vanishes = plan.has_churn and chance.random() < 0.05
        try:
            refusal = await call.run(seconds, vanishes=vanishes)
        except (ConnectionClosed, OSError, TimeoutError) as error:
            outcome.broken.append(f"{call.call_id}: {error!r}")
            continue
        outcome.late_s = max(outcome.late_s, call.late_s)
        if refusal is not None:
            outcome.refusals.append(refusal)
            await asyncio.sleep(min(_ASKS_AGAIN_S, max(0.0, until - loop.time())))
            continue
        has_served = True
        if vanishes:
            outcome.vanished += 1
        else:
            outcome.played.append(call.as_played())
        if plan.has_churn:
            await asyncio.sleep(min(chance.uniform(0.0, 5.0), max(0.0, until - loop.time())))
    outcome.unserved_lines += not has_served


class _Call:
    """One call: its line, its screen, and what that was sent."""

    def __init__(self, track: Track, plan: Plan, call_id: str) -> None:
        self.call_id = call_id
        self.late_s = 0.0
        self._track = track
        self._plan = plan
        self._address = plan.server.rstrip("/").replace("http", "ws", 1)
        self._headers = {"Authorization": f"Bearer {plan.token}"} if plan.token else None
        self._began = 0.0
        self._played_s = 0.0
        self._events: list[tuple[float, str]] = []

    async def run(self, seconds: float, *, vanishes: bool) -> str | None:
        """Play so much of the track; returns the server's words where it refuses the call."""
        if self._plan.carrier is not None:
            return await self._run_as(self._plan.carrier, seconds)
        async with self._socket("/v1/calls/audio") as line:
            await line.send(json.dumps(self._start()))
            answer = json.loads(await line.recv())
            if answer["type"] == "error":
                return f"{answer['code']}: {answer['message']}"
            async with self._socket(f"/v1/screens/calls/{self.call_id}") as screen:
                self._began = asyncio.get_running_loop().time()
                watching = asyncio.create_task(self._watch(screen))
                try:
                    await self._send(line, seconds)
                    if vanishes:
                        line.transport.abort()
                        return None
                    await line.send('{"type":"stop"}')
                    async with asyncio.timeout(_AFTERWARDS_S):
                        await line.recv()
                        await watching
                finally:
                    watching.cancel()
        return None

    async def _run_as(self, carrier: str, seconds: float) -> str | None:
        """The same in the protocol of a telephone system, whose screen is open before the call is there."""
        loop = asyncio.get_running_loop()
        parties = self._track.reference.parties
        blocks = b"".join(self._track.blocks[: int(seconds / BLOCK_S)])
        samples = np.frombuffer(blocks, "<i2").reshape(-1, len(parties))
        recording = Recording(
            name=self.call_id, rate_hz=self._track.rate_hz, channels=tuple(parties), samples=samples
        )

        def sent(media_s: float) -> None:
            # What left soonest tells when the call's clock began to run.
            began = loop.time() - media_s
            self.late_s = max(self.late_s, began - self._began) if self._played_s else 0.0
            self._began = min(self._began, began) if self._played_s else began
            self._played_s = media_s

        plan = callers.Plan(
            carrier=carrier,
            server=self._plan.server,
            token=self._plan.token,
            key=self.call_id,
            on_progress=sent,
        )
        async with self._socket(f"/v1/screens/calls/{self.call_id}") as screen:
            watching = asyncio.create_task(self._watch(screen))
            try:
                await PROTOCOLS[carrier](recording, plan)
                async with asyncio.timeout(_AFTERWARDS_S):
                    await watching
            except ReplayFailed as error:
                return str(error)
            finally:
                watching.cancel()
        self._played_s = recording.seconds
        return None

    def as_played(self) -> PlayedCall:
        """Read what was kept; done afterwards, so that reading does not delay the playing."""
        shown: list[Shown] = []
        dropped_s = 0.0
        for at_s, text in self._events:
            event = json.loads(text)
            if event["type"] == "segment.shown":
                shown.append(_shown(at_s - self._began, event["segment"]))
            elif event["type"] == "snapshot":
                segments = event["segments"] + event["partials"]
                shown += [_shown(at_s - self._began, segment) for segment in segments]
            elif event["type"] == "call.degraded" and event["code"] == "asr.audio_dropped":
                dropped_s += event["seconds"]
        return PlayedCall(
            reference=self._track.reference,
            speech=self._track.speech,
            played_s=self._played_s,
            shown=shown,
            dropped_s=dropped_s,
            call_id=self.call_id,
            began_s=self._began,
        )

    def _socket(self, path: str) -> connect:
        return connect(self._address + path, additional_headers=self._headers, compression=None)

    def _start(self) -> dict[str, Any]:
        return {
            "type": "start",
            "encoding": "pcm_s16le",
            "sample_rate": self._track.rate_hz,
            "channels": self._track.reference.parties,
            "call_id": self.call_id,
        }

    async def _send(self, line: ClientConnection, seconds: float) -> None:
        """Send each block when its last sample has been spoken, not before: a live line cannot look ahead."""
        loop = asyncio.get_running_loop()
        for number, block in enumerate(self._track.blocks[: int(seconds / BLOCK_S)], 1):
            wait_s = self._began + number * BLOCK_S - loop.time()
            self.late_s = max(self.late_s, -wait_s)
            await asyncio.sleep(max(0.0, wait_s))
            await line.send(block)
            self._played_s = number * BLOCK_S

    async def _watch(self, screen: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        async for text in screen:
            assert isinstance(text, str)
            self._events.append((loop.time(), text))
            if '"type":"call.ended"' in text:
                return


def _shown(at_s: float, segment: dict[str, Any]) -> Shown:
    return Shown(
        at_s=at_s,
        segment_id=segment["segment_id"],
        party=Party(segment["party"]),
        start_s=segment["start_s"],
        end_s=segment["end_s"],
        text=segment["text"],
        is_final=segment["is_final"],
    )
