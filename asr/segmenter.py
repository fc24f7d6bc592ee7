"""Cuts one leg's sound into utterances by its speech probabilities.

In: windows of samples with their probabilities, gaps in media time, hints from the text so far.
Out: `Utterance`s: open ones that grow, then each closed exactly once; they never overlap.
Not known here: clocks, threads, models, words.
"""

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from asr.endpoint import Ending, Hint
from asr.types import SAMPLE_RATE_HZ, Party, Samples, Utterance
from asr.vad import WINDOW, WINDOW_S, Probabilities

_CUT_SMOOTHING = np.full(5, 0.2)  # a pause of about 0.16 s is what a cut looks for


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterOptions:
    """When speech begins, ends and is shown. Raises `ValueError` for values that contradict each other."""

    start_probability: float = 0.5
    """A window at or above it begins an utterance."""
    stop_probability: float = 0.35
    """Within an utterance a window below it counts as silence."""
    pad_s: float = 0.3
    """Sound kept before the first and after the last window of speech."""
    min_speech_s: float = 0.16
    """Less speech than this between two pauses is a click and never becomes an utterance."""
    guess_silence_s: float = 0.13
    """The pause at which an utterance is given out for the case that it ends here."""
    settled_silence_s: float = 0.3
    """The pause at which it is given out once more, because it is likely to end here."""
    min_silence_s: float = 0.6
    """The pause that ends a short utterance of unknown ending: a few words alone are heard badly."""
    long_silence_s: float = 0.42
    """The pause that ends a long one: cutting it harms little, and its text takes longer to make."""
    short_until_s: float = 2.5
    """Up to this length an utterance is short."""
    long_from_s: float = 5.0
    """From this length on it is long; in between the pause shrinks evenly."""
    finished_silence_s: float = 0.38
    """The pause that ends an utterance whose text is a complete sentence."""
    dictation_silence_s: float = 1.0
    """The pause that ends an utterance that stands in the middle of a number or an address."""
    max_utterance_s: float = 12.0
    """At this length the utterance is cut where it is quietest."""
    cut_search_s: float = 5.0
    """How far back from the maximum length the quietest place is looked for."""
    impatient_after_s: float = 5.0
    """From this length on ever shorter pauses suffice."""
    impatient_silence_s: float = 0.3
    """The pause that suffices when the maximum length is nearly reached."""
    open_from_s: float = 0.8
    """Sound before an open utterance is given out for the first time."""
    open_every_s: float = 0.8
    """New sound before it is given out again."""

    def __post_init__(self) -> None:
        if not 0.0 < self.stop_probability <= self.start_probability < 1.0:
            raise ValueError("0 < stop_probability <= start_probability < 1 must hold.")
        if not WINDOW_S <= self.pad_s <= min(self.impatient_silence_s, self.settled_silence_s):
            raise ValueError("pad_s must be one window at least and not above the pauses.")
        if not WINDOW_S <= self.guess_silence_s < self.settled_silence_s:
            raise ValueError("guess_silence_s must be one window at least and below settled_silence_s.")
        shortest = min(self.long_silence_s, self.finished_silence_s, self.dictation_silence_s)
        if self.long_silence_s > self.min_silence_s or not 0.0 <= self.short_until_s < self.long_from_s:
            raise ValueError("long_silence_s must not be above min_silence_s, nor short_until_s long_from_s.")
        if max(self.impatient_silence_s, self.settled_silence_s) > shortest:
            raise ValueError("impatient_silence_s and settled_silence_s must not be above the other pauses.")
        if not WINDOW_S <= self.min_speech_s <= 1.0:
            raise ValueError("min_speech_s must lie between one window and 1 s.")
        if not 0.5 < self.cut_search_s < self.max_utterance_s <= 28.0:
            raise ValueError("0.5 s < cut_search_s < max_utterance_s <= 28 s must hold.")
        if not 0.0 < self.impatient_after_s <= self.max_utterance_s:
            raise ValueError("impatient_after_s must lie between 0 and max_utterance_s.")
        if self.open_from_s <= 0 or self.open_every_s <= 0:
            raise ValueError("open_from_s and open_every_s must be above 0.")

    def silence_s(self, length_s: float, ending: Ending) -> float:
        """Say which pause ends an utterance of this length whose text ends like this."""
        known = {Ending.FINISHED: self.finished_silence_s, Ending.DICTATION: self.dictation_silence_s}
        wanted = known.get(ending)
        if wanted is None:
            grown = (length_s - self.short_until_s) / (self.long_from_s - self.short_until_s)
            grown = min(1.0, max(0.0, grown))
            wanted = self.min_silence_s + (self.long_silence_s - self.min_silence_s) * grown
        span = self.max_utterance_s - self.impatient_after_s
        late = min(1.0, max(0.0, length_s - self.impatient_after_s) / span) if span else 0.0
        return wanted + (self.impatient_silence_s - wanted) * late


