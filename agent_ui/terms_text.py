"""How long calls of some kinds are kept, as a line that a person can type.

In: `举报 1825/3650；咨询 30/90`, or terms by kind. Out: the other one.
Not known here: what the kinds are, when anything is deleted.

The first number is of the sound, the second one of the whole call, in days; 0 is for ever.
"""

import re
import unicodedata
from collections.abc import Mapping

from calls.keeping.types import Term

MAX_DAYS = 36_500
MAX_CHARACTERS = 2_000
_BETWEEN = re.compile(r"[；;\n]")
_ONE = re.compile(r"([^\s/](?:[^/]*[^\s/])?)\s+(\d{1,6})\s*/\s*(\d{1,6})")


def read_terms(text: str) -> dict[str, Term]:
    """Raises `ValueError` with the piece that cannot be read."""
    found: dict[str, Term] = {}
    for piece in filter(None, (part.strip() for part in _BETWEEN.split(text))):
        kind_and_days = _ONE.fullmatch(_plain(piece))
        days = [int(number) for number in kind_and_days.groups()[1:]] if kind_and_days else []
        if kind_and_days is None or max(days) > MAX_DAYS or kind_and_days[1] in found:
            raise ValueError(piece)
        found[kind_and_days[1]] = Term(audio_days=days[0], transcript_days=days[1])
    return found


def write_terms(terms: Mapping[str, Term]) -> str:
    """The same for the same terms, in whatever order they come."""
    return "；".join(
        f"{kind} {term.audio_days}/{term.transcript_days}" for kind, term in sorted(terms.items())
    )


def may_be_kind(name: str) -> bool:
    """Whether a line can name that kind."""
    return bool(name.strip()) and name == name.strip() and not re.search(r"[；;\n/／]", name)


def _plain(piece: str) -> str:
    """With digits, spaces and slashes as they are typed without an input method."""
    return "".join(
        unicodedata.normalize("NFKC", sign) if sign in "０１２３４５６７８９／　" else sign for sign in piece
    )
