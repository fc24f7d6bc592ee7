"""Rows to learn from, made of what operators did with the cards of real calls.

In: the record of calls, the search of today.
Out: one labelled row per marked card that today's search still finds.
Not known here: the model, written dialogues.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from asr.types import Segment
from calls.records import Records
from calls.types import SegmentCorrected, SegmentShown, Stream, SuggestionMarked, SuggestionShown
from retrieval.evidence import features, follow
from retrieval.query import Dialogue, hear
from retrieval.types import Mark
from scripts.labelled import Find, Rows, join

_GOOD = (Mark.USED, Mark.COPIED, Mark.HELPFUL, Mark.PINNED)
_BAD = (Mark.WRONG, Mark.DISMISSED)
_PAGE = 1000


@dataclass(slots=True)
class _Call:
    segments: dict[str, Segment] = field(default_factory=dict)
    caused_by: dict[str, str] = field(default_factory=dict)
    """suggestion_id → segment_id."""
    helps: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(segment_id, article_id) → what the last mark says."""


def feedback_rows(records: Records, find: Find) -> Rows:
    """Ask again what every marked call asked, and label the marked cards by their last mark."""
    return join([rows for call_id in _call_ids(records) for rows in _rows(records, call_id, find)])


def _call_ids(records: Records) -> Iterator[str]:
    offset = 0
    while page := records.calls(limit=_PAGE, offset=offset):
        yield from (call.call_id for call in page)
        offset += len(page)


def _rows(records: Records, call_id: str, find: Find) -> Iterator[Rows]:
    call = _read(records, call_id)
    if not call.helps:
        return
    dialogue = Dialogue(call_id=call_id)
    trail: Mapping[str, float] = {}
    for segment in sorted(call.segments.values(), key=lambda segment: segment.end_s):
        dialogue, query = hear(dialogue, segment)
        if query is None:
            continue
        matches = find(query).matches
        rows = features(query, matches, trail)
        trail = follow(trail, query, matches)
        for row, match in zip(rows, matches, strict=True):
            helps = call.helps.get((segment.segment_id, match.article.article_id))
            if helps is not None:
                yield Rows(
                    features=row[None, :], helps=np.array([helps]), groups=(call_id,), forms=("feedback",)
                )


def _read(records: Records, call_id: str) -> _Call:
    call = _Call()
    since = 0
    while entries := records.read(Stream.call(call_id), since=since, limit=_PAGE):
        for entry in entries:
            match entry.fact:
                case SegmentShown(segment=segment) | SegmentCorrected(segment=segment):
                    call.segments[segment.segment_id] = segment
                case SuggestionShown(suggestion=suggestion):
                    call.caused_by[suggestion.suggestion_id] = suggestion.segment_id
                case SuggestionMarked(suggestion_id=suggestion_id, article_id=article_id, mark=mark):
                    segment_id = call.caused_by.get(suggestion_id)
                    if segment_id is not None and mark in (*_GOOD, *_BAD):
                        call.helps[segment_id, article_id] = mark in _GOOD
        since = entries[-1].seq
    return call
