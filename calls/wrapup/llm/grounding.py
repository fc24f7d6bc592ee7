"""Holds an answer against the call: what is not in it, word for word, is dropped.

In: an answer, the lines that were shown, the choices, the embedded engine's draft.
Out: the draft with those fields of the answer that hold, and the names of those that were dropped.
Not known here: prompts, the network.

Whatever a model writes, only three things get through: values of the choices, words of the call as they
stand there, and a telephone number whose digits were said. So nobody can talk a model into writing something
of its own into a work order. Urgency is only ever raised: an alarm of the embedded engine stands.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from asr.types import Party, Segment
from calls.wrapup.gazetteer import Gazetteer
from calls.wrapup.llm.types import Answer, Choices, Chosen, Quote, Told
from calls.wrapup.phones import digits_of
from calls.wrapup.summary import SUMMARY_CHARS
from calls.wrapup.types import UNKNOWN, Draft, Field, Span, Urgency

_AGREED = 0.9
"""Of a value that both engines found."""
_ALONE = 0.6
_LEAST_QUOTE = 2
_LONGEST_NAME = 6
_ALTERNATIVES = 3
_NUMBER = re.compile(r"1[3-9]\d{9}|0\d{9,11}|[2-8]\d{6,7}")
_OTHER_NUMBER = re.compile("身份证|银行卡|卡号|账号|户号")
_DICTATED = 7
"""Digits of a sentence from which on it is no part of a summary."""
_EDGES = " ，,、。；;：:！!？?"
_RANK = {str(urgency): rank for rank, urgency in enumerate(Urgency)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounded:
    """What is left of an answer."""

    draft: Draft
    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    """Fields that were answered without support in the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bare:
    """A text's letters and digits, and where each stands."""

    signs: str
    places: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> "_Bare":
        kept = [
            (sign, place)
            for place, written in enumerate(text)
            for sign in unicodedata.normalize("NFKC", written).lower()
            if sign.isalnum()
        ]
        return cls(signs="".join(sign for sign, _ in kept), places=tuple(place for _, place in kept))

    def find(self, other: "_Bare") -> tuple[int, int] | None:
        at = self.signs.find(other.signs) if other.signs else -1
        return None if at < 0 else (self.places[at], self.places[at + len(other.signs) - 1] + 1)


class _Lines:
    """The lines that were shown, ready to be searched."""

    def __init__(self, lines: Mapping[int, Segment]) -> None:
        self._lines = lines
        self._bare = {number: _Bare.of(segment.text) for number, segment in lines.items()}
        self._texts = {segment.segment_id: segment.text for segment in lines.values()}
        self._citizens = {
            segment.segment_id for segment in lines.values() if segment.party is not Party.OPERATOR
        }

    def span_of(self, quote: Quote) -> Span | None:
        """Where the words stand: in the line that is named or, where models miscount, in another."""
        words = _Bare.of(quote.quote)
        if len(words.signs) < _LEAST_QUOTE:
            return None
        named = [quote.line] if quote.line in self._lines else []
        for number in (*named, *self._lines):
            found = self._bare[number].find(words)
            if found:
                return Span(segment_id=self._lines[number].segment_id, start=found[0], end=found[1])
        return None

    def words_of(self, span: Span) -> str:
        return self._texts[span.segment_id][span.start : span.end]

    def line_of(self, span: Span) -> str:
        return self._texts[span.segment_id]

    def is_citizens(self, span: Span) -> bool:
        return span.segment_id in self._citizens

    def digits(self) -> Iterable[str]:
        """All that each party said, in digits."""
        for is_citizens in (True, False):
            yield digits_of(
                "".join(text for name, text in self._texts.items() if (name in self._citizens) is is_citizens)
            )


def ground(
    answer: Answer,
    lines: Mapping[int, Segment],
    choices: Choices,
    gazetteer: Gazetteer,
    embedded: Draft,
) -> Grounded:
    """Take over what holds; where nothing holds the embedded draft stands as it is."""
    said = _Lines(lines)
    found = {
        "type": _chosen(answer.type, choices.kinds, said),
        "urgency": _urgency(answer.urgency, choices, said),
        "category": _chosen(answer.category, choices.categories, said),
        "department": _chosen(answer.department, choices.departments, said),
        "district": _district(answer.district, choices, said, gazetteer),
        "place": _place(answer.place, said),
        "name": _name(answer.name, said),
        "phone": _phone(answer.phone, said),
        "summary": _summary(answer.summary, said),
        "detail": _detail(answer.detail, said),
    }
    kept = tuple(name for name, field in found.items() if field.value)
    return Grounded(
        draft=_merged(found, embedded),
        kept=kept,
        dropped=tuple(name for name in found if name not in kept and _is_answered(answer, name)),
    )


def _is_answered(answer: Answer, name: str) -> bool:
    given = getattr(answer, name)
    if name == "urgency":
        return bool(given.value) and given.value != Urgency.USUAL
    return bool(given.value if isinstance(given, Chosen | Told) else given)


