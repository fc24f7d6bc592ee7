"""Screens that remember all they were ever shown, and people who write notes at them.

In: an address, streams. Out: what was seen: each numbered event, and each final of each snapshot.
Not known here: who kills, what is on record.
"""

import asyncio
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from scripts.kills.callers import AGAIN_S, GONE

_NOTES_EACH_S = 0.4


@dataclass(slots=True)
class Seen:
    """All that any screen was shown."""

    events: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    """By stream and number."""
    finals: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """By call and segment, out of snapshots."""
    snapshots: int = 0
    faults: list[str] = field(default_factory=list)

    def take(self, stream: str, since: int, event: dict[str, Any]) -> int:
        """Remember one event; returns the number up to which the stream is known."""
        seq = event["seq"]
        if event["type"] == "snapshot":
            self.snapshots += 1
            if seq < since:
                self.faults.append(f"{stream}: was at {since}, a snapshot goes back to {seq}")
            for segment in event.get("segments", ()):
                self._take_final(segment)
            return int(seq)
        if seq is None:
            return since
        if seq != since + 1:
            self.faults.append(f"{stream}: {seq} came after {since}")
        before = self.events.setdefault((stream, seq), event)
        if before != event:
            self.faults.append(f"{stream}: {seq} was {before['type']} and is {event['type']} now, or changed")
        return int(seq)

    def _take_final(self, segment: dict[str, Any]) -> None:
        key = (segment["call_id"], segment["segment_id"])
        if self.finals.setdefault(key, segment) != segment:
            self.faults.append(f"{key[0]}: {key[1]} has changed")


async def follow(
    address: str,
    path: str,
    stream: str,
    seen: Seen,
    *,
    notes: Random | None = None,
    token: str | None = None,
    seat: str | None = None,
) -> None:
    """Look on until cancelled; `notes`: somebody writes notes about the call, at times of its own.

    `seat` is the address of this machine from which it is looked.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else None
    source: dict[str, Any] = {"local_addr": (seat, 0)} if seat else {}
    since: int | None = None
    while True:
        try:
            where = f"{address.replace('http', 'ws')}{path}" + ("" if since is None else f"?since={since}")
            async with connect(
                where,
                additional_headers=headers,
                compression=None,
                proxy=None,
                open_timeout=20,
                max_size=None,
                **source,
            ) as screen:
                writing = asyncio.create_task(_write_notes(screen, notes)) if notes else None
                try:
                    async for text in screen:
                        since = seen.take(stream, since or 0, json.loads(text))
                finally:
                    if writing is not None:
                        writing.cancel()
        except GONE:
            pass
        await asyncio.sleep(AGAIN_S)


async def _write_notes(screen: ClientConnection, chance: Random) -> None:
    while True:
        await asyncio.sleep(chance.expovariate(1 / _NOTES_EACH_S))
        note = {"type": "note.write", "note_id": f"n-{chance.randrange(20)}", "text": f"记{chance.random()}"}
        try:
            await screen.send(json.dumps(note))
        except GONE:
            return
