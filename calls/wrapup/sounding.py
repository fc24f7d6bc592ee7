"""How far apart two syllables are to ears that mishear.

In: characters, or syllables in pinyin without their tone.
Out: a distance: 0 for the same sound, 1 for nothing in common.
Not known here: names, digits, what is compared with what.

The telephone band takes away what tells consonants apart, so those that differ in breath or place alone are
near (b and p, x and q); of the rest of a syllable counts what both have in common (`liao` and `liu`).
"""

import re
from functools import cache

from pypinyin import lazy_pinyin

from asr.sounds import blurred

_INITIAL = re.compile("^[zcs]h|^[bpmfdtnlgkhjqxzcsryw]")
_NEAR_INITIALS = (
    (0.3, "bp", "dt", "gk", "jq", "zc", "lnr", "fh", "qx", "cs", "jz", "qc", "xs", "mn", "yw"),
    (0.5, "jx", "zs", "hk", "pf", "ph", "lz", "rz", "dz", "tc", "mb", "nd", "ld", "jd", "qt"),
)
_IN_FULL = {"iu": "iou", "ui": "uei", "un": "uen"}
"""Endings that pinyin writes short."""
_SHORT_U = re.compile("(?<=^[jqxy])u")
_NO_INITIAL = 0.6
"""Where one of the two begins with a vowel."""


@cache
def syllable_of(sign: str) -> str:
    """The usual sound of a character without its tone; other signs stand for themselves."""
    return lazy_pinyin(sign)[0] if sign.isalpha() else sign


@cache
def distance(one: str, other: str) -> float:
    """Of two syllables, 0 to 1; what the accents of the south do not tell apart is the same."""
    one, other = _rounded(blurred(one)), _rounded(blurred(other))
    if one == other:
        return 0.0
    begins, begins_other = _initial(one), _initial(other)
    return 0.5 * _initials(begins, begins_other) + 0.5 * _endings(
        one[len(begins) :], other[len(begins_other) :]
    )


def _rounded(syllable: str) -> str:
    """Pinyin writes ü as u behind j, q, x and y; it is nearer to i than to u."""
    return _SHORT_U.sub("iv", syllable)


def _initial(syllable: str) -> str:
    found = _INITIAL.match(syllable)
    return found[0] if found else ""


def _initials(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if not one or not other:
        return _NO_INITIAL
    pair = {one, other}
    return next((cost for cost, *groups in _NEAR_INITIALS if any(pair <= set(g) for g in groups)), 1.0)


def _endings(one: str, other: str) -> float:
    """How much of both is not in common, in order."""
    one, other = _IN_FULL.get(one, one), _IN_FULL.get(other, other)
    lengths = [0] * (len(other) + 1)
    for sign in one:
        before = 0
        for at, each in enumerate(other, start=1):
            before, lengths[at] = (
                lengths[at],
                before + 1 if sign == each else max(lengths[at], lengths[at - 1]),
            )
    return 1.0 - 2 * lengths[-1] / ((len(one) + len(other)) or 1)