@dataclass(slots=True, kw_only=True)
class _Growing:
    """An utterance under way, window by window."""

    start: int  # media time in samples
    windows: list[Samples] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    voiced: int = 0  # windows of speech
    surety: float = 0.0  # sum of their probabilities
    speech_end: int = 0  # windows up to and including the last one of speech
    shown: int = 0  # windows in the last open utterance that was given out
    is_rest: bool = False  # begins where a cut was made, so even a little speech belongs to somebody

    def add(self, window: Samples, probability: float, stop: float) -> None:
        self.windows.append(window)
        self.probabilities.append(probability)
        if probability >= stop:
            self.voiced += 1
            self.surety += probability
            self.speech_end = len(self.windows)

    @property
    def speech_prob(self) -> float:
        """Mean probability of the windows of speech."""
        return self.surety / self.voiced if self.voiced else 0.0

    @property
    def silent(self) -> int:
        """Windows of silence at the end."""
        return len(self.windows) - self.speech_end


class Segmenter:
    """Segments one leg; the same sound gives the same closed utterances however it is chunked."""

    def __init__(
        self, *, call_id: str, party: Party, options: SegmenterOptions, first_number: int = 1
    ) -> None:
        self._call_id = call_id
        self._party = party
        self._options = options
        self._number = first_number  # of the utterance that is open or comes next
        self._position = 0  # media time of the next window, in samples
        self._pad_windows = round(options.pad_s / WINDOW_S)
        self._guess_windows = round(options.guess_silence_s / WINDOW_S)
        self._settled_windows = round(options.settled_silence_s / WINDOW_S)
        self._min_voiced = max(1, round(options.min_speech_s / WINDOW_S))
        self._before: deque[Samples] = deque(maxlen=self._pad_windows)
        self._growing: _Growing | None = None
        self._hint: Hint | None = None

    @property
    def position(self) -> int:
        """Media time of the next window, in samples."""
        return self._position

    def expect(self, hint: Hint) -> None:
        """Take note of what the text of an open utterance says; ignored once that one is closed."""
        self._hint = hint

    def feed(self, samples: Samples, probabilities: Probabilities) -> list[Utterance]:
        """Take whole windows, shape (windows * 512,), and their probabilities, shape (windows,).

        Gives the utterances closed by them and, last, the open one where it grew enough to be shown.
        """
        given: list[Utterance] = []
        for window, probability in zip(samples.reshape(-1, WINDOW), probabilities, strict=True):
            for utterance in self._step(window, float(probability)):
                if given and not given[-1].is_closed:
                    given.pop()  # overtaken within this very block
                given.append(utterance)
        return given

    def finish(self) -> list[Utterance]:
        """Close what is open: nothing follows, or not at once."""
        closed = self._close(self._growing) if self._growing else []
        self._before.clear()
        return closed

    def jump(self, position: int) -> list[Utterance]:
        """Go on at a later media time (in samples); what is open is closed before the gap."""
        if position < self._position:
            raise ValueError("Media time cannot go back.")
        closed = self.finish()
        self._position = position
        return closed

    def _step(self, window: Samples, probability: float) -> list[Utterance]:
        self._position += WINDOW
        if self._growing is None:
            if probability < self._options.start_probability:
                self._before.append(window)
                return []
            self._growing = self._begin(window, probability)
        else:
            self._growing.add(window, probability, self._options.stop_probability)
        growing = self._growing
        length_s = len(growing.windows) * WINDOW_S
        if growing.silent >= round(self._options.silence_s(length_s, self._ending(growing)) / WINDOW_S):
            return self._close(growing)
        if length_s >= self._options.max_utterance_s:
            return self._cut(growing)
        return self._show(growing)

    def _begin(self, window: Samples, probability: float) -> _Growing:
        growing = _Growing(start=self._position - WINDOW * (len(self._before) + 1))
        for earlier in self._before:
            # padding is no speech, even where it lies above the lower threshold
            growing.add(earlier, 0.0, self._options.stop_probability)
        growing.add(window, probability, self._options.stop_probability)
        self._before.clear()
        return growing

    def _ending(self, growing: _Growing) -> Ending:
        hint = self._hint
        if hint is None or hint.number != self._number:
            return Ending.UNKNOWN
        speech_end_s = (growing.start + growing.speech_end * WINDOW) / SAMPLE_RATE_HZ
        if hint.ending is Ending.FINISHED and speech_end_s > hint.until_s:
            return Ending.UNKNOWN  # the sentence went on
        return hint.ending

    def _is_speech(self, growing: _Growing) -> bool:
        return growing.voiced >= (1 if growing.is_rest else self._min_voiced)

    def _show(self, growing: _Growing) -> list[Utterance]:
        if not self._is_speech(growing):
            return []
        length = len(growing.windows)
        is_guess = growing.silent == self._guess_windows
        is_settled = is_guess or growing.silent == self._settled_windows
        wanted_s = self._options.open_every_s if growing.shown else self._options.open_from_s
        is_grown = not growing.silent and (length - growing.shown) * WINDOW_S >= wanted_s
        if not is_settled and not is_grown:
            return []
        growing.shown = length
        # just what would be kept if it were closed, so that it need not be recognised again
        kept = self._kept(growing) if is_settled else length
        return [self._utterance(growing, kept, is_settled=is_settled, is_guess=is_guess)]

    def _close(self, growing: _Growing) -> list[Utterance]:
        kept = self._kept(growing)
        self._growing = None
        self._before.extend(growing.windows[kept:])
        if not self._is_speech(growing):
            return []
        return [self._closed(growing, kept)]

    def _kept(self, growing: _Growing) -> int:
        """Windows that belong to the utterance if it ends here."""
        return min(len(growing.windows), growing.speech_end + self._pad_windows)

    def _cut(self, growing: _Growing) -> list[Utterance]:
        cut = self._quietest(growing)
        rest = _Growing(start=growing.start + cut * WINDOW, is_rest=True)
        for window, probability in zip(growing.windows[cut:], growing.probabilities[cut:], strict=True):
            rest.add(window, probability, self._options.stop_probability)
        head = replace(
            growing,
            windows=growing.windows[:cut],
            probabilities=growing.probabilities[:cut],
            voiced=growing.voiced - rest.voiced,
            surety=growing.surety - rest.surety,
        )
        self._growing = rest if rest.voiced else None
        if self._growing is None:
            self._before.extend(rest.windows)
        return [self._closed(head, cut)] if self._is_speech(head) else []

    def _quietest(self, growing: _Growing) -> int:
        """Find the window to cut before: least speech and least loud over about 0.16 s; the later wins."""
        first = len(growing.windows) - round(self._options.cut_search_s / WINDOW_S)
        searched = slice(first, len(growing.windows) - self._pad_windows)
        loudness = np.array([float(np.sqrt(np.mean(window**2))) for window in growing.windows[searched]])
        score = np.array(growing.probabilities[searched]) + loudness / max(float(loudness.max()), 1e-6)
        smooth = np.convolve(np.pad(score, 2, mode="edge"), _CUT_SMOOTHING, mode="valid")
        return first + len(smooth) - 1 - int(np.argmin(smooth[::-1]))

    def _closed(self, growing: _Growing, length: int) -> Utterance:
        utterance = self._utterance(growing, length, is_closed=True)
        self._number += 1
        return utterance

    def _utterance(
        self,
        growing: _Growing,
        length: int,
        *,
        is_closed: bool = False,
        is_settled: bool = False,
        is_guess: bool = False,
    ) -> Utterance:
        return Utterance(
            call_id=self._call_id,
            party=self._party,
            number=self._number,
            start_s=growing.start / SAMPLE_RATE_HZ,
            end_s=(growing.start + length * WINDOW) / SAMPLE_RATE_HZ,
            samples=np.concatenate(growing.windows[:length]),
            is_closed=is_closed,
            is_settled=is_settled,
            is_guess=is_guess,
            voiced_s=growing.voiced * WINDOW_S,
            speech_prob=growing.speech_prob,
            speech_end_s=(growing.start + min(growing.speech_end, length) * WINDOW) / SAMPLE_RATE_HZ,
        )
