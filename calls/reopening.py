"""Opens what a call needs to go on: its line over its spool, and what is on record of it.

In: the records, the folder of spools. Out: lines, calls as they stand.
Not known here: which calls run, sessions, timers. The functions that are not awaited block.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from calls.line import Line, LineOptions
from calls.notices import audio_dropped
from calls.records import Records
from calls.resumption import Resumption
from calls.session import Session
from calls.spool import detach, quiet_s, spool_path
from calls.tape import Tapes
from calls.types import AudioFormat, Call, CallState, Fact, StorageFailed, Stream, UnknownCall
from calls.view import CallView


@dataclass(slots=True, kw_only=True)
class Place:
    """A running call, and who holds its line."""

    session: Session
    audio_format: AudioFormat
    task: asyncio.Task[None]
    is_held: bool = True
    is_paused: bool = False
    last_fed_s: float
    """By a clock that nobody sets."""
    giving_up: asyncio.TimerHandle | None = None


def see_it_is_open(records: Records, call_id: str) -> None:
    """Raise `UnknownCall` where there is no such call, or it is over."""
    call = records.call(call_id)
    if call is None or call.state is CallState.ENDED:
        raise UnknownCall(f"没有可以恢复的通话 {call_id}。")


def read_back(records: Records, call_id: str) -> tuple[Call, AudioFormat, CallView]:
    """A call that was cut off, as it is on record. Raises `UnknownCall`, `StorageFailed`."""
    call, audio_format = records.call(call_id), records.audio_format(call_id)
    if call is None or audio_format is None or call.state is CallState.ENDED:
        raise UnknownCall(f"没有可以恢复的通话 {call_id}。")
    if call.state is not CallState.INTERRUPTED:
        raise StorageFailed("上一次中断还没有写入磁盘，请稍后重试。")
    return call, audio_format, records.view(Stream.call(call_id))


def take_sound(records: Records, folder: Path, call_id: str, now: datetime, *, others: bool) -> float:
    """See how long ago sound came last: as the spool says, or where that lies elsewhere, the last final.

    With `others` the spool becomes a file of its own: a process that had the call, and wakes up, writes into
    the old one. Raises `StorageFailed`.
    """
    path = spool_path(folder, call_id)
    if path.exists():
        away_s = quiet_s(path, now)
        if others:
            detach(path)
        return away_s
    at = records.last_final_at(call_id)
    return max(0.0, (now - at).total_seconds()) if at is not None else 0.0


async def open_line(
    call: Call,
    audio_format: AudioFormat,
    resumption: Resumption,
    *,
    tapes: Tapes,
    options: LineOptions,
    record: Callable[[Fact], Awaitable[None]],
) -> Line:
    """The line of a call over its spool; sound that lies with another process is silence here.

    Raises `StorageFailed`.
    """

    async def on_skipped(start_s: float, seconds: float) -> None:
        await record(audio_dropped(start_s, seconds))

    return Line(
        call_id=call.call_id,
        audio_format=audio_format,
        tape=await tapes.open(call.call_id, audio_format, at_least=resumption.heard),
        on_skipped=on_skipped,
        options=options,
        heard=resumption.heard,
        skipped=resumption.skipped,
    )
