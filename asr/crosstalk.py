"""Tells a voice on a leg from the other party's voice leaking into it.

In: the newest sound of each leg, window by window, with its probabilities of speech.
Out: the probabilities of one leg, with 0 where it only repeats the other leg, later and much quieter.
Not known here: utterances, words, frames.

A leak has the waveform of its source, whatever its delay; two people who speak at once have not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asr.types import SAMPLE_RATE_HZ, Samples
from asr.vad import WINDOW, Probabilities

_SPAN = 8 * WINDOW  # 0.26 s, long enough that two voices are not alike by chance
_MOST_DELAY = round(0.3 * SAMPLE_RATE_HZ)  # echoes of a mobile network
_STEP = 2  # telephone sound has nothing above 4 kHz
_FFT = 1 << ((2 * _SPAN + _MOST_DELAY) // _STEP - 1).bit_length()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakOptions:
    """What counts as a leak. Raises `ValueError` for values out of range."""

    min_loss_db: float = 10.0
    """How much quieter than its source a leak is at least."""
    min_correlation: float = 0.3
    """How alike both are at least."""
    min_probability: float = 0.1
    """Windows below it count as silence anyway and are not looked at."""

    def __post_init__(self) -> None:
        if self.min_loss_db < 0 or not 0 < self.min_correlation <= 1 or not 0 < self.min_probability < 1:
            raise ValueError("min_loss_db must not be negative, the others must lie between 0 and 1.")


class Trace:
    """The newest stretch of one leg, and the half second before it."""

    def __init__(self) -> None:
        self.end = 0
        """Media time just after the newest sample, in samples."""
        self._kept: Samples = np.zeros(_SPAN + _MOST_DELAY, dtype=np.float32)

    def add(self, start: int, samples: Samples) -> None:
        """Take the next samples; time left out before `start` was silent."""
        gap = np.zeros(min(len(self._kept), max(0, start - self.end)), dtype=np.float32)
        self._kept = np.concatenate([self._kept, gap, samples])[-(_SPAN + _MOST_DELAY + len(samples)) :]
        self.end = start + len(samples)

    def before(self, end: int, length: int) -> Samples:
        """Give so many samples up to media time `end`; silence where nothing is known."""
        begin = self.end - len(self._kept)
        known_from, known_to = max(end - length, begin), min(end, self.end)
        if known_to - known_from == length:
            return self._kept[known_from - begin : known_to - begin]
        cut = np.zeros(length, dtype=np.float32)
        if known_from < known_to:
            offset = known_from - (end - length)
            cut[offset : offset + known_to - known_from] = self._kept[known_from - begin : known_to - begin]
        return cut


def without_leaks(
    own: Trace, others: Sequence[Trace], start: int, probabilities: Probabilities, options: LeakOptions
) -> Probabilities:
    """Set the probabilities of windows of a leg, shape (windows,), to 0 where it repeats another leg.

    `start` is the media time of the first window, in samples; the traces must hold all of them already.
    """
    cleared = probabilities.copy()
    if not others:
        return cleared
    for place in np.flatnonzero(probabilities >= options.min_probability):
        end = start + (int(place) + 1) * WINDOW
        heard = own.before(end, _SPAN)
        if any(_repeats(heard, other.before(end, _SPAN + _MOST_DELAY), options) for other in others):
            cleared[place] = 0.0
    return cleared


def _repeats(heard: Samples, said: Samples, options: LeakOptions) -> bool:
    heard, said = heard[::_STEP], said[::_STEP]
    least = float(heard @ heard) * 10 ** (options.min_loss_db / 10)
    if not 0 < least < float(said @ said):
        return False
    power = np.concatenate([[0.0], np.cumsum(said.astype(np.float64) ** 2)])
    said_power = power[len(heard) :] - power[: -len(heard)]  # at each delay
    heard_power = float(heard @ heard)
    is_louder = said_power > least
    if not is_louder.any():
        return False
    spectrum = np.fft.rfft(said, _FFT) * np.conj(np.fft.rfft(heard, _FFT))
    product = np.fft.irfft(spectrum, _FFT)[: len(said_power)]
    alike = np.abs(product[is_louder]) / np.sqrt(said_power[is_louder] * heard_power)
    return bool(alike.max() >= options.min_correlation)
