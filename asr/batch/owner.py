"""Who holds something that only one process may hold, and whether that process is still there.

In: nothing, or an owner's name. Out: a name; a guess that errs on the side of life.
Not known here: what is held.
"""

import os
import socket
import uuid

import psutil


def name_owner() -> str:
    """Name this process: its machine, its number, when it began, and a word that nobody else has."""
    return f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())} {uuid.uuid4().hex[:8]}"


def is_elsewhere(owner: str) -> bool:
    """Whether it is a process of another machine."""
    return owner.split(" ", maxsplit=1)[0] != socket.gethostname()


def is_alive(owner: str) -> bool:
    """Whether whoever has that name is still there; one on another machine is taken to be."""
    if is_elsewhere(owner):
        return True
    _, pid, began, _ = owner.split(" ")
    try:
        return abs(_began(int(pid)) - int(began)) <= 1
    except psutil.NoSuchProcess:
        return False


def _began(pid: int) -> int:
    return round(psutil.Process(pid).create_time())
