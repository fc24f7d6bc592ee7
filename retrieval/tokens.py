"""Takes Chinese text apart without a dictionary, by character and by sound.

In: text.
Out: overlapping pairs of characters or of syllables; Latin words and numbers stay whole.
Not known here: what the pieces are counted for.
"""

import re
from itertools import pairwise

from pypinyin import lazy_pinyin

_RUN = re.compile(r"[\u4e00-\u9fff]+|[a-z]+|[0-9]+(?:\.[0-9]+)?")
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l"))
_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))


def characters(text: str) -> list[str]:
    """Pairs of neighbouring Chinese characters (a lone one by itself), words and numbers."""
    tokens: list[str] = []
    for run in _RUN.findall(text.lower()):
        tokens += _pairs(run) if _is_chinese(run) else [run]
    return tokens


def sounds(text: str) -> list[str]:
    """Pairs of neighbouring syllables without tones, as a southern speaker may say them.

    zh/z, ch/c, sh/s, n/l/r and the endings -ng/-n fall together, so that a homophone or
    near-homophone that was written in place of the word still meets it.
    """
    tokens: list[str] = []
    for run in _RUN.findall(text.lower()):
        if _is_chinese(run):
            syllables = [_blur(syllable) for syllable in lazy_pinyin(run)]
            tokens += [f"{a} {b}" for a, b in pairwise(syllables)]
    return tokens


def _is_chinese(run: str) -> bool:
    return "\u4e00" <= run[0] <= "\u9fff"


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] if len(run) > 1 else [run]


def _blur(syllable: str) -> str:
    for said, meant in _INITIALS:
        if syllable.startswith(said):
            syllable = meant + syllable[len(said) :]
            break
    for said, meant in _FINALS:
        if syllable.endswith(said):
            return syllable[: -len(said)] + meant
    return syllable
