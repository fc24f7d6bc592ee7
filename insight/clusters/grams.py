"""Which pieces a text is made of.

In: texts. Out: sets of pieces.
Not known here: how rare a piece is.

There is no list of places: what names a house, a street or a firm is a run of characters that few others
say, and two people who both say it speak of the same thing.
"""

import re
from functools import lru_cache

_RUN = re.compile("[\u4e00-\u9fff]+|[a-z]*[0-9]+[a-z]*|[a-z]+")
_LENGTHS = (2, 3)


@lru_cache(maxsize=4096)
def grams(text: str) -> frozenset[str]:
    """Pairs and triples of neighbouring Chinese characters; words and numbers whole."""
    found: set[str] = set()
    for run in _RUN.findall(text.lower()):
        if "\u4e00" <= run[0] <= "\u9fff":
            found.update(run[i : i + n] for n in _LENGTHS for i in range(len(run) - n + 1))
        else:
            found.add(run)
    return frozenset(found)
