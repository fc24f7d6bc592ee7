"""The recordings that come with the project, for a first look and for tests.

In: nothing. Out: paths, and the number each caller is said to call from.
Not known here: how a recording is played.
"""

from pathlib import Path

_FOLDER = Path(__file__).parent / "demo"
_CALLERS = ("13900000152", "13900000155", "13900000158", "13900000164")


def demo_calls() -> list[tuple[Path, str]]:
    """(recording, caller) of every bundled call, in order; a reference of the same name lies beside each."""
    return list(zip(sorted(_FOLDER.glob("*.ogg")), _CALLERS, strict=True))
