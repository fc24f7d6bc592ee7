"""Packs the sound of calls that are over, one after the other, while nobody waits for it.

In: the folder of spools, and who knows which calls are over. Out: boxes instead of spools.
Not known here: how a box is made, HTTP.

Bound: one call at a time, on one thread of the lowest priority. What fails is left alone for an hour.
"""

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from calls.audio.packing import pack
from calls.audio.sound import Recordings
from calls.audio.stored import call_in, packed_in, stored_name
from calls.audio.types import Form
from calls.records import Records
from calls.spool import spool_path
from calls.types import CallError, CallState
from knowledge_base.objects.sending import Sender

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
AFTER_S = 30.0
"""A call that has just ended is left alone for so long: what was said last is being listened to again."""
FORGET_AFTER_S = 86_400.0
"""Sound that no call leads to goes when nothing was written to it for so long."""
_NICE = 15
_REST_S = 3600.0


async def keep_packed(
    recordings: Recordings, records: Records, form: Form, *, after_s: float = AFTER_S
) -> None:
    """Pack what there is to pack, without end; as it came and unsealed it may stay where it is.

    Only what is packed goes to the store that servers share.
    """
    if form is Form.RAW and recordings.keys.current is None and recordings.objects is None:
        return
    pause_until: dict[str, float] = {}
    thread = ThreadPoolExecutor(1, "packing", initializer=_step_back)
    work = asyncio.get_running_loop().run_in_executor
    try:
        while True:
            for call_id in await work(thread, _waiting, recordings, after_s):
                if time.monotonic() >= pause_until.get(call_id, 0.0):
                    is_done = await work(thread, pack_call, recordings, records, form, call_id)
                    if not is_done:
                        pause_until[call_id] = time.monotonic() + _REST_S
            await asyncio.sleep(min(LOOK_EVERY_S, max(after_s, 0.1)))
    finally:  # the call that is being packed is packed before the house closes
        await asyncio.to_thread(thread.shutdown)


def pack_call(recordings: Recordings, records: Records, form: Form, call_id: str) -> bool:
    """Pack one call if it is over; False where that failed or it goes on."""
    call, audio_format = records.call(call_id), records.audio_format(call_id)
    if recordings.objects is not None and (call is None or audio_format is None):
        return _let_go(recordings, call_id)
    if call is None or audio_format is None or call.state is not CallState.ENDED:
        return call is not None and call.state is not CallState.ENDED
    try:
        gained = pack(recordings, call_id, audio_format, form)
    except FileNotFoundError:  # deleted meanwhile
        return True
    except CallError as error:
        log.error("the sound of call %s stays as it came: %s", call_id, error.code)
        return False
    log.info("the sound of call %s is packed, %d bytes less", call_id, gained)
    return True


def sender_of(recordings: Recordings, records: Records, *, keep_s: float) -> Sender | None:
    """What brings packed sound to the store; None where there is none."""
    if recordings.objects is None:
        return None

    def wanted(names: list[str]) -> set[str]:
        return {stored_name(call_id) for call_id in records.with_sound([call_in(name) for name in names])}

    return Sender(
        objects=recordings.objects,
        find=lambda: packed_in(recordings.folder),
        wanted=wanted,
        keep_s=keep_s,
        forget_s=FORGET_AFTER_S,
    )


def _let_go(recordings: Recordings, call_id: str) -> bool:
    """Sound of a call that was deleted at another server, which cannot reach this folder."""
    spool = spool_path(recordings.folder, call_id)
    with suppress(FileNotFoundError):
        if time.time() - spool.stat().st_mtime >= FORGET_AFTER_S:
            spool.unlink()
    return not spool.exists()


def _waiting(recordings: Recordings, after_s: float) -> list[str]:
    """Calls with a spool that nobody has written to for a while, oldest first."""
    spools = []
    for path in recordings.folder.glob("*.raw"):
        try:
            spools.append((path.stat().st_mtime, path.stem))
        except FileNotFoundError:
            continue
    return [call_id for changed, call_id in sorted(spools) if time.time() - changed >= after_s]


def _step_back() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
