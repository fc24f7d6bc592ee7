"""Listens to one call for words of danger.

In: the segments of a call as they come, the rules. Out: alarms to raise, each kind once.
Not known here: the journal, screens, other calls.

Finals are looked at together with what the same leg said just before, as people pause in mid-sentence. A
partial raises an alarm when it goes on after the words, or when the one after it holds the same danger: its
last characters may still become others.
"""

from dataclasses import dataclass

from asr.types import Party, Segment
from calls.safety.finding import find_danger
from calls.safety.kinds import AlarmKind, Severity
from calls.safety.rules import Rules
from calls.safety.types import Found

_PAUSE_S = 3.0
_BEFORE = 40
"""Characters of the utterance before that are looked at together with the next one."""
_AROUND = 60
"""Characters before and after the words that an alarm keeps."""
_SETTLED = 3
"""Characters after the words from which on a partial holds them for good."""
_ENDS = "。！？!?，, "


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """Something for which an alarm is to be raised."""

    kind: AlarmKind
    severity: Severity
    segment_id: str
    said: str
    start: int
    end: int
    start_s: float


class CallWatch:
    """What was heard of one call so far, as far as it matters here."""

    def __init__(self, raised: frozenset[AlarmKind] = frozenset()) -> None:
        """`raised`: for which kinds there is an alarm already."""
        self._raised = set(raised)
        self._before: dict[Party, Segment] = {}
        self._partials: dict[str, frozenset[AlarmKind]] = {}

    def hear(self, segment: Segment, rules: Rules) -> list[Danger]:
        """Look at what was said; what the operator says raises nothing."""
        if segment.party is Party.OPERATOR:
            return []
        before = "" if not segment.is_final else self._said_before(segment)
        found = [
            one
            for one in find_danger(before + segment.text, rules)
            if one.kind not in self._raised and one.end > len(before)
        ]
        if segment.is_final:
            self._before[segment.party] = segment
            self._partials.pop(segment.segment_id, None)
        else:
            known = self._partials.get(segment.segment_id, frozenset())
            self._partials[segment.segment_id] = frozenset(one.kind for one in found)
            settled = len(segment.text) - _SETTLED
            found = [one for one in found if one.kind in known or one.end <= settled]
        self._raised.update(one.kind for one in found)
        return [_danger(one, segment, before) for one in found]

    def _said_before(self, segment: Segment) -> str:
        before = self._before.get(segment.party)
        if before is None or not 0 <= segment.start_s - before.end_s <= _PAUSE_S:
            return ""
        said = before.text[-_BEFORE:].rstrip(_ENDS)
        return f"{said}，" if said else ""


def _danger(found: Found, segment: Segment, before: str) -> Danger:
    text, origin = before + segment.text, 0
    if found.start >= len(before):
        text, origin = segment.text, len(before)
    start, end = found.start - origin, found.end - origin
    cut = max(0, start - _AROUND)
    return Danger(
        kind=found.kind,
        severity=found.severity,
        segment_id=segment.segment_id,
        said=text[cut : end + _AROUND],
        start=start - cut,
        end=end - cut,
        start_s=segment.start_s,
    )
