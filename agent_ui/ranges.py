"""Stretches of a file, as HTTP asks for them (RFC 9110, 14).

In: the text of a `Range`, a file's length. Out: from which byte up to which.
Not known here: what the file is.
"""

import re

_ONE = re.compile(r"bytes=([0-9]*)-([0-9]*)")


def range_of(asked: str | None, length: int) -> tuple[int, int] | None:
    """From and up to, the latter not included; None for the whole, also where several are asked for.

    Raises `ValueError` where nothing of the file is meant.
    """
    found = _ONE.fullmatch(asked.strip()) if asked else None
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        first, last = max(0, length - int(found[2])), length
    else:
        first, last = int(found[1]), min(int(found[2]) + 1, length) if found[2] else length
    if first >= last:
        raise ValueError(f"no such stretch of {length} bytes")
    return first, last
