"""Sounds of a telephone line in which nobody speaks, made for measuring and for tests.

In: the name of a sound, its length and a seed. Out: samples, 16 kHz, as a telephone band lets them through.
Not known here: recognition; recordings of people or of music, of which none is used.
"""

from collections.abc import Callable

import numpy as np
import soxr
from numpy.typing import NDArray

from asr.types import SAMPLE_RATE_HZ, Samples

_LINE_HZ = 8_000
_KEYS_HZ = {
    key: (low, high)
    for low, row in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for high, key in zip((1209, 1336, 1477, 1633), row, strict=True)
}
_CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))  # semitones above C4: C, Am, F, G
_C4_HZ = 261.63

Wave = NDArray[np.float64]


def make_sound(name: str, seconds: float, *, seed: int = 7) -> Samples:
    """Make one of `SOUNDS`; the same seed makes the same sound. Raises `KeyError`."""
    rng = np.random.default_rng(seed)
    wave = SOUNDS[name](np.arange(round(seconds * _LINE_HZ)) / _LINE_HZ, rng)
    over_the_line = np.clip(wave + 10 ** (-62 / 20) * rng.standard_normal(len(wave)), -1.0, 1.0)
    sound: Samples = soxr.resample(over_the_line.astype(np.float32), _LINE_HZ, SAMPLE_RATE_HZ)
    return sound


def _silence(t: Wave, rng: np.random.Generator) -> Wave:
    return np.zeros_like(t)


def _line_noise(t: Wave, rng: np.random.Generator) -> Wave:
    hum = 0.004 * np.sin(2 * np.pi * 50 * t) + 0.002 * np.sin(2 * np.pi * 150 * t)
    crackle = (rng.random(len(t)) < 2e-4) * rng.uniform(-0.3, 0.3, len(t))
    return hum + crackle + 0.01 * rng.standard_normal(len(t))


def _pink_noise(t: Wave, rng: np.random.Generator) -> Wave:
    spectrum = np.fft.rfft(rng.standard_normal(len(t)))
    spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
    pink = np.fft.irfft(spectrum, len(t))
    return 0.1 * pink / max(1e-9, float(np.abs(pink).std()) * 3)


def _ring_back(t: Wave, rng: np.random.Generator) -> Wave:
    return 0.25 * np.sin(2 * np.pi * 450 * t) * (t % 5.0 < 1.0)


def _busy_tone(t: Wave, rng: np.random.Generator) -> Wave:
    return 0.25 * np.sin(2 * np.pi * 450 * t) * (t % 0.7 < 0.35)


def _keys(t: Wave, rng: np.random.Generator) -> Wave:
    wave = np.zeros_like(t)
    for start in np.arange(0.2, t[-1] if len(t) else 0.0, 0.25):
        low, high = _KEYS_HZ[rng.choice(list(_KEYS_HZ))]
        is_on = (t >= start) & (t < start + 0.12)
        wave += is_on * 0.2 * (np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t))
    return wave


def _hold_music(t: Wave, rng: np.random.Generator) -> Wave:
    """Broken chords with overtones and a bass, four to the bar at 96 beats a minute."""
    wave = np.zeros_like(t)
    beat_s = 60 / 96
    for number, start in enumerate(np.arange(0.0, t[-1] if len(t) else 0.0, beat_s / 2)):
        chord = _CHORDS[number // 8 % len(_CHORDS)]
        notes = [chord[number % 3] + 12 * (number % 4 == 3)] + ([chord[0] - 12] if number % 4 == 0 else [])
        first, last = np.searchsorted(t, [start, start + 1.2])
        since = t[first:last] - start
        for note in notes:
            hz = _C4_HZ * 2 ** (note / 12)
            swell = np.minimum(1.0, since / 0.01) * np.exp(-since * 3)
            for overtone, strength in enumerate((1.0, 0.5, 0.3, 0.15), 1):
                wave[first:last] += 0.12 * strength * swell * np.sin(2 * np.pi * hz * overtone * since)
    return wave


def _breathing(t: Wave, rng: np.random.Generator) -> Wave:
    """Air over a microphone: in for a second, out for a longer one, every four seconds."""
    phase = t % 4.0
    swell = np.where(phase < 1.2, np.sin(np.pi * phase / 1.2), 0.0)
    swell += np.where((phase > 1.8) & (phase < 3.4), 1.3 * np.sin(np.pi * (phase - 1.8) / 1.6), 0.0)
    return 0.06 * np.clip(swell, 0, None) * _band(rng.standard_normal(len(t)), 300, 2500)


def _cough(t: Wave, rng: np.random.Generator) -> Wave:
    """Two bursts with a sharp onset, every five seconds."""
    wave = _band(rng.standard_normal(len(t)), 250, 3000)
    swell = np.zeros_like(t)
    for delay, strength in ((0.5, 0.5), (0.95, 0.35)):
        since = t % 5.0 - delay
        swell += strength * np.where(since >= 0, np.exp(-since * 14) * np.minimum(1.0, since / 0.006), 0.0)
    return 0.5 * swell * wave


def _band(wave: Wave, low_hz: float, high_hz: float) -> Wave:
    spectrum = np.fft.rfft(wave)
    hz = np.fft.rfftfreq(len(wave), 1 / _LINE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    return np.fft.irfft(spectrum, len(wave))


SOUNDS: dict[str, Callable[[Wave, np.random.Generator], Wave]] = {
    "silence": _silence,
    "line noise": _line_noise,
    "pink noise": _pink_noise,
    "ring-back": _ring_back,
    "busy tone": _busy_tone,
    "keys": _keys,
    "hold music": _hold_music,
    "breathing": _breathing,
    "cough": _cough,
}
"""By name."""
