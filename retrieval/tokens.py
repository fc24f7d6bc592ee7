"""Takes Chinese text apart without a dictionary, by character and by sound.

In: text.
Out: overlapping pairs of characters or of syllables; Latin words and numbers stay whole.
Not known here: what the pieces are counted for.
"""

import re
from functools import cache
from itertools import pairwise

from pypinyin import lazy_pinyin

REVISION = 1
"""Counts up whenever a text is taken apart differently: saved indexes of another are not read."""
_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z]+|[0-9]+(?:\.[0-9]+)?")
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l"))
_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))
_F_AS_H = {
    "fa": "hua",
    "fan": "huan",
    "fang": "huang",
    "fei": "hui",
    "fen": "hun",
    "feng": "hong",
    "fo": "huo",
    "fou": "hou",
    "fu": "hu",
}


def characters(text: str) -> list[str]:
    """Pairs of neighbouring Chinese characters (a lone one by itself), words and numbers."""
    tokens: list[str] = []
    for run in _RUN.findall(text.lower()):
        tokens += _pairs(run) if is_chinese(run) else [run]
    return tokens


def sounds(text: str) -> list[str]:
    """Pairs of neighbouring syllables without tones, as a southern speaker may say them.

    zh/z, ch/c, sh/s, n/l/r, f/h and the endings -ng/-n fall together, so that a homophone or
    near-homophone that was written in place of the word still meets it. Each character has the one
    reading that it has by itself, in a question and in an article alike.
    """
    tokens: list[str] = []
    for run in _RUN.findall(text.lower()):
        if is_chinese(run):
            tokens += [f"{a} {b}" for a, b in pairwise([sound(character) for character in run])]
    return tokens


@cache
def sound(character: str) -> str:
    """The blurred syllable of one Chinese character."""
    syllable: str = lazy_pinyin(character)[0]
    return blurred(syllable)


def blurred(syllable: str) -> str:
    """Write alike what is easily said or heard alike."""
    syllable = _F_AS_H.get(syllable, syllable)
    for said, meant in _INITIALS:
        if syllable.startswith(said):
            syllable = meant + syllable[len(said) :]
            break
    for said, meant in _FINALS:
        if syllable.endswith(said):
            return syllable[: -len(said)] + meant
    return syllable


def is_chinese(run: str) -> bool:
    """Whether a run of characters of one kind is Chinese."""
    return "\u4e00" <= run[0] <= "\u9fff"


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] if len(run) > 1 else [run]
