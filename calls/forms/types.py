"""What the form of a call is made of.

In: the types of a draft. Out: `Form`, its fields, `Change`.
Not known here: facts, databases, how anything is drafted. The errors are in calls/forms/refusals.py, since
facts carry forms and errors of calls stand with the facts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.wrapup.types import Span


class FieldName(StrEnum):
    """The fields that a person may set, in the order in which they stand."""

    KIND = "kind"
    URGENCY = "urgency"
    CALLER_NAME = "caller_name"
    CALLER_PHONE = "caller_phone"
    DISTRICT = "district"
    PLACE = "place"
    CATEGORY = "category"
    DEPARTMENT = "department"
    SUMMARY = "summary"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field: what a person set, or else what was drafted. Empty and not set: it was not said."""

    value: str = ""
    drafted: str = ""
    confidence: float = 0.0
    """Of what was drafted; within 0 and 1."""
    spans: tuple[Span, ...] = ()
    """Where what was drafted was said."""
    is_unsure: bool = False
    """It holds what was drafted, and somebody should look at it."""
    set_by: str | None = None
    """Who set it; it is theirs from then on, and no draft changes it."""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A department that may be the right one, as it was drafted."""

    name: str
    department_id: str | None
    """None where the directory has none of that name."""
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An article that speaks of the matter."""

    article_id: str
    title: str
    is_used: bool
    """The operator used or copied its card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMade:
    """The work order that was made of the form, as it stood then."""

    order_id: str
    state: str
    by: str


EMPTY_FIELD = FormField()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The wrap-up of a call as it stands."""

    version: int = 0
    """Counts what people changed; drafts do not count."""
    engine: str = ""
    """What drafted it last; empty where nothing did."""
    is_final: bool = False
    """It was drafted of the whole call, after its end."""
    kind: FormField = EMPTY_FIELD
    urgency: FormField = EMPTY_FIELD
    caller_name: FormField = EMPTY_FIELD
    caller_phone: FormField = EMPTY_FIELD
    district: FormField = EMPTY_FIELD
    place: FormField = EMPTY_FIELD
    category: FormField = EMPTY_FIELD
    department: FormField = EMPTY_FIELD
    summary: FormField = EMPTY_FIELD
    detail: FormField = EMPTY_FIELD
    department_id: str | None = None
    """Of `department` in the directory; None where it is not there."""
    departments: tuple[Choice, ...] = ()
    knowledge: tuple[Source, ...] = ()
    order: OrderMade | None = None

    def field(self, name: FieldName) -> FormField:
        """A field by its name."""
        found: FormField = getattr(self, name.value)
        return found

    def fields(self) -> Iterator[tuple[FieldName, FormField]]:
        """All fields in their order."""
        return ((name, self.field(name)) for name in FieldName)


EMPTY_FORM = Form()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A person's change of one field, with what had been drafted."""

    name: FieldName
    drafted: str
    confidence: float
    before: str
    value: str | None
    """What it holds now; None where a person gave it back to the drafts."""
