"""What correcting by sound mends and what it harms: names that were spoken, and every single correction.

In: reference calls, what was heard in them before and after correction, the list of names.
Out: counts per call, and one report of them, for people and for programs.
Not known here: how it was heard, how it was corrected.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from rapidfuzz.distance import Levenshtein
from rich.table import Table

from asr.types import Correction, Party, Segment
from scripts.call_data import ReferenceCall
from scripts.text_scores import TextErrors, canonical, compare

_AROUND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names that are looked for, fixed before anything was tuned."""

    places: tuple[str, ...]
    departments: tuple[str, ...]

    def kind_of(self, name: str) -> str:
        """`places` or `departments`."""
        return "places" if name in self.places else "departments"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenName:
    """A name that was said, and whether it stands in the text so."""

    name: str
    kind: str
    is_in_lexicon: bool
    is_right_before: bool
    is_right_after: bool
    written: str
    """What stands in its place after correction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCorrection:
    """One correction by itself: how many errors it took away, or added where negative."""

    heard: str
    written: str
    reason: str
    around: str
    """The text that it stands in, with the correction marked."""
    mended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCorrections:
    """All of one call."""

    call_id: str
    names: tuple[SpokenName, ...]
    corrections: tuple[JudgedCorrection, ...]
    before: TextErrors
    after: TextErrors


def read_names() -> Names:
    """The fixed list of names of the sample calls."""
    read = json.loads((files("scripts") / "data" / "call_names.json").read_text(encoding="utf-8"))
    return Names(places=tuple(read["places"]), departments=tuple(read["departments"]))


def judge_call(
    call: ReferenceCall,
    before: Iterable[Segment],
    after: Iterable[Segment],
    names: Names,
    is_in_lexicon: Callable[[str], bool],
) -> CallCorrections:
    """Hold a call's text before and after correction against what was said, leg by leg."""
    heard, written = sorted(before, key=_start), sorted(after, key=_start)
    spoken: list[SpokenName] = []
    corrections: list[JudgedCorrection] = []
    errors_before, errors_after = TextErrors(), TextErrors()
    for party in call.parties:
        reference = call.text_of(party)
        old, new = _texts(heard, party), _texts(written, party)
        errors_before += compare(reference, " ".join(old))
        errors_after += compare(reference, " ".join(new))
        spoken += _names(reference, " ".join(old), " ".join(new), names, is_in_lexicon)
        corrections += _judged(reference, [s for s in written if s.party is party])
    return CallCorrections(
        call_id=call.call_id,
        names=tuple(spoken),
        corrections=tuple(corrections),
        before=errors_before,
        after=errors_after,
    )


def report(calls: Sequence[CallCorrections]) -> dict[str, Any]:
    """Put the figures in JSON form."""
    names = [name for call in calls for name in call.names]
    corrections = [each for call in calls for each in call.corrections]
    before = sum((call.before for call in calls), TextErrors())
    after = sum((call.after for call in calls), TextErrors())
    thousands = after.characters / 1_000 or 1.0
    right, idle, harmful = _outcomes(corrections)
    return {
        "names": {
            "all": _name_counts(names),
            "in_lexicon": _name_counts([name for name in names if name.is_in_lexicon]),
            "places": _name_counts([name for name in names if name.kind == "places"]),
            "departments": _name_counts([name for name in names if name.kind == "departments"]),
        },
        "missed_in_lexicon": [
            f"{name.name} ← {name.written}"
            for name in names
            if name.is_in_lexicon and not name.is_right_after
        ],
        "missed_names": dict(Counter(name.name for name in names if not name.is_right_after).most_common()),
        "corrections": {
            "made": len(corrections),
            "mended": right,
            "idle": idle,
            "harmful": harmful,
            "wrong_per_1000": (idle + harmful) / thousands,
            "harmful_per_1000": harmful / thousands,
        },
        "characters": after.characters,
        "cer_before": before.rate,
        "cer": after.rate,
        "not_mended": [each.around for each in corrections if each.mended <= 0],
    }


