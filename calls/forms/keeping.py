"""The records of forms, in the installation's one database.

In: facts about forms, within the transaction that writes them. Out: forms as they stand, what people
corrected. Not known here: who changes a form, how it is drafted. All of it blocks: call it from a thread.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine

from calls.forms.refusals import StaleForm
from calls.forms.tables import corrections, wrapups
from calls.forms.types import EMPTY_FORM, FieldName, Form
from calls.tables import calls
from calls.types import CallState, WorkOrderChanged, WorkOrderDrafted, WorkOrderMade
from knowledge_base.dialects import upserting

_FORM = TypeAdapter(Form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person left in a field of a call, beside what had been drafted."""

    call_id: str
    name: FieldName
    drafted: str
    confidence: float
    corrected: str
    engine: str
    by: str
    at: datetime


def keep(
    connection: Connection,
    call_id: str,
    at: datetime,
    fact: WorkOrderDrafted | WorkOrderChanged | WorkOrderMade,
) -> None:
    """Keep the form in step with the facts of its call, in the transaction that writes the fact."""
    form = fact.work_order
    row = {
        "version": form.version,
        "is_final": form.is_final,
        "order_id": form.order.order_id if form.order else None,
        "changed_at": _sortable(at),
        "form": _FORM.dump_python(form, mode="json"),
    }
    add = upserting(connection, wrapups).values(call_id=call_id, **row)
    connection.execute(add.on_conflict_do_update(index_elements=["call_id"], set_=row))
    for change in fact.changes if isinstance(fact, WorkOrderChanged) else ():
        connection.execute(
            sa.insert(corrections).values(
                call_id=call_id,
                field=change.name,
                drafted=change.drafted,
                confidence=change.confidence,
                before=change.before,
                value=change.value,
                engine=form.engine,
                by=fact.by if isinstance(fact, WorkOrderChanged) else "",
                at=_sortable(at),
            )
        )


def unchanged(call_id: str, version: int) -> Callable[[Connection], None]:
    """Sees, in the transaction that writes a fact, that the form is still in that version.

    What it returns raises `StaleForm`.
    """

    def see(connection: Connection) -> None:
        found = connection.scalar(sa.select(wrapups.c.version).where(wrapups.c.call_id == call_id))
        if (found or 0) != version:
            raise StaleForm

    return see


class FormStore:
    """Reads what was kept."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def form(self, call_id: str) -> Form:
        """The form of a call, empty where there is none yet."""
        with self._engine.connect() as connection:
            found = connection.scalar(sa.select(wrapups.c.form).where(wrapups.c.call_id == call_id))
        return _FORM.validate_python(found) if found else EMPTY_FORM

    def unfinished(self, *, ended_after: datetime, limit: int) -> list[str]:
        """Calls that have ended and whose whole text was never drafted, the newest first."""
        query = (
            sa.select(calls.c.call_id)
            .outerjoin(wrapups, wrapups.c.call_id == calls.c.call_id)
            .where(
                calls.c.state == CallState.ENDED,
                calls.c.ended_at > _sortable(ended_after),
                sa.func.coalesce(wrapups.c.is_final, False).is_(False),
            )
            .order_by(calls.c.ended_at.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def corrections(self) -> Iterator[Correction]:
        """What people left in each field of each call, also where they found the draft to be right.

        Of several changes of a field the last one counts, beside what was drafted of the whole call; a field
        that was given back to the drafts is left out.
        """
        last = sa.select(sa.func.max(corrections.c.correction_id)).group_by(
            corrections.c.call_id, corrections.c.field
        )
        query = (
            sa.select(corrections, wrapups.c.form)
            .join(wrapups, wrapups.c.call_id == corrections.c.call_id)
            .where(corrections.c.correction_id.in_(last), corrections.c.value.is_not(None))
            .order_by(corrections.c.correction_id)
        )
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                form, name = _FORM.validate_python(row.form), FieldName(row.field)
                yield Correction(
                    call_id=row.call_id,
                    name=name,
                    drafted=form.field(name).drafted,
                    confidence=form.field(name).confidence,
                    corrected=row.value,
                    engine=form.engine,
                    by=row.by,
                    at=datetime.fromisoformat(row.at),
                )


def _sortable(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
