"""Counts what happens in the house, for a monitoring system to fetch.

In: entries of the journal as they are told, answers and errors as they go out. Out: a registry of counters.
Not known here: HTTP routes, figures that are measured when somebody asks (agent_ui/metrics.py has those).

All of it belongs on the event loop. Nothing here holds a word of a call, or who called.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram

from asr.types import Party
from calls.types import (
    AlarmRaised,
    CallDegraded,
    CallEnded,
    CallInterrupted,
    CallStarted,
    Entry,
    SegmentShown,
    Stream,
    SuggestionShown,
)

MOST_CODES = 300
"""Different codes that are counted by name; those that come later count as `other`."""
_RECENT = 8
"""Finals of a call whose time is remembered, for the card that may follow."""
_LAGS_S = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_WAITS_S = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)


class Meter:
    """Owns the counters. `received_s` tells how much sound of a running call has come in."""

    def __init__(self, received_s: Callable[[str], float | None]):
        self.registry = registry = CollectorRegistry()
        self._received_s = received_s
        self._codes: set[str] = set()
        self._said_at: dict[str, OrderedDict[str, datetime]] = {}
        self._begun = Counter("zhiting_calls_begun", "Calls that began.", registry=registry)
        self._ended = Counter("zhiting_calls_ended", "Calls that ended.", ["reason"], registry=registry)
        self._degraded = Counter(
            "zhiting_calls_degraded", "Facts that say what a call lacks.", ["code"], registry=registry
        )
        self._finals = Counter("zhiting_finals", "Final lines.", ["party"], registry=registry)
        self._unclear = Counter("zhiting_finals_unclear", "Finals marked as unclear.", registry=registry)
        self._lag = Histogram(
            "zhiting_final_lag_seconds",
            "From the end of what was said to its final line, in sound received.",
            buckets=_LAGS_S,
            registry=registry,
        )
        self._cards = Counter(
            "zhiting_suggestions",
            "Sets of cards shown. Beside the finals of citizens this is the rate of silence.",
            registry=registry,
        )
        self._wait = Histogram(
            "zhiting_suggestion_seconds",
            "From a final line to the cards it brought.",
            buckets=_WAITS_S,
            registry=registry,
        )
        self._alarms = Counter("zhiting_alarms", "Alarms raised.", ["kind"], registry=registry)
        self._answers = Counter("zhiting_answers", "Answers over HTTP.", ["status"], registry=registry)
        self._errors = Counter(
            "zhiting_errors", "Errors told to anybody, by code.", ["code"], registry=registry
        )
        self._limited = Counter(
            "zhiting_rate_limited", "Requests that came too often.", ["kind", "by"], registry=registry
        )

    def hear(self, entries: list[Entry]) -> None:
        """Count what was just written; each fact once, in the stream of its call."""
        for entry in entries:
            if entry.call_id is not None and entry.stream == Stream.call(entry.call_id):
                self._count(entry.call_id, entry)

    def _count(self, call_id: str, entry: Entry) -> None:
        match entry.fact:
            case CallStarted():
                self._begun.inc()
            case CallEnded(reason=reason):
                self._ended.labels(reason.value).inc()
                self._said_at.pop(call_id, None)
            case CallInterrupted():  # it may go on in another process
                self._said_at.pop(call_id, None)
            case CallDegraded(code=code):
                self._degraded.labels(self._known(code)).inc()
            case AlarmRaised(kind=kind):
                self._alarms.labels(kind.value).inc()
            case SegmentShown(segment=segment) if segment.text:
                self._finals.labels(segment.party.value).inc()
                self._unclear.inc(segment.is_unclear)
                received_s = self._received_s(call_id)
                if received_s is None:
                    return  # a recording, or heard after the call: nobody waited for it
                self._lag.observe(max(0.0, received_s - segment.end_s))
                if segment.party is Party.CITIZEN:
                    said_at = self._said_at.setdefault(call_id, OrderedDict())
                    said_at[segment.segment_id] = entry.at
                    while len(said_at) > _RECENT:
                        said_at.popitem(last=False)
            case SuggestionShown(suggestion=suggestion):
                self._cards.inc()
                said = self._said_at.get(call_id)
                at = said.get(suggestion.segment_id) if said else None
                if at is not None:
                    self._wait.observe(max(0.0, (entry.at - at).total_seconds()))

    def answered(self, status: int) -> None:
        """An answer went out over HTTP."""
        self._answers.labels(str(status)).inc()

    def erred(self, code: str) -> None:
        """Somebody was told of an error."""
        self._errors.labels(self._known(code)).inc()

    def limited(self, kind: str, by: str) -> None:
        """A request of that kind was refused, since a `caller` or an `address` asks too often."""
        self._limited.labels(kind, by).inc()

    def _known(self, code: str) -> str:
        if code not in self._codes:
            if len(self._codes) >= MOST_CODES:
                return "other"
            self._codes.add(code)
        return code
