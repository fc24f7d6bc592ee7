"""Keeps the text of an open utterance steady while it is recognised again and again.

In: readable partial texts of one utterance, each recognised anew from its beginning.
Out: the text to show: what two partials in a row agreed on stays as it stands, the rest may change.
Not known here: models, sound, screens.

The policy is LocalAgreement-2 (Liu et al., Interspeech 2020) on characters: Chinese has no words to
compare, and punctuation and script wander between two partials without anything having changed.
"""

import unicodedata
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

_UNSURE = 2  # characters before a cut: as often wrong as right
_ALWAYS_SHOWN = 4  # a short first guess is worth more than its last characters are wrong
_DRIFT = 8  # characters that a new text may have more or fewer of in what was confirmed


@dataclass(slots=True)
class Agreement:
    """The partials of one utterance so far."""

    confirmed: str = ""
    """What is shown and stays, with its punctuation."""
    _tail: str = ""
    """What was shown behind it last."""

    def show(self, text: str, *, is_whole: bool = False) -> str:
        """Take the next partial and say what to show of it; what was confirmed is always its beginning.

        Unless the speaker has paused (`is_whole`) the sound was cut off in the middle of a word, so the
        last two characters are kept back where enough others are left.
        """
        tail = text[_reach(self.confirmed, text) :]
        agreed = _agreed(self._tail, tail)
        self.confirmed, self._tail = self.confirmed + tail[:agreed], tail[agreed:]
        shown = self.confirmed + self._tail
        return shown if is_whole else shown[: max(len(self.confirmed), _sure_length(shown))]


def _sure_length(text: str) -> int:
    """Say how long a text is without its last characters, of which some always stay."""
    places = _places(text)
    unsure = min(_UNSURE, max(0, len(places) - _ALWAYS_SHOWN))
    return places[-unsure][1] if unsure else len(text)


def _reach(confirmed: str, text: str) -> int:
    """Find how far into a new text the confirmed one reaches, although it may read differently there."""
    said, places = _letters(confirmed), _places(text)
    heard = "".join(letter for letter, _ in places)
    ends = range(max(0, len(said) - _DRIFT), min(len(heard), len(said) + _DRIFT) + 1)
    behind = min(
        ends,
        key=lambda end: (Levenshtein.distance(said, heard[:end]), abs(end - len(said))),
        default=len(heard),
    )
    return places[behind - 1][1] + 1 if behind else 0


def _agreed(earlier: str, later: str) -> int:
    """Count the characters at the beginning of the later text that both have, punctuation not compared."""
    said, places = _letters(earlier), _places(later)
    agreed = 0
    for letter, (other, place) in zip(said, places, strict=False):
        if letter != other:
            break
        agreed = place + 1
    return agreed


def _letters(text: str) -> str:
    return "".join(letter for letter, _ in _places(text))


def _places(text: str) -> list[tuple[str, int]]:
    """Give the letters and digits of a text in a form in which they can be compared, with their places."""
    return [
        (letter, place)
        for place, sign in enumerate(text)
        for letter in unicodedata.normalize("NFKC", sign).lower()
        if letter.isalnum()
    ]
