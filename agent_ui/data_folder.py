"""The data folder as one server's own: held alone, with a key in it for this machine's programs.

In: the folder. Out: a lock for as long as the server runs, and the key.
Not known here: what else lies in the folder, what the key opens.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from access.keys import new_token
from agent_ui.settings import LOCAL_KEY


@contextmanager
def claim(data_dir: Path) -> Iterator[None]:
    """Hold the data folder alone: two servers on one journal would tear its calls apart."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another server already uses the data folder {data_dir}") from None
        yield


@contextmanager
def local_key(data_dir: Path) -> Iterator[str]:
    """A new key, in a file that nobody but this user can read, until the server stops."""
    key, file = new_token(), data_dir / LOCAL_KEY
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(key)
    try:
        yield key
    finally:
        file.unlink(missing_ok=True)
