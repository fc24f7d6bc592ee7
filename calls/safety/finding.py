"""Finds words of danger in what somebody says.

In: a text and the rules. Out: at most one `Found` of each kind, the gravest first said.
Not known here: calls, segments, who is told.
"""

from collections.abc import Iterator

from calls.safety.context import is_meant_now
from calls.safety.kinds import AlarmKind, Severity
from calls.safety.rules import Pattern, Rules
from calls.safety.sounding import Place, Sounding
from calls.safety.types import Found

_GAP = 7
"""Units that may stand between two parts."""


def find_danger(text: str, rules: Rules) -> tuple[Found, ...]:
    """What is dangerous in the text, in the order in which it was said."""
    sounding = Sounding(text)
    found: dict[AlarmKind, Found] = {}
    harmless: dict[AlarmKind, list[Place]] = {}
    for rule in rules.rules:
        known = found.get(rule.kind)
        if known is not None and (known.severity is Severity.CRITICAL or rule.severity is Severity.URGENT):
            continue
        for places in matches(rule.pattern, sounding):
            if rule.kind not in harmless:
                harmless[rule.kind] = list(_harmless(rules, rule.kind, sounding))
            if any(_touch(place, other) for place in places for other in harmless[rule.kind]):
                continue
            if is_meant_now(sounding, places, rule.kind):
                start, end = sounding.span(Place(places[0].start, places[-1].end))
                found[rule.kind] = Found(kind=rule.kind, severity=rule.severity, start=start, end=end)
                break
    return tuple(sorted(found.values(), key=lambda one: (one.start, one.kind)))


def matches(pattern: Pattern, sounding: Sounding) -> Iterator[tuple[Place, ...]]:
    """Every way in which the parts stand in order and near each other, in one sentence."""
    choices = []
    for part in pattern.parts:
        places = {place for word in part for place in sounding.places(word, by_sound=pattern.by_sound)}
        if not places:
            return
        choices.append(sorted(places))
    for chain in _chains(choices, ()):
        if sounding.is_one_sentence(Place(chain[0].start, chain[-1].end)):
            yield chain


def _chains(choices: list[list[Place]], begun: tuple[Place, ...]) -> Iterator[tuple[Place, ...]]:
    if not choices:
        yield begun
        return
    for place in choices[0]:
        if not begun or 0 <= place.start - begun[-1].end <= _GAP:
            yield from _chains(choices[1:], (*begun, place))


def _harmless(rules: Rules, kind: AlarmKind, sounding: Sounding) -> Iterator[Place]:
    for own_kind, pattern in rules.harmless:
        if own_kind in (None, kind):
            for places in matches(pattern, sounding):
                yield Place(places[0].start, places[-1].end)


def _touch(place: Place, other: Place) -> bool:
    return place.start < other.end and other.start < place.end
