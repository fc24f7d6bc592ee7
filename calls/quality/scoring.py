"""Scores a call by the rules of spoken service.

In: finals of a call, how long it lasted, the rules.
Out: `Scored` with a finding for each check, or None where there is too little to judge by.
Not known here: databases, who looks at it.
"""

from collections.abc import Sequence

from asr.types import Segment
from calls.quality.rules import QualityRules
from calls.quality.talk import Said, interruptions, silences, talk_of
from calls.quality.types import Check, Evidence, Finding, Scored

_SAID_BACK = 0.4
"""Share of an utterance that is the citizen's own words: an answer has fewer of them."""
_KEPT = 5
"""Pieces of evidence of one kind."""


def score_call(segments: Sequence[Segment], seconds: float, rules: QualityRules) -> Scored | None:
    """Look at a call."""
    talk = talk_of(segments)
    own = [one for one in talk if one.is_operators]
    if seconds < rules.least.seconds or len(own) < rules.least.operator_utterances or len(own) == len(talk):
        return None
    findings = (
        _greeting(own, rules),
        _repeating(talk, rules),
        _closing(own, rules),
        _forbidden(own, rules),
        _silence(talk, seconds, rules),
        _interruption(talk, rules),
        _pace(own, rules),
    )
    weighed = sum(finding.weight for finding in findings)
    reached = sum(finding.weight * finding.share for finding in findings)
    return Scored(score=round(100 * reached / weighed, 1) if weighed else 100.0, findings=findings)


def _finding(
    check: Check,
    rules: QualityRules,
    share: float,
    *,
    value: float | None = None,
    evidence: Sequence[Evidence] = (),
) -> Finding:
    return Finding(
        check=check,
        share=round(min(1.0, max(0.0, share)), 3),
        weight=rules.weights.get(check, 0.0),
        value=None if value is None else round(value, 2),
        evidence=tuple(evidence[:_KEPT]),
    )


def _greeting(own: Sequence[Said], rules: QualityRules) -> Finding:
    beginning = own[: rules.greeting.within_utterances]
    found = [
        next((place for one in beginning if (place := one.find(words))), None)
        for words in (rules.greeting.hello, rules.greeting.who)
    ]
    shown = [place for place in found if place is not None]
    return _finding(
        Check.GREETING, rules, len(shown) / 2, evidence=shown or [one.evidence() for one in beginning[:1]]
    )


def _repeating(talk: Sequence[Said], rules: QualityRules) -> Finding:
    heard: set[str] = set()
    for one in talk:
        if not one.is_operators:
            heard |= one.pairs()
            continue
        common = len(one.pairs() & heard)
        cue = one.find(rules.repeating.cues)
        if cue is not None and common >= rules.repeating.common_pairs:
            return _finding(Check.REPEATING, rules, 1.0, evidence=[one.evidence()])
        if common >= max(rules.repeating.common_pairs_alone, _SAID_BACK * len(one.pairs())):
            return _finding(Check.REPEATING, rules, 1.0, evidence=[one.evidence()])
    return _finding(Check.REPEATING, rules, 0.0)


def _closing(own: Sequence[Said], rules: QualityRules) -> Finding:
    end = own[-rules.closing.within_utterances :]
    for one in reversed(end):
        if (place := one.find(rules.closing.words)) is not None:
            return _finding(Check.CLOSING, rules, 1.0, evidence=[place])
    return _finding(Check.CLOSING, rules, 0.0, evidence=[own[-1].evidence()])


def _forbidden(own: Sequence[Said], rules: QualityRules) -> Finding:
    found = []
    for one in own:
        place = next(
            (
                one.evidence(at)
                for word in rules.forbidden.words
                for at in one.sounding.places(word, by_sound=False)
            ),
            None,
        )
        if place is not None:
            found.append(place)
        elif one.characters in rules.forbidden.alone:
            found.append(one.evidence())
    share = 1.0 - len(found) * rules.forbidden.points_each
    return _finding(Check.FORBIDDEN, rules, share, value=len(found), evidence=found)


def _silence(talk: Sequence[Said], seconds: float, rules: QualityRules) -> Finding:
    spans = list(silences(talk, seconds))
    unexcused = [
        (length, before)
        for length, before in spans
        if before is None or not before.find(rules.silence.excuses)
    ]
    longest, before = max(unexcused, key=lambda one: one[0], default=(0.0, None))
    of_all = sum(length for length, _ in spans) / seconds
    share = (0.5 if longest <= rules.silence.longest_s else 0.0) + (
        0.5 if of_all <= rules.silence.share else 0.0
    )
    is_too_long = longest > rules.silence.longest_s and before is not None
    evidence = [before.evidence()] if is_too_long and before is not None else []
    return _finding(Check.SILENCE, rules, share, value=longest, evidence=evidence)


def _interruption(talk: Sequence[Said], rules: QualityRules) -> Finding:
    found = [
        own
        for own, _ in interruptions(talk, overlap_s=rules.interruption.overlap_s)
        if own.seconds >= rules.interruption.own_s
        and own.characters not in rules.interruption.acknowledgements
    ]
    share = 1.0 - len(found) * rules.interruption.points_each
    return _finding(
        Check.INTERRUPTION, rules, share, value=len(found), evidence=[own.evidence() for own in found]
    )


def _pace(own: Sequence[Said], rules: QualityRules) -> Finding:
    characters, speaking_s = sum(len(one.characters) for one in own), sum(one.seconds for one in own)
    if characters < rules.pace.least_characters or speaking_s <= 0:
        return _finding(Check.PACE, rules, 1.0)
    per_min = 60 * characters / speaking_s
    is_good = rules.pace.slow_per_min <= per_min <= rules.pace.fast_per_min
    fastest = max(own, key=lambda one: len(one.characters) / max(one.seconds, 0.5))
    return _finding(
        Check.PACE,
        rules,
        1.0 if is_good else 0.0,
        value=per_min,
        evidence=[] if is_good else [fastest.evidence()],
    )
