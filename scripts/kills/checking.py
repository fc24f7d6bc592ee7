"""Holds the record of a data folder against what was sent and what was seen.

In: a data folder whose server is dead, the calls that were brought, what the screens saw.
Out: sentences, one for each thing that is not as it must be.
Not known here: kills, servers, how text comes about beyond `line_of`.
"""

import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, func, select

from agent_ui.wire import entry_text
from asr.types import Party, Segment
from calls.audio.keys import NO_KEYS
from calls.audio.sound import Recordings
from calls.records import Records
from calls.tables import entries, facts, streams
from calls.types import AlarmRaised, CallEnded, CallStarted, CallState, EndReason, Entry, SegmentShown, Stream
from knowledge_base.database import open_database
from scripts.kills.callers import SentCall
from scripts.kills.ears import line_of
from scripts.kills.screens import Seen

_REST_S = 0.5
"""Of a stretch that was skipped, a shorter rest is not heard again (calls/resumption.py)."""


@contextmanager
def copied(data_dir: Path) -> Iterator[Path]:
    """A copy of the database, so that looking at it does not change what the next server finds."""
    with tempfile.TemporaryDirectory(prefix="zhiting-kill-") as folder:
        for path in data_dir.glob("zhiting.db*"):
            shutil.copy(path, folder)
        yield Path(folder) / "zhiting.db"


def check_record(database: Path, seen: Seen) -> list[str]:
    """What must hold at any moment: a sound file, streams without gaps, everything that was seen."""
    if not database.exists():
        return ["there is no database any more"] if seen.events or seen.finals else []
    found = _integrity(database)
    engine = open_database(database)
    try:
        records = Records(engine)
        found += _gaps(engine)
        found += seen.faults
        wanted: dict[str, list[int]] = {}
        for stream, seq in seen.events:
            wanted.setdefault(stream, []).append(seq)
        for stream, seqs in wanted.items():
            on_record = {entry.seq: entry for entry in _all(records, stream, since=min(seqs) - 1)}
            for seq in seqs:
                if seq not in on_record:
                    found.append(f"{stream}: {seq} was seen and is not on record")
                elif not is_same(on_record[seq], seen.events[stream, seq], stream):
                    found.append(f"{stream}: {seq} was seen otherwise than it is on record")
        calls = {call_id for call_id, _ in seen.finals}
        for call_id in calls:
            finals = {one.segment_id: one for one in finals_of(_all(records, Stream.call(call_id)))}
            for (owner, segment_id), shown in seen.finals.items():
                if owner == call_id and (
                    segment_id not in finals or finals[segment_id].text != shown["text"]
                ):
                    found.append(f"{call_id}: {segment_id} was seen and is not on record, or otherwise")
    finally:
        engine.dispose()
    return found


CheckLeg: TypeAlias = Callable[
    [SentCall, int, Sequence[Segment], NDArray[np.int16], Sequence[tuple[float, float]]], Iterator[str]
]
"""A call, the number of a leg, its finals in order of time, its sound, what was skipped → what is wrong."""


def check_calls(data_dir: Path, calls: Sequence[SentCall], check_leg: CheckLeg) -> list[str]:
    """What must hold when everything is over: each call is whole, each second was heard once."""
    engine = open_database(data_dir / "zhiting.db")
    found: list[str] = []
    try:
        records = Records(engine)
        for call in calls:
            found += call.faults
            found += _check_call(records, data_dir, call, check_leg)
    finally:
        engine.dispose()
    return found


def finals_of(some: Sequence[Entry]) -> list[Segment]:
    """The finals among entries of a call's stream, in the order in which they were written."""
    return [entry.fact.segment for entry in some if isinstance(entry.fact, SegmentShown)]


