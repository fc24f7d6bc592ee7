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


def test_what_is_loaded_is_set_aside_and_garbage_is_found_after() -> None:
    code = (
        "import gc, weakref; from asr.footprint import set_aside\n"
        "class Ring:\n    def __init__(self): self.me = self\n"
        "before = weakref.ref(Ring()); set_aside(); assert before() is None\n"
        "assert gc.get_freeze_count() > 1000\n"
        "after = weakref.ref(Ring()); gc.collect(); assert after() is None\n"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "."}, check=True, timeout=60)