def tables(calls: Sequence[CallCorrections], examples: int) -> list[Table]:
    """The figures, and every n-th correction as it stands in the text."""
    told = report(calls)
    counts = Table(title="Names spoken and right in the text")
    for heading in ("", "spoken", "before", "after"):
        counts.add_column(heading, justify="left" if not heading else "right")
    for kind, figures in told["names"].items():
        counts.add_row(kind, *(str(figures[key]) for key in ("spoken", "right_before", "right_after")))
    made = Table(title="Corrections")
    for heading in told["corrections"]:
        made.add_column(heading, justify="right")
    made.add_row(*(f"{figure:.4g}" for figure in told["corrections"].values()))
    shown = Table("errors less", "correction", "reason", title="Examples")
    corrections = [each for call in calls for each in call.corrections]
    for each in corrections[:: max(1, len(corrections) // examples)][:examples] if examples else ():
        shown.add_row(str(each.mended), each.around, each.reason)
    return [counts, made, *([shown] if examples else [])]


def _start(segment: Segment) -> float:
    return segment.start_s


def _texts(segments: Iterable[Segment], party: Party) -> list[str]:
    return [segment.text for segment in segments if segment.party is party]


def _name_counts(names: Sequence[SpokenName]) -> dict[str, int]:
    return {
        "spoken": len(names),
        "right_before": sum(name.is_right_before for name in names),
        "right_after": sum(name.is_right_after for name in names),
    }


def _outcomes(corrections: Iterable[JudgedCorrection]) -> tuple[int, int, int]:
    mended = [each.mended for each in corrections]
    return sum(m > 0 for m in mended), mended.count(0), sum(m < 0 for m in mended)


def _names(
    reference: str, old: str, new: str, names: Names, is_in_lexicon: Callable[[str], bool]
) -> Iterator[SpokenName]:
    said = canonical(reference)
    after = canonical(new)
    kept_before, kept_after = _kept(said, canonical(old)), _kept(said, after)
    by_canonical = {canonical(name): name for name in (*names.places, *names.departments)}
    longest_first = sorted(by_canonical, key=len, reverse=True)
    for found in re.finditer("|".join(map(re.escape, longest_first)), said):
        name = by_canonical[found[0]]
        span = range(found.start(), found.end())
        yield SpokenName(
            name=name,
            kind=names.kind_of(name),
            is_in_lexicon=is_in_lexicon(name),
            is_right_before=_is_whole(span, kept_before),
            is_right_after=_is_whole(span, kept_after),
            written=after[_place(span, kept_after, len(after))],
        )


def _kept(said: str, heard: str) -> dict[int, int]:
    """Where each character that was recognised stands in the recognised text."""
    return {
        block.a + offset: block.b + offset
        for block in Levenshtein.editops(said, heard).as_matching_blocks()
        for offset in range(block.size)
    }


def _place(span: range, kept: dict[int, int], end: int) -> slice:
    """Where the text lies that stands for a span: between what was recognised before it and after it."""
    before = max((place for at, place in kept.items() if at < span.start), default=-1)
    after = min((place for at, place in kept.items() if at >= span.stop), default=end)
    return slice(before + 1, after)


def _is_whole(span: range, kept: dict[int, int]) -> bool:
    places = [kept.get(at) for at in span]
    return None not in places and places == list(range(places[0] or 0, (places[0] or 0) + len(places)))


def _judged(reference: str, segments: Sequence[Segment]) -> Iterator[JudgedCorrection]:
    """Take every correction back, one by one, and see how the errors change."""
    errors = compare(reference, " ".join(segment.text for segment in segments)).edits
    for at, segment in enumerate(segments):
        for correction in segment.corrections:
            undone = _without(segment.text, correction)
            texts = [undone if i == at else other.text for i, other in enumerate(segments)]
            start, end = correction.start, correction.start + len(correction.written)
            yield JudgedCorrection(
                heard=correction.heard,
                written=correction.written,
                reason=correction.reason,
                around=(
                    f"{segment.text[max(0, start - _AROUND) : start]}"
                    f"[{correction.heard}→{correction.written}]{segment.text[end : end + _AROUND]}"
                ),
                mended=compare(reference, " ".join(texts)).edits - errors,
            )


def _without(text: str, correction: Correction) -> str:
    end = correction.start + len(correction.written)
    return text[: correction.start] + correction.heard + text[end:]
