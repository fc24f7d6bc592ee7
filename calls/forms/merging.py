"""How a form changes: by a draft, by a person, by the order that is made of it.

In: a form and what happens to it. Out: the next form, and what a person changed.
Not known here: clocks, databases, where the departments are listed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from calls.forms.refusals import BadForm
from calls.forms.types import Change, Choice, FieldName, Form, FormField, OrderMade, Source
from calls.wrapup.types import Draft, Field, Kind, Urgency

UNSURE_BELOW = 0.6
"""Confidence below which somebody should look. The number of the line has just that: it is no guess."""
SUMMARY_CHARS = 60
_LONGEST = {
    FieldName.CALLER_NAME: 100,
    FieldName.CALLER_PHONE: 64,
    FieldName.DISTRICT: 100,
    FieldName.PLACE: 300,
    FieldName.CATEGORY: 100,
    FieldName.DEPARTMENT: 300,
    FieldName.SUMMARY: SUMMARY_CHARS,
    FieldName.DETAIL: 4_000,
}
_ONE_OF = {FieldName.KIND: tuple(Kind), FieldName.URGENCY: tuple(Urgency)}

UnitOf = Callable[[str], str | None]
"""The department of a name, None where the directory has none."""


def with_draft(
    form: Form,
    draft: Draft,
    *,
    engine: str,
    is_final: bool,
    used: Sequence[tuple[str, str]],
    unit_of: UnitOf,
) -> Form:
    """Take a new draft in; what a person set stays. `used` are articles whose cards were used, with titles.

    A form whose order is made stays as it is: it says what the order was made of.
    """
    if form.order is not None:
        return form
    fields = {name.value: _drafted(form.field(name), getattr(draft, name.value)) for name in FieldName}
    department = fields[FieldName.DEPARTMENT]
    is_theirs = department.set_by is not None
    unit = None if is_theirs else unit_of(department.value)
    if department.value and not is_theirs and unit is None:
        fields[FieldName.DEPARTMENT] = replace(department, is_unsure=True)  # nobody can send it there
    return replace(
        form,
        **fields,  # type: ignore[arg-type]  # names of fields with fields
        engine=engine,
        is_final=is_final,
        department_id=form.department_id if is_theirs else unit,
        departments=tuple(
            Choice(name=each.value, department_id=unit_of(each.value), confidence=each.confidence)
            for each in draft.departments
        ),
        knowledge=_sources(draft, used),
    )


def is_worth_telling(before: Form, after: Form) -> bool:
    """Whether a reader would see a difference: a confidence that only wavers is none."""
    return _without_figures(before) != _without_figures(after)


def with_values(
    form: Form, values: Mapping[FieldName, str | None], *, department_id: str | None, by: str, at: datetime
) -> tuple[Form, tuple[Change, ...]]:
    """What people set, also where it is what was drafted already: then it is known to be right.

    None gives a field back to the drafts. `department_id` belongs to the value of the department, if that is
    among them. Raises `BadForm`.
    """
    changes = []
    fields: dict[str, FormField] = {}
    for name, given in values.items():
        old = form.field(name)
        value = None if given is None else given.strip()
        _check(name, value)
        changes.append(
            Change(name=name, drafted=old.drafted, confidence=old.confidence, before=old.value, value=value)
        )
        fields[name.value] = (
            _settled(replace(old, value=old.drafted, set_by=None, set_at=None))
            if value is None
            else replace(old, value=value, is_unsure=False, set_by=by, set_at=at)
        )
    is_moved = FieldName.DEPARTMENT in values
    changed = replace(
        form,
        **fields,  # type: ignore[arg-type]  # names of fields with fields
        version=form.version + 1,
        department_id=department_id if is_moved else form.department_id,
    )
    return changed, tuple(changes)


def with_order(form: Form, order: OrderMade) -> Form:
    """The order is made."""
    return replace(form, version=form.version + 1, order=order)


def _drafted(old: FormField, new: Field) -> FormField:
    drafted = replace(old, drafted=new.value, confidence=new.confidence, spans=new.spans)
    return drafted if old.set_by is not None else _settled(replace(drafted, value=new.value))


def _settled(field: FormField) -> FormField:
    """A field that holds what was drafted, with its mark."""
    return replace(field, is_unsure=bool(field.value) and field.confidence < UNSURE_BELOW)


def _sources(draft: Draft, used: Sequence[tuple[str, str]]) -> tuple[Source, ...]:
    """What the operator used stands first, then what speaks of the matter."""
    known = {article_id for article_id, _ in used}
    mine = [Source(article_id=article_id, title=title, is_used=True) for article_id, title in used]
    others = [
        Source(article_id=each.article_id, title=each.title, is_used=False)
        for each in draft.knowledge
        if each.article_id not in known
    ]
    return (*mine, *others)


def _check(name: FieldName, value: str | None) -> None:
    if not value:
        return
    allowed = _ONE_OF.get(name)
    if allowed is not None and value not in allowed:
        raise BadForm(f"应为：{'、'.join(allowed)}。", code="wrapup.not_one_of")
    longest = _LONGEST.get(name)
    if longest is not None and len(value) > longest:
        raise BadForm(f"这一项最多 {longest} 字。", code="wrapup.too_long")


def _without_figures(form: Form) -> Form:
    fields = {name.value: replace(field, confidence=0.0) for name, field in form.fields()}
    departments = tuple(replace(each, confidence=0.0) for each in form.departments)
    return replace(form, **fields, departments=departments)  # type: ignore[arg-type]
