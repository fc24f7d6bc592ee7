"""A process that appends to the journal as one of several servers does.

In: the URL of a database and a call's identifier, as arguments. It writes facts of that call, one after the
other, also into the common list, until its input is closed. Out: the numbers that it was told of.
"""

import asyncio
import json
import sys
import threading

from calls.journal import Journal
from calls.types import CallStarted, Entry, SegmentShown, Stream
from knowledge_base.database import open_database
from tests.call_parts import START, call, segment


async def append_all(url: str, call_id: str) -> list[tuple[str, int]]:
    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    engine = open_database(url)
    told: list[Entry] = []
    journal = Journal(engine, told.extend)
    journal.start()
    streams = [Stream.call(call_id), Stream.CALLS]
    await journal.append(CallStarted(call=call(call_id)), call_id=call_id, streams=streams, at=START)
    print("ready", flush=True)
    number = 0
    while not is_over.is_set():
        number += 1
        fact = SegmentShown(segment=segment(number, f"第{number}句", call_id=call_id))
        await journal.append(fact, call_id=call_id, streams=streams, at=START)
    await journal.stop()
    engine.dispose()
    return [(entry.stream, entry.seq) for entry in told]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(append_all(sys.argv[1], sys.argv[2]))), flush=True)
