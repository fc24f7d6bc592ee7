"""Looks once who is there, for an admin.

In: the address of Ray. Out: `Seen`.
Not known here: what is to be done about it.
"""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from asr.remote.types import Card

_WITHIN_S = 60.0
_CARDS_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was there."""

    trouble: str = ""
    """Why Ray was not reached."""
    ray: str = ""
    machines: int = 0
    """In the cluster, this one with them."""
    cards: tuple[Card, ...] = ()
    unanswered: int = 0
    """Ears that did not say who they are."""


def look_around(address: str, *, look: Callable[[str], Seen] | None = None) -> Seen:
    """Look, in a process of its own, since Ray may end the one it is in. Blocks for seconds."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(theirs, address, look or _look), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(_WITHIN_S):
            return Seen(trouble=f"Ray（{address}）在 {_WITHIN_S:.0f} 秒内没有回应。")
        seen: Seen = ours.recv()
    except EOFError:
        return Seen(trouble=f"连接 Ray（{address}）的进程意外停止。")
    finally:
        process.kill()
        process.join()
        ours.close()
    return seen


def _serve(pipe: Connection, address: str, look: Callable[[str], Seen]) -> None:
    pipe.send(look(address))
    pipe.close()
    os._exit(0)


def _look(address: str) -> Seen:
    try:
        from asr.remote.bridge import seen
    except ImportError:
        return Seen(trouble="没有安装 Ray：pip install 'zhiting[cluster]'。")
    return seen(address, within_s=_CARDS_S)