def _merged(found: Mapping[str, Field], embedded: Draft) -> Draft:
    department = _agreed(found["department"], embedded.department)
    others = (each for each in embedded.departments if each.value != department.value)
    departments = (department, *others)[:_ALTERNATIVES] if department.value else ()
    urgency = found["urgency"]
    if _RANK.get(urgency.value, -1) < _RANK.get(embedded.urgency.value, -1):
        urgency = UNKNOWN
    return replace(
        embedded,
        kind=_agreed(found["type"], embedded.kind),
        urgency=_agreed(urgency, embedded.urgency),
        category=_agreed(found["category"], embedded.category),
        department=department,
        departments=departments,
        district=_agreed(found["district"], embedded.district),
        place=_agreed(found["place"], embedded.place),
        caller_name=_agreed(found["name"], embedded.caller_name),
        caller_phone=_agreed(found["phone"], embedded.caller_phone),
        summary=_agreed(found["summary"], embedded.summary),
        detail=_agreed(found["detail"], embedded.detail),
    )


def _agreed(found: Field, embedded: Field) -> Field:
    """The model's field where it has one; surer where the embedded engine found the same."""
    if not found.value:
        return embedded
    if found.value == embedded.value:
        sure = max(_AGREED, embedded.confidence)
        return replace(embedded, confidence=sure, spans=embedded.spans or found.spans)
    return found


def _chosen(given: Chosen, allowed: Sequence[str], said: _Lines) -> Field:
    span = said.span_of(given)
    if span is None or given.value not in allowed:
        return UNKNOWN
    return Field(value=given.value, confidence=_ALONE, spans=(span,))


def _urgency(given: Chosen, choices: Choices, said: _Lines) -> Field:
    """The citizen's words alone make a call urgent; that nothing is urgent cannot be quoted."""
    field = _chosen(given, choices.urgencies, said)
    is_theirs = bool(field.spans) and said.is_citizens(field.spans[0])
    return field if is_theirs and field.value != Urgency.USUAL else UNKNOWN


def _district(given: Chosen, choices: Choices, said: _Lines, gazetteer: Gazetteer) -> Field:
    """The quoted line has to name the district, or a place that lies there."""
    field = _chosen(given, choices.districts, said)
    named = gazetteer.named(said.line_of(field.spans[0])) if field.spans else ()
    return field if any(field.value in place.districts for place in named) else UNKNOWN


def _place(given: Told, said: _Lines) -> Field:
    spans = _spans(given.quotes, said)
    quoted = "".join(said.words_of(span) for span in spans)
    words = _stretch(given.value, quoted)
    return Field(value=words, confidence=_ALONE, spans=spans) if words else UNKNOWN


def _name(given: Chosen, said: _Lines) -> Field:
    span = said.span_of(given)
    words = _stretch(given.value, said.words_of(span)) if span else ""
    if span is None or not words or len(words) > _LONGEST_NAME or digits_of(words):
        return UNKNOWN
    return Field(value=words, confidence=_ALONE, spans=(span,))


def _phone(given: Told, said: _Lines) -> Field:
    number = digits_of(given.value)
    spans = _spans(given.quotes, said)
    is_other = any(_OTHER_NUMBER.search(said.line_of(span)) for span in spans)
    if not spans or is_other or not _NUMBER.fullmatch(number):
        return UNKNOWN
    if not any(number in digits for digits in said.digits()):
        return UNKNOWN
    return Field(value=number, confidence=_ALONE, spans=spans)


def _summary(quotes: Sequence[Quote], said: _Lines) -> Field:
    line, spans = "", []
    for span in _of_matter(quotes, said):
        words = said.words_of(span).strip(_EDGES)
        longer = f"{line}，{words}" if line else words
        if len(longer) <= SUMMARY_CHARS:
            line = longer
            spans.append(span)
    return Field(value=line, confidence=_ALONE, spans=tuple(spans)) if line else UNKNOWN


def _detail(quotes: Sequence[Quote], said: _Lines) -> Field:
    spans = _of_matter(quotes, said)
    if len(spans) < 2:
        return UNKNOWN  # less than two sentences tell nothing that the summary does not
    text = "".join(f"{said.words_of(span).strip(_EDGES)}。" for span in spans)
    return Field(value=text, confidence=_ALONE, spans=spans)


def _of_matter(quotes: Iterable[Quote], said: _Lines) -> tuple[Span, ...]:
    """What the citizen told, without numbers that were dictated: they have a field."""
    return tuple(
        span
        for span in _spans(quotes, said)
        if said.is_citizens(span) and len(digits_of(said.words_of(span))) < _DICTATED
    )


def _spans(quotes: Iterable[Quote], said: _Lines) -> tuple[Span, ...]:
    """Those that were found, each once."""
    return tuple(dict.fromkeys(span for quote in quotes if (span := said.span_of(quote))))


def _stretch(value: str, quoted: str) -> str:
    """The value as it is written in the quoted words; empty where it is not in them."""
    found = _Bare.of(quoted).find(_Bare.of(value))
    return quoted[found[0] : found[1]].strip(_EDGES) if found else ""
