"""A text as it is searched for words: its characters, and how they sound.

In: text. Out: places of words in it, by their characters or by their sound.
Not known here: which words, what they mean.

Every sound gets a character of its own, so that a word is looked for in sounds as fast as in text. A word
that only sounds like what is written must sound like it in its tones too, one syllable in three or more
excepted: 煤器 is 煤气, but 在楼 is not 在漏.
"""

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from asr.sounds import Sound, sound_of, sounds_of
from calls.search.types import By
from calls.search.words import units_of

_SENTENCE_ENDS = "。！？!?\n"
_LETTERS: dict[str, str] = {}
_FIRST = 0xE000
"""Private characters: no text has them."""


class Place(NamedTuple):
    """A stretch of units."""

    start: int
    end: int


class Sounding:
    """One text, ready to be searched."""

    def __init__(self, text: str) -> None:
        self.text = text
        units = units_of(text, By.TEXT)
        self._starts = [unit.start for unit in units]
        self._ends = [unit.end for unit in units]
        self.characters = "".join(unit.value for unit in units)
        self.sounds = _sounds(self.characters)
        ends = [at for at, character in enumerate(text) if character in _SENTENCE_ENDS]
        self._sentences = [bisect_right(ends, start) for start in self._starts]

    def __len__(self) -> int:
        return len(self.characters)

    def places(self, word: str, *, by_sound: bool) -> Iterator[Place]:
        """Where the word stands."""
        for start in _all(self.characters, word):
            yield Place(start, start + len(word))
        if by_sound and len(word) > 1:
            syllables = _spoken(word)
            for start in _all(self.sounds, "".join(_letter(one.key) for one in syllables)):
                written = self.characters[start : start + len(word)]
                if written != word and _sounds_like(written, syllables):
                    yield Place(start, start + len(word))

    def is_one_sentence(self, place: Place) -> bool:
        """Whether no sentence ends within."""
        return self._sentences[place.start] == self._sentences[place.end - 1]

    def span(self, place: Place) -> tuple[int, int]:
        """From and to in characters of the text."""
        return self._starts[place.start], self._ends[place.end - 1]

    def sentence(self, place: Place) -> Place:
        """The units of the sentences that the place is in."""
        first, last = self._sentences[place.start], self._sentences[place.end - 1]
        numbers = range(len(self))
        start = next(at for at in numbers if self._sentences[at] >= first)
        end = next((at for at in numbers if self._sentences[at] > last), len(self))
        return Place(start, end)


def _all(where: str, word: str) -> Iterator[int]:
    at = where.find(word)
    while at >= 0:
        yield at
        at = where.find(word, at + 1)


def _sounds(characters: str) -> str:
    return "".join(_letter(_heard(one).key) for one in characters)


def _letter(key: str) -> str:
    return _LETTERS.setdefault(key, chr(_FIRST + len(_LETTERS)))


def _sounds_like(written: str, word: tuple[Sound, ...]) -> bool:
    """Whether one may have been heard for the other."""
    off = sum(_heard(one).tone != other.tone for one, other in zip(written, word, strict=True))
    return off == 0 or (off == 1 and len(word) > 2)


@lru_cache(maxsize=4_096)
def _spoken(word: str) -> tuple[Sound, ...]:
    """A word as it is read: 着 in 着火 is not 着 in 看着."""
    readings = sounds_of(word) if not any(map(str.isascii, word)) else ()
    return readings if len(readings) == len(word) else tuple(map(_heard, word))


def _heard(character: str) -> Sound:
    return Sound(character, "", character) if character.isascii() else sound_of(character)
