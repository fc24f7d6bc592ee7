"""The lists of alarm words: the one that comes with the product, and the one that an admin adds.

In: the path of the admin's list. Out: `Rules` of both together.
Not known here: what is done with them.

The admin's list is looked at again when its file changes; where it cannot be read the last good one holds.
"""

import logging
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from calls.safety.rules import NO_RULES, Rules, read_rules
from calls.safety.types import BadAlarmWords

log = logging.getLogger(__name__)

FILE_NAME = "alarm_words.csv"


@lru_cache(maxsize=1)
def shipped_rules() -> Rules:
    """Read the list that comes with the product."""
    text = (files("calls.safety") / "data" / FILE_NAME).read_text(encoding="utf-8")
    return read_rules(text.splitlines())


class WordFiles:
    """Both lists, as they are now. `rules` blocks for as long as it takes to look at a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._own = NO_RULES

    def rules(self) -> Rules:
        """The rules of both lists."""
        try:
            stat = self._path.stat()
        except OSError:
            self._seen, self._own = None, NO_RULES
            return shipped_rules()
        seen = (stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:
            self._seen = seen
            try:
                self._own = read_rules(self._path.read_text(encoding="utf-8-sig").splitlines())
            except (BadAlarmWords, OSError, UnicodeError) as error:
                why = error.message if isinstance(error, BadAlarmWords) else type(error).__name__
                log.error("the list of alarm words is not taken: %s", why)
        return shipped_rules() + self._own
