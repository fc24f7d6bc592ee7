"""What a voice sounds like, in 256 numbers: the GE2E encoder of Resemblyzer (Wan et al., 2018).

In: the folder of its weights; sound. Out: prints, one for each window of 1.6 s: alike for one voice, whatever
it says.
Not known here: how many speak, who is who.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from asr.batch.speakers import Prints
from asr.batch.turns import STEP_S, WINDOW_S
from asr.types import SAMPLE_RATE_HZ, Samples

_FILE = "pretrained.pt"
_NUMBERS = 256
_BANDS = 40
_HOP = SAMPLE_RATE_HZ // 100
_FOURIER = 400  # samples: 25 ms
_WINDOW, _STEP = round(WINDOW_S * 100), round(STEP_S * 100)  # in hops
_LOUDNESS_DB = -30.0  # what is quieter is raised to it, as it was when the encoder learned
_AT_ONCE = 32


class Voices:
    """The opened encoder: 17 MB. It works on one core; for one thread."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)  # the processes that read share the machine; and sums keep their order
        weights = torch.load(folder / _FILE, map_location="cpu", weights_only=True)["model_state"]
        self._lstm = torch.nn.LSTM(_BANDS, _NUMBERS, 3, batch_first=True)
        self._linear = torch.nn.Linear(_NUMBERS, _NUMBERS)
        for name, part in (("lstm", self._lstm), ("linear", self._linear)):
            part.load_state_dict(
                {
                    key.removeprefix(f"{name}."): value
                    for key, value in weights.items()
                    if key.startswith(f"{name}.")
                }
            )
        self._filters = _mel_filters()
        self._hann = np.hanning(_FOURIER + 1)[:-1].astype(np.float32)

    def prints(self, samples: Samples) -> Prints:
        """One print for each window that lies within; one of what there is where it is shorter."""
        bands = self._bands(samples)
        bands = np.pad(bands, ((0, max(0, _WINDOW - len(bands))), (0, 0)))
        windows = np.stack([bands[at : at + _WINDOW] for at in range(0, len(bands) - _WINDOW + 1, _STEP)])
        with torch.inference_mode():
            found = [self._encode(windows[at : at + _AT_ONCE]) for at in range(0, len(windows), _AT_ONCE)]
        return np.concatenate(found)

    def _encode(self, windows: NDArray[np.float32]) -> Prints:
        _, (hidden, _) = self._lstm(torch.from_numpy(windows))
        raw = torch.relu(self._linear(hidden[-1]))
        prints: Prints = torch.nn.functional.normalize(raw, dim=1).numpy()
        return prints

    def _bands(self, samples: Samples) -> NDArray[np.float32]:
        """The power in mel bands, shape (hops, 40), not in decibels."""
        power = float(np.mean(np.square(samples, dtype=np.float64))) + 1e-12
        raised = max(1.0, 10 ** ((_LOUDNESS_DB - 10 * np.log10(power)) / 20))
        padded = np.pad(samples * np.float32(raised), _FOURIER // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, _FOURIER)[::_HOP] * self._hann
        spectrum = np.abs(np.fft.rfft(frames)) ** 2
        bands: NDArray[np.float32] = (spectrum @ self._filters).astype(np.float32)
        return bands


def _mel_filters() -> NDArray[np.float32]:
    """Triangles over the bins of a Fourier frame, evenly spaced on Slaney's scale, each of area 1."""
    edges_hz = _to_hz(np.linspace(0.0, _to_mel(SAMPLE_RATE_HZ / 2), _BANDS + 2))
    bins_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, _FOURIER // 2 + 1)
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters: NDArray[np.float32] = (triangles * (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None]).T.astype(
        np.float32
    )
    return filters


# Slaney's scale: even up to 1000 Hz (mel 15), from there on a factor of 6.4 in 27 steps
def _to_mel(hz: float) -> float:
    return hz * 3 / 200 if hz < 1000 else 15 + float(np.log(hz / 1000)) * 27 / float(np.log(6.4))


def _to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    hz: NDArray[np.float64] = np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))
    return hz
