"""What goes on beside the calls: new versions are taken up, screens are told how far their text is behind.

In: the switchboard, the hub, functions of the engines. Out: facts and lags, every few seconds, without end.
Not known here: how a version is loaded, what a screen shows.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from agent_ui.cluster import Cluster
from agent_ui.hub import Hub
from calls.journal import Journal
from calls.session import Session
from calls.switchboard import Switchboard
from calls.types import CallError, KbPublished, StorageFailed, Stream
from knowledge_base.types import KnowledgeError

log = logging.getLogger(__name__)

LAG_EVERY_S = 2.0
"""How often the screens of a call are told how far its text is behind."""
DEAF_LOOK_EVERY_S = 0.5
DEAF_AFTER_S = 3.0
"""For how long nothing may be there to recognise calls before their screens are told."""
DISK_LOOK_EVERY_S = 0.5
DISK_SLOW_S = 2.0
"""For how long sound may wait for the disk before the screens of its call are told."""
DISK_QUIET_S = 60.0
"""For how long it must not have come to that before they are told again."""
KB_LOOK_EVERY_S = 2.0
"""How often the server looks for what another process has published."""


def announcing(journal: Journal, clock: Callable[[], datetime]) -> Callable[[KbPublished], Awaitable[None]]:
    """Records a fact that concerns no single call."""

    async def announce(fact: KbPublished) -> None:
        await journal.append(fact, call_id=None, streams=(Stream.CALLS,), at=clock())

    return announce


async def watch_versions(
    refresh: Callable[[], str | None],
    announce: Callable[[KbPublished], Awaitable[None]],
    announces: Callable[[], bool],
) -> None:
    """Take up what another process publishes, and tell the screens. `refresh` blocks.

    Of several processes of the house one `announces` it.
    """
    told = ""
    while True:
        await asyncio.sleep(KB_LOOK_EVERY_S)
        try:
            version = await asyncio.to_thread(refresh)
        except KnowledgeError as error:
            if error.message != told:  # once, not at every look
                log.error("the new version cannot be used, the old one stays: %s", error.code)
            told = error.message
            continue
        told = ""
        if version is not None:
            log.info("knowledge base version %s answers from now on", version)
            if not announces():
                continue
            try:
                await announce(KbPublished(version=version))
            except StorageFailed as error:  # the version answers all the same
                log.error("version %s could not be announced: %s", version, error.code)


async def tell_deafness(deaf_s: Callable[[], float], switchboard: Switchboard) -> None:
    """Tell the screens of every running call, once each time, that nothing is there to recognise it."""
    told: set[str] = set()
    while True:
        await asyncio.sleep(DEAF_LOOK_EVERY_S)
        if deaf_s() < DEAF_AFTER_S:
            told.clear()
            continue
        for session in switchboard.sessions():
            call_id = session.call.call_id
            if call_id not in told and not session.is_ending:
                told.add(call_id)
                try:
                    await session.tell_deaf()
                except CallError as error:
                    log.error("call %s is not told that nothing is recognised: %s", call_id, error.code)


async def tell_slow_disk(switchboard: Switchboard) -> None:
    """Tell the screens of every running call that the disk keeps its sound waiting, once until it is over."""
    last_slow_s: dict[str, float] = {}
    while True:
        await asyncio.sleep(DISK_LOOK_EVERY_S)
        now_s = asyncio.get_running_loop().time()
        last_slow_s = {one: at_s for one, at_s in last_slow_s.items() if now_s - at_s < DISK_QUIET_S}
        slow = [one for one in switchboard.sessions() if one.line.behind_s >= DISK_SLOW_S]
        new = [one for one in slow if one.call.call_id not in last_slow_s and not one.is_ending]
        last_slow_s |= {one.call.call_id: now_s for one in slow}
        if new:
            log.warning("the disk keeps the sound of %d calls waiting", len(slow))
        await asyncio.gather(*(_tell_slow_disk(one) for one in new))


async def _tell_slow_disk(session: Session) -> None:
    try:
        await session.tell_slow_disk()
    except CallError as error:
        log.error("call %s is not told that the disk is slow: %s", session.call.call_id, error.code)


async def tell_lags(
    lag_s: Callable[[str], float], switchboard: Switchboard, hub: Hub, cluster: Cluster
) -> None:
    """Tell every screen of a running call how far its text is behind; a page also takes it as a heartbeat.

    `lag_s` knows how long a call's oldest unanswered final has been waiting.
    """
    while True:
        await asyncio.sleep(LAG_EVERY_S)
        for session in switchboard.sessions():
            call = session.call
            behind_s = max(lag_s(call.call_id), session.line.unheard_s)
            hub.tell_lag(call.call_id, call.operator_id, behind_s)
            cluster.tell_lag(call.call_id, call.operator_id, behind_s, session.line.received_s)
