"""What the citizen wants of the city, and how soon somebody has to act.

In: the pieces of a call, titles of the nearest articles, the lists of cues.
Out: two fields, type and urgency.
Not known here: which articles there are.
"""

import csv
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calls.wrapup.pieces import Piece
from calls.wrapup.topics import Embed
from calls.wrapup.types import UNKNOWN, Field, Kind, Span, Urgency

_CLAUSE = re.compile(r"[^，,。！？!?；;]+[，,。！？!?；;]?")
_NOT_NOW = re.compile(
    "如果|要是|万一|假如|以后|上次|上回|去年|前年|以前|前几年|防止|避免|预防|会不会|不急|不着急"
)
_DENIED = re.compile("(?:没有?|不是|不会|不用|没什么|倒没)[\u4e00-\u9fff]{0,2}$")
_OPERATORS_SHARE = 0.6
_LEAST = 1.0
_NEAREST = 3
_SHARPNESS = 30.0
_LIKENESS_WEIGHT = 3.0
"""As much as saying outright what one wants."""
_PIECES = 6
_DECAY = 0.8
_EXAMPLE_CHARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Words that speak for a value."""

    value: str
    pattern: re.Pattern[str]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """The lists for type and urgency."""

    kinds: tuple[Cue, ...]
    titles: tuple[Cue, ...]
    """Of article titles: what such articles are usually asked for."""
    urgencies: tuple[Cue, ...]

    @classmethod
    def read(cls, rows: Iterable[str]) -> "Cues":
        """Read lines of `field,value,weight,pattern`; raises `ValueError` for a value that is none."""
        found: dict[str, list[Cue]] = defaultdict(list)
        for row in csv.DictReader(rows):
            value = Urgency(row["value"]) if row["field"] == "urgency" else Kind(row["value"])
            cue = Cue(value=value, pattern=re.compile(row["pattern"]), weight=float(row["weight"]))
            found[row["field"]].append(cue)
        return cls(
            kinds=tuple(found["kind"]), titles=tuple(found["title"]), urgencies=tuple(found["urgency"])
        )


class Examples:
    """Sentences written for each type; what is said is held against the nearest of each."""

    def __init__(self, rows: Iterable[str], embed: Embed) -> None:
        """Read lines of `value,text`; raises `ValueError` for a value that is none."""
        read = [(Kind(row["value"]), row["text"]) for row in csv.DictReader(rows)]
        self._vectors = np.array([embed(text) for _, text in read], np.float32)
        self._rows = {kind: [i for i, (own, _) in enumerate(read) if own is kind] for kind in Kind}

    def shares(self, pieces: Sequence[Piece], embed: Embed) -> dict[str, float]:
        """For each type its share, 1 together, of what the citizen's first pieces with a matter say."""
        total = dict.fromkeys(self._rows, 0.0)
        weight, sum_of_weights = 1.0, 0.0
        for piece in [each for each in pieces if each.is_citizens and len(each.text) >= _EXAMPLE_CHARS][
            :_PIECES
        ]:
            cosines = np.einsum("ij,j->i", self._vectors, embed(piece.text))
            near = {
                kind: float(np.sort(cosines[rows])[-_NEAREST:].mean())
                for kind, rows in self._rows.items()
                if rows
            }
            best = max(near.values())
            odds = {kind: math.exp((cosine - best) * _SHARPNESS) for kind, cosine in near.items()}
            for kind, odd in odds.items():
                total[kind] += weight * odd / sum(odds.values())
            sum_of_weights += weight
            weight *= _DECAY
        return {str(kind): share / (sum_of_weights or 1.0) for kind, share in total.items()}


def find_kind(
    pieces: Sequence[Piece],
    titles: Sequence[tuple[str, float]],
    cues: Cues,
    likeness: Mapping[str, float],
) -> Field:
    """Weigh the cues, the likeness to examples, and the nearest articles' titles, each with its share."""
    votes: dict[str, float] = defaultdict(float)
    spans: dict[str, list[Span]] = defaultdict(list)
    for cue in cues.kinds:
        heard = [(piece, found) for piece in pieces if (found := cue.pattern.search(piece.text))]
        if heard:
            # Said again and again means hardly more than said once.
            shares = sorted((1.0 if p.is_citizens else _OPERATORS_SHARE for p, _ in heard), reverse=True)
            votes[cue.value] += cue.weight * (shares[0] + 0.25 * min(2, len(shares) - 1))
            spans[cue.value] += [_span(piece, found) for piece, found in heard]
    for title, share in titles:
        for cue in cues.titles:
            if cue.pattern.search(title):
                votes[cue.value] += cue.weight * share
    if not votes:
        return UNKNOWN
    for value, share in likeness.items():
        votes[value] += _LIKENESS_WEIGHT * share
    return _winner(votes, spans)


def find_urgency(pieces: Sequence[Piece], kind: str, cues: Cues) -> Field:
    """Judge by what is happening now; dangers that are feared, asked about or over do not count."""
    if not any(piece.is_citizens for piece in pieces):
        return UNKNOWN
    votes: dict[str, float] = defaultdict(float)
    spans: dict[str, list[Span]] = defaultdict(list)
    for piece in pieces:
        if not piece.is_citizens:
            continue
        for clause in _CLAUSE.finditer(piece.text):
            if _NOT_NOW.search(clause[0]):
                continue
            for cue in cues.urgencies:
                found = cue.pattern.search(piece.text, clause.start(), clause.end())
                if found and not _DENIED.search(piece.text, clause.start(), found.start()):
                    votes[cue.value] = votes[cue.value] + cue.weight
                    spans[cue.value].append(_span(piece, found))
    asks = kind in (Kind.ASKS, Kind.SUGGESTS)
    for value, least in ((Urgency.AT_ONCE, 1.0), (Urgency.URGENT, 1.0)):
        votes_for = votes[value] * (0.5 if asks and value is Urgency.URGENT else 1.0)
        if votes_for >= least:
            sure = min(0.9, 0.5 + 0.15 * votes_for)
            return Field(value=value, confidence=sure, spans=tuple(dict.fromkeys(spans[value])))
    return Field(value=Urgency.USUAL, confidence=0.6)


def _winner(votes: dict[str, float], spans: dict[str, list[Span]]) -> Field:
    best = max(votes, key=lambda value: votes[value], default="")
    if not best or votes[best] < _LEAST:
        return UNKNOWN
    share = votes[best] / sum(votes.values())
    return Field(value=best, confidence=min(0.95, share), spans=tuple(dict.fromkeys(spans[best])))


def _span(piece: Piece, found: re.Match[str]) -> Span:
    at = piece.span.start
    return Span(segment_id=piece.span.segment_id, start=at + found.start(), end=at + found.end())
