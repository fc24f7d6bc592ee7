"""Text as tired ears would write it: characters replaced by others that sound alike, a few lost.

In: texts to take the characters from; then clean text, a seed, how much goes wrong.
Out: text with homophones and near-homophones, always the same for the same seed.
Not known here: any recogniser; training and tests use it where there is no recording.
"""

import random
from collections import defaultdict
from collections.abc import Iterable

from retrieval.tokens import is_chinese, sound

_LOST = 0.1
"""Share of the errors that drop a character instead of replacing it."""


class Noise:
    """Swaps characters for others of (nearly) the same sound."""

    def __init__(self, texts: Iterable[str]):
        by_sound: defaultdict[str, list[str]] = defaultdict(list)
        for character in sorted({c for text in texts for c in text if is_chinese(c)}):
            by_sound[sound(character)].append(character)
        self._by_sound = dict(by_sound)

    def spoil(self, text: str, *, share: float, seed: int) -> str:
        """Let `share` of the Chinese characters go wrong, one by one."""
        chance = random.Random(f"{seed}:{text}")  # noqa: S311 (a die, not a secret)
        spoilt = []
        for character in text:
            if not is_chinese(character) or chance.random() >= share:
                spoilt.append(character)
            elif chance.random() >= _LOST:
                others = [c for c in self._by_sound.get(sound(character), ()) if c != character]
                spoilt.append(chance.choice(others) if others else character)
        return "".join(spoilt)
