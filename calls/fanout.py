"""Tells several listeners of the same thing, in their order.

In: listeners. Out: one listener. Not known here: what is told.
"""

import logging
from collections.abc import Callable
from typing import ParamSpec

log = logging.getLogger(__name__)

P = ParamSpec("P")


def tell_all(*listeners: Callable[P, None]) -> Callable[P, None]:
    """Make one of them; one that breaks keeps nothing from the others."""

    def tell(*args: P.args, **kwargs: P.kwargs) -> None:
        for listener in listeners:
            try:
                listener(*args, **kwargs)
            except Exception:  # the journal has written it: nobody else may miss it
                log.exception("a listener broke")

    return tell
