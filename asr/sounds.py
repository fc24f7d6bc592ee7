"""How Chinese characters sound, and which sounds are often taken for each other.

In: characters and words. Out: their syllables, tones, and keys under which confusable syllables meet.
Not known here: what is looked up with the keys, how likely a word is.
"""

from dataclasses import dataclass
from functools import lru_cache

from pypinyin import Style, lazy_pinyin

_BROAD_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l"))
_NASAL = ("ang", "eng", "ing")
_F_AS_H = {
    "fa": "hua",
    "fan": "huan",
    "fang": "huang",
    "fei": "hui",
    "fen": "hun",
    "feng": "hong",
    "fo": "huo",
    "fu": "hu",
}
"""In the south, hu- and f- are one sound."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One syllable."""

    syllable: str
    """Pinyin without its tone, such as `zhou`."""
    tone: str
    """`1` to `4`, `5` where it has none."""
    key: str
    """The same for syllables that are often taken for each other, such as `zhou` and `zou`."""


@lru_cache(maxsize=32_768)
def sound_of(character: str) -> Sound:
    """The usual sound of one character."""
    return sounds_of(character)[0]


def sounds_of(word: str) -> tuple[Sound, ...]:
    """The sounds of a word of Chinese characters, each as it is read in this word."""
    return tuple(_sound(reading) for reading in lazy_pinyin(word, style=Style.TONE3))


def blurred(syllable: str) -> str:
    """The key of a syllable: n/l, r/l, zh/z, ch/c, sh/s, f/hu, ang/an, eng/en and ing/in fall together."""
    syllable = _F_AS_H.get(syllable, syllable)
    for broad, plain in _BROAD_INITIALS:
        if syllable.startswith(broad):
            syllable = plain + syllable[len(broad) :]
            break
    return syllable[:-1] if syllable.endswith(_NASAL) else syllable


@lru_cache(maxsize=4_096)
def _sound(reading: str) -> Sound:
    has_tone = reading[-1:].isdigit() and len(reading) > 1
    syllable, tone = (reading[:-1], reading[-1]) if has_tone else (reading, "5")
    return Sound(syllable=syllable, tone=tone, key=blurred(syllable))
