"""What the citizen wants of the city, and how soon somebody has to act.

In: the pieces of a call, titles of the nearest articles, the lists of cues.
Out: two fields, type and urgency.
Not known here: which articles there are.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from calls.wrapup.examples import CALM, Alarm
from calls.wrapup.pieces import Piece
from calls.wrapup.types import UNKNOWN, Field, Kind, Span, Urgency

_CLAUSE = re.compile(r"[^，,。！？!?；;]+[，,。！？!?；;]?")
_NOT_NOW = re.compile(
    "如果|要是|万一|假如|以后|上次|上回|去年|前年|以前|前几年|防止|避免|预防|会不会|不急|不着急"
)
_DENIED = re.compile("(?:没有?|不是|不会|不用|没什么|倒没|不属于|不算)[\u4e00-\u9fff]{0,2}$")
_OPERATORS_SHARE = 0.6
_SAYS_BACK = re.compile("您(?:是|就是|主要)?(?:想|要|反映|咨询|投诉|举报|建议|说的|的意思)")
"""Where the operator speaks of what the citizen wants; elsewhere it may be about whom else to complain to."""
_LEAST = 1.0
_LIKENESS_WEIGHT = 5.0
"""A little more than saying outright what one wants."""
_UNKNOWN_ASKS = 2.0
"""For 咨询, where no article speaks of the matter: who has the wrong number wants nothing done."""
_BEGINS, _IS_ENOUGH = 0.4, 0.8
"""Strength of an alarm at which it begins to count, and at which it is enough by itself."""


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
    operators: tuple[Cue, ...] = ()
    """For urgency, of what the operator says."""

    @classmethod
    def read(cls, rows: Iterable[str]) -> "Cues":
        """Read lines of `field,value,weight,pattern`; raises `ValueError` for a value that is none."""
        found: dict[str, list[Cue]] = defaultdict(list)
        for row in csv.DictReader(rows):
            is_urgency = row["field"] in ("urgency", "operator")
            value = Urgency(row["value"]) if is_urgency else Kind(row["value"])
            cue = Cue(value=value, pattern=re.compile(row["pattern"]), weight=float(row["weight"]))
            found[row["field"]].append(cue)
        return cls(
            kinds=tuple(found["kind"]),
            titles=tuple(found["title"]),
            urgencies=tuple(found["urgency"]),
            operators=tuple(found["operator"]),
        )


def find_kind(
    pieces: Sequence[Piece],
    titles: Sequence[tuple[str, float]],
    cues: Cues,
    likeness: Mapping[str, float],
) -> Field:
    """Weigh the cues, the likeness to examples, and the nearest articles' titles, each with its share.

    No titles means that no article speaks of the matter.
    """
    votes: dict[str, float] = defaultdict(float)
    spans: dict[str, list[Span]] = defaultdict(list)
    for cue in cues.kinds:
        heard = [
            (piece, found)
            for piece in pieces
            if (piece.is_citizens or _SAYS_BACK.search(piece.text))
            and (found := cue.pattern.search(piece.text))
        ]
        if heard:
            # Said again and again means hardly more than said once.
            shares = sorted((1.0 if p.is_citizens else _OPERATORS_SHARE for p, _ in heard), reverse=True)
            votes[cue.value] += cue.weight * (shares[0] + 0.25 * min(2, len(shares) - 1))
            spans[cue.value] += [_span(piece, found) for piece, found in heard]
    for title, share in titles:
        for cue in cues.titles:
            if cue.pattern.search(title):
                votes[cue.value] += cue.weight * share
    if not votes and not titles:
        return UNKNOWN
    if not titles:
        votes[Kind.ASKS] += _UNKNOWN_ASKS
    for value, share in likeness.items():
        votes[value] += _LIKENESS_WEIGHT * share
    return _winner(votes, spans)


def find_urgency(pieces: Sequence[Piece], kind: str, cues: Cues, alarm: Alarm = CALM) -> Field:
    """Judge by what is happening now; dangers that are feared, asked about or over do not count."""
    if not any(piece.is_citizens for piece in pieces):
        return UNKNOWN
    votes: dict[str, float] = defaultdict(float)
    spans: dict[str, list[Span]] = defaultdict(list)
    for piece in pieces:
        for clause in _CLAUSE.finditer(piece.text):
            if _NOT_NOW.search(clause[0]):
                continue
            for cue in cues.urgencies if piece.is_citizens else cues.operators:
                found = cue.pattern.search(piece.text, clause.start(), clause.end())
                if found and not _DENIED.search(piece.text, clause.start(), found.start()):
                    votes[cue.value] = votes[cue.value] + cue.weight
                    spans[cue.value].append(_span(piece, found))
    strength = min(1.0, max(0.0, (alarm.strength - _BEGINS) / (_IS_ENOUGH - _BEGINS)))
    if strength:
        votes[Urgency.URGENT] += strength
        spans[Urgency.URGENT] += alarm.spans
    asks = kind in (Kind.ASKS, Kind.SUGGESTS)
    for value in (Urgency.AT_ONCE, Urgency.URGENT):
        votes_for = votes[value] * (0.5 if asks and value is Urgency.URGENT else 1.0)
        if votes_for >= _LEAST:
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