def _check_call(records: Records, data_dir: Path, call: SentCall, check_leg: CheckLeg) -> Iterator[str]:
    name = call.call_id
    told = records.call(name)
    if told is None:
        if call.received or call.has_stopped:
            yield f"{name}: is not on record"
        return
    stream = _all(records, Stream.call(name))
    kinds = Counter(type(entry.fact) for entry in stream)
    if told.state is not CallState.ENDED or (kinds[CallStarted], kinds[CallEnded]) != (1, 1):
        yield f"{name}: is {told.state}, began {kinds[CallStarted]} times, ended {kinds[CallEnded]} times"
        return
    if told.end_reason is EndReason.FAILED or (call.hangs_up and told.end_reason is not EndReason.HANGUP):
        yield f"{name}: ended as {told.end_reason}"
    alarms = [entry.fact.alarm_id for entry in stream if isinstance(entry.fact, AlarmRaised)]
    finals = finals_of(stream)
    for what, ids in (("alarms", alarms), ("finals", [one.segment_id for one in finals])):
        if doubled := [one for one, times in Counter(ids).items() if times > 1]:
            yield f"{name}: {what} written twice: {doubled}"
    kept = _kept_sound(records, data_dir, call)
    if kept is None or (call.hangs_up and len(kept) != len(call.samples)):
        yield f"{name}: {0 if kept is None else len(kept)} of {len(call.samples)} sample frames are kept"
        return
    if not np.array_equal(kept, call.samples[: len(kept)]):
        yield f"{name}: the sound that is kept is not what was sent"
    skipped = records.view(Stream.call(name)).skipped
    for leg, party in enumerate(call.parties):
        lines = sorted((one for one in finals if one.party is Party(party)), key=lambda one: one.start_s)
        for one in check_leg(call, leg, lines, kept[:, leg], skipped):
            yield f"{name} {party}: {one}"


def _kept_sound(records: Records, data_dir: Path, call: SentCall) -> NDArray[np.int16] | None:
    """The sound of a call as it is kept, shape (n, parties); None where there is none any more."""
    audio_format = records.audio_format(call.call_id)
    assert audio_format is not None
    sound = Recordings(folder=data_dir / "audio", keys=NO_KEYS).open(call.call_id, audio_format)
    if sound is None:
        return None
    nothing = np.zeros((0, len(call.parties)), np.int16)
    with sound:
        return np.concatenate([nothing, *sound.pieces(0, sound.frames)])


def check_marks(
    call: SentCall,
    leg: int,
    lines: Sequence[Segment],
    sound: NDArray[np.int16],
    skipped: Sequence[tuple[float, float]],
) -> Iterator[str]:
    """Hold each line against the sound that it says it heard; all of the leg was heard, and once."""
    at, rate_hz = 0, call.rate_hz
    for line in [*lines, None]:
        start = round(line.start_s * rate_hz) if line else len(sound)
        if start < at:
            yield f"heard twice from {start / rate_hz:.3f} to {at / rate_hz:.3f} s"
        elif start > at and not _is_rest(at / rate_hz, start / rate_hz, skipped):
            yield f"not heard from {at / rate_hz:.3f} to {start / rate_hz:.3f} s"
        if line is not None:
            at = round(line.end_s * rate_hz)
            if line.text != line_of(sound[start:at], start):
                yield f"{line.segment_id} is not what was said there"


def _is_rest(start_s: float, end_s: float, skipped: Sequence[tuple[float, float]]) -> bool:
    return end_s - start_s < _REST_S and any(
        start_s >= begin - 1.0 and end_s <= end + 1.0 for begin, end in skipped
    )


def _integrity(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    try:
        answers = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        answers += [f"foreign key {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    finally:
        connection.close()
    return [f"database: {answer}" for answer in answers if answer != "ok"]


def _gaps(engine: Engine) -> list[str]:
    """Streams whose numbers are not 1, 2, 3 … up to their last."""
    query = select(entries.c.stream, func.count(), func.min(entries.c.seq), func.max(entries.c.seq)).group_by(
        entries.c.stream
    )
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, entries.name):
            return []
        counted = connection.execute(select(streams.c.stream, streams.c.last_seq)).all()
        last = {row.stream: row.last_seq for row in counted}
        rows = connection.execute(query).all()
        orphans = connection.scalar(
            select(func.count()).select_from(facts).where(facts.c.fact_id.not_in(select(entries.c.fact_id)))
        )
    found = [
        f"{stream}: {count} entries from {first} to {newest}, counted up to {last.get(stream)}"
        for stream, count, first, newest in rows
        if first != 1 or newest != count or last.get(stream) != count
    ]
    return found + ([f"{orphans} facts in no stream"] if orphans else [])


def _all(records: Records, stream: str, since: int = 0) -> list[Entry]:
    found: list[Entry] = []
    while page := records.read(stream, since=since, limit=1000):
        found += page
        since = page[-1].seq
    return found


def is_same(entry: Entry, event: dict[str, object], stream: str) -> bool:
    """Whether a screen was sent what is on record."""
    on_record = json.loads(entry_text(entry))
    if stream == Stream.CALLS:  # lists are masked
        return all(on_record[name] == event[name] for name in ("type", "seq", "at", "call_id"))
    return bool(on_record == event)
