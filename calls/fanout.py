"""Tells several listeners what was just written.

In: listeners. Out: one listener that tells them all, in the order in which they are given.
Not known here: who they are.
"""

from collections.abc import Callable

from calls.types import Entry

Tell = Callable[[list[Entry]], None]


def tell_all(*listeners: Tell) -> Tell:
    """One listener for several; it is called on the event loop, and none of them may block."""

    def tell(entries: list[Entry]) -> None:
        for listener in listeners:
            listener(entries)

    return tell
