"""The bounds on memory are in force in a process that asked for them."""

import subprocess
import sys

from asr.footprint import PRIMITIVES

_CODE = (
    "import os; from asr.footprint import limit_footprint; limit_footprint(); limit_footprint();"
    "print(os.environ['ONEDNN_PRIMITIVE_CACHE_CAPACITY'])"
)


def capacity(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _CODE],
        env={"PYTHONPATH": ".", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_it_may_be_asked_for_twice() -> None:
    assert capacity() == PRIMITIVES


def test_what_the_environment_says_is_kept() -> None:
    assert capacity(ONEDNN_PRIMITIVE_CACHE_CAPACITY="7", MALLOC_ARENA_MAX="4") == "7"
