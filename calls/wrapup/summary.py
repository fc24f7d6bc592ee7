"""One line and a few sentences that say what the call was about, in the words of the call.

In: the votes of the pieces, the place that was found, where name and number were dictated.
Out: two fields, summary and detail.
Not known here: what the words mean.
"""

import re
from collections.abc import Sequence

import numpy as np

from calls.wrapup.pieces import Piece
from calls.wrapup.topics import Votes
from calls.wrapup.types import UNKNOWN, Field, Span

SUMMARY_CHARS = 60
_SENTENCES = 4
_DETAIL_PIECE_CHARS = 90
_FILLER = re.compile(
    "(?:^|(?<=[，,。！？!?；;、]))(?:喂|嗯+|呃+|啊|哎呀|哎|诶|哦|你好|您好|你们好|是这样的?|这样的|就是说|就是|那个|这个|然后呢?|对|好的?|那"
    "|我跟你说|我想|不好意思|麻烦你?|请问(?:一下)?)+[，,、]?"
)
_STOP = re.compile("[。！？!?；;]+(?=.)")
_CLAUSE = re.compile(r"[^，,。！？!?；;]+")
_NUMBER = re.compile(r"1[3-9][0-9]{9}|[0-9零一二三四五六七八九幺]{7,}")


def summarise(votes: Votes, place: Field, dictated: Sequence[Span] = ()) -> tuple[Field, Field]:
    """Write both; empty where nobody has told a matter. Sentences around what was dictated are left out."""
    citizens = [
        (piece, share)
        for piece, share in votes.by_piece
        if piece.is_citizens and not any(_holds(piece.span, span) for span in dictated)
    ]
    if not citizens:
        return UNKNOWN, UNKNOWN
    main = int(np.argmax(votes.scores))
    weights = [float(share[main] + 0.2 * share.max()) for _, share in citizens]
    best = max(range(len(citizens)), key=lambda i: weights[i])
    line = _line(citizens[best][0].text, place.value)
    sure = min(0.9, weights[best] / (weights[best] + 2.0))
    order = sorted(range(len(citizens)), key=lambda i: -weights[i])[:_SENTENCES]
    told = [citizens[i][0] for i in sorted(order)]
    sentences = _sentences(told)
    summary = Field(value=line, confidence=sure, spans=(citizens[best][0].span,)) if line else UNKNOWN
    if not sentences:
        return summary, UNKNOWN
    detail = Field(value="".join(sentences), confidence=sure, spans=tuple(piece.span for piece in told))
    return summary, detail


def _holds(outer: Span, inner: Span) -> bool:
    return outer.segment_id == inner.segment_id and outer.start <= inner.start and inner.end <= outer.end


def _line(text: str, place: str) -> str:
    """As many clauses as fit, place first where they do not name it."""
    lead = f"{place}：" if place and len(place) <= SUMMARY_CHARS // 2 and place not in text else ""
    line = ""
    for clause in _CLAUSE.findall(_tidy(text)):
        longer = f"{line}，{clause}" if line else clause
        if len(lead) + len(longer) > SUMMARY_CHARS:
            break
        line = longer
    if not line:
        line = _tidy(text)[: SUMMARY_CHARS - len(lead)].rstrip("，,。")
    return lead + line if line else ""


def _sentences(pieces: Sequence[Piece]) -> list[str]:
    """Each piece one sentence; one alone that is long enough is divided, since detail is two sentences."""
    tidied = (_STOP.sub("，", _tidy(piece.text)[:_DETAIL_PIECE_CHARS]) for piece in pieces)
    found = [text for text in tidied if text]
    if len(found) == 1:
        clauses = _CLAUSE.findall(found[0])
        half = (len(clauses) + 1) // 2
        found = ["，".join(part) for part in (clauses[:half], clauses[half:]) if part]
    return [
        f"{sentence.rstrip('，,、。；;')}。" if sentence[-1] not in "！？!?" else sentence
        for sentence in found
    ]


def _tidy(text: str) -> str:
    """Without fillers at the beginning of clauses, and without telephone numbers: they have a field."""
    return _FILLER.sub("", _NUMBER.sub("", text)).strip(" ，,、。；;")
