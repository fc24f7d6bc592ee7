"""Text as it can be shown: without characters that nobody sees and that only change how others are shown.

In: text from outside. Out: the same text without them; line ends and tabs stay.
Not known here: what the text is, how long it may be.
"""

import re

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069"
    r"\ufeff\ufffe\uffff\ud800-\udfff]"
)
"""Control characters, marks that turn the direction of writing, spaces without width, half characters."""


def plain(text: str) -> str:
    """The text without them."""
    return _UNSEEN.sub("", text)


def is_plain(text: str) -> bool:
    """Whether there are none in it."""
    return _UNSEEN.search(text) is None
