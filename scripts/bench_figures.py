"""What a live run is judged by: lags, flicker, what was lost or doubled, errors.

In: calls as they were played, each with what its screen was sent and when.
Out: figures, for one run. `docs/benchmarks.md` says how each is meant.
Not known here: sockets, processes, clocks: every time is in seconds since the call's first sample was spoken.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from asr.types import Party
from scripts.call_data import ReferenceCall, Turn
from scripts.text_scores import TextErrors, compare

Span: TypeAlias = tuple[float, float]

_TOUCH_S = 0.25  # a final that shares less with a turn merely has its margin in it
_SURVIVORS = 2  # characters that must last for a partial to count as the first
_WINDOW_S = 0.02
_AUDIBLE_DB = 30.0  # below the loud parts of its turn a window is a pause
_BRIDGED_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One text as it arrived at the screen."""

    at_s: float
    segment_id: str
    party: Party
    start_s: float
    end_s: float
    text: str
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedCall:
    """One call as it was played, up to `played_s` of its recording."""

    reference: ReferenceCall
    speech: dict[Party, list[Span]]
    """Where each party is audible; see `audible`."""
    played_s: float
    shown: list[Shown]
    dropped_s: float = 0.0
    """Sound that the server said it could not listen to in time."""
    call_id: str = ""
    """Under which the server has it."""
    began_s: float = 0.0
    """When its first sample was spoken, by the loop's clock."""

    def turns(self) -> list[Turn]:
        """The turns that were played to their end."""
        return [turn for turn in self.reference.turns if turn.end_s <= self.played_s]

    def finals(self, party: Party) -> list[Shown]:
        """The finals of a leg that left text on the screen, by their start."""
        found = [one for one in self.shown if one.is_final and one.text and one.party is party]
        return sorted(found, key=lambda one: one.start_s)


@dataclass(slots=True, kw_only=True)
class Figures:
    """What is added up over calls."""

    final_lags_s: list[float] = field(default_factory=list)
    first_lags_s: list[float] = field(default_factory=list)
    cadences_s: list[float] = field(default_factory=list)
    shown_characters: int = 0
    changed_characters: int = 0
    speech_s: float = 0.0
    lost_s: float = 0.0
    doubled_s: float = 0.0
    lost_turns: int = 0
    dropped_s: float = 0.0
    errors: TextErrors = field(default_factory=TextErrors)

    def add(self, call: PlayedCall) -> None:
        """Count one call in."""
        self.dropped_s += call.dropped_s
        self._add_lags(call)
        self._add_flicker(call)
        for party in call.reference.parties:
            self._add_coverage(call, party)
            self.errors += _errors(call, party)

    def _add_lags(self, call: PlayedCall) -> None:
        by_segment = _by_segment(call.shown)
        for turn in call.turns():
            finals = [one for one in call.finals(turn.party) if _touches(one, turn)]
            if not finals:
                self.lost_turns += 1
                continue
            self.final_lags_s.append(max(one.at_s for one in finals) - turn.end_s)
            first = [
                one.at_s
                for final in finals
                for one in by_segment[final.segment_id]
                if _survivors(one.text, final.text) >= min(_SURVIVORS, len(letters(final.text)))
            ]
            self.first_lags_s.append(min(first) - turn.start_s)

    def _add_flicker(self, call: PlayedCall) -> None:
        for history in _by_segment(call.shown).values():
            self.cadences_s += [later.at_s - earlier.at_s for earlier, later in pairwise(history)]
            for earlier, later in pairwise(["", *(letters(one.text) for one in history)]):
                kept = len(earlier) - _gone(earlier, later)
                self.changed_characters += len(earlier) - kept
                self.shown_characters += len(later) - kept

    def _add_coverage(self, call: PlayedCall, party: Party) -> None:
        until_s = max((turn.end_s for turn in call.turns() if turn.party is party), default=0.0)
        speech = [(start, min(end, until_s)) for start, end in call.speech.get(party, []) if start < until_s]
        finals = [(one.start_s, one.end_s) for one in call.finals(party)]
        once, twice = _coverage(finals)
        self.speech_s += _length(speech)
        self.lost_s += _length(speech) - _shared(speech, once)
        self.doubled_s += _shared(speech, twice)


def audible(samples: NDArray[np.int16], rate_hz: int, turns: Iterable[Turn]) -> list[Span]:
    """Find where somebody is heard within the turns of one leg, shape (n,): pauses are no speech.

    A window of 20 ms counts when it is at most 30 dB below the loud parts (95th percentile) of its
    turn; gaps up to 0.1 s are bridged.
    """
    step = round(_WINDOW_S * rate_hz)
    spans: list[Span] = []
    for turn in turns:
        clip = samples[round(turn.start_s * rate_hz) : round(turn.end_s * rate_hz)].astype(np.float64)
        windows = clip[: len(clip) // step * step].reshape(-1, step)
        if not len(windows):
            continue
        loudness_db = 10 * np.log10(np.mean(windows**2, axis=1) + 1e-9)
        is_heard = loudness_db > np.percentile(loudness_db, 95) - _AUDIBLE_DB
        for at in np.flatnonzero(is_heard):
            start = turn.start_s + float(at) * _WINDOW_S
            if spans and start - spans[-1][1] <= _BRIDGED_S:
                spans[-1] = (spans[-1][0], start + _WINDOW_S)
            else:
                spans.append((start, start + _WINDOW_S))
    return spans


def letters(text: str) -> str:
    """Leave out punctuation and spaces: they may come and go without anybody noticing."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text) if sign.isalnum())


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Interpolate a percentile; None of nothing."""
    return round(float(np.percentile(values, percent)), 3) if values else None


def _by_segment(shown: Iterable[Shown]) -> dict[str, list[Shown]]:
    found: dict[str, list[Shown]] = defaultdict(list)
    for one in shown:
        found[one.segment_id].append(one)
    return found


def _touches(one: Shown, turn: Turn) -> bool:
    shared = min(one.end_s, turn.end_s) - max(one.start_s, turn.start_s)
    return shared >= min(_TOUCH_S, (turn.end_s - turn.start_s) / 2)


def _gone(earlier: str, later: str) -> int:
    """Count the characters of the earlier text that are not in their place in the later one."""
    edits = Levenshtein.editops(earlier, later)
    return sum(edit.tag != "insert" for edit in edits)


def _survivors(partial: str, final: str) -> int:
    early = letters(partial)
    return len(early) - _gone(early, letters(final))


def _errors(call: PlayedCall, party: Party) -> TextErrors:
    said = [turn for turn in call.turns() if turn.party is party]
    until_s = max((turn.end_s for turn in said), default=0.0)
    heard = [one.text for one in call.finals(party) if one.start_s < until_s]
    return compare(" ".join(turn.text for turn in said), " ".join(heard))


def _coverage(spans: Iterable[Span]) -> tuple[list[Span], list[Span]]:
    """Where at least one and where at least two of the spans lie."""
    edges = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    once: list[Span] = []
    twice: list[Span] = []
    depth, before = 0, 0.0
    for at, step in edges:
        for level, found in ((1, once), (2, twice)):
            if depth >= level and at > before:
                found.append((before, at))
        depth, before = depth + step, at
    return once, twice


def _length(spans: Iterable[Span]) -> float:
    return sum(end - start for start, end in spans)


def _shared(spans: Sequence[Span], others: Sequence[Span]) -> float:
    """Length that both have in common; the spans of each do not overlap one another."""
    return sum(
        max(0.0, min(end, other_end) - max(start, other_start))
        for start, end in spans
        for other_start, other_end in others
    )
