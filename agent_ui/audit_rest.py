"""The audit log over REST, for admins: who changed what, when, from where.

In: HTTP requests that passed the door. Out: JSON and CSV.
Not known here: what is put into the log.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict

from access.gate import Gate
from agent_ui.csv_file import csv_file
from agent_ui.paging import Offset

_MOST_EXPORTED = 100_000
Actions = Annotated[
    list[str] | None, Query(max_length=100, description="Actions, of which an entry has one; none: any.")
]


class AuditEntryOut(BaseModel):
    """One thing that was done."""

    model_config = ConfigDict(from_attributes=True)

    entry_id: int
    at: datetime
    who: str
    address: str
    action: str
    target: str


class AuditOut(BaseModel):
    """One page of the log, and how many entries fit."""

    total: int
    entries: list[AuditEntryOut]


def audit_router(gate: Gate) -> APIRouter:
    """The routes below `/v1/audit`."""
    router = APIRouter(prefix="/v1", tags=["people"])

    @router.get("/audit")
    def list_audit(
        *,
        who: Annotated[str, Query(max_length=100)] = "",
        q: Annotated[str, Query(max_length=200, description="Looked for in action and target.")] = "",
        action: Actions = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> AuditOut:
        """List what was changed by whom, newest first."""
        found, total = gate.audit.entries(
            who=who,
            text=q,
            actions=action or (),
            since=since,
            until=until,
            offset=offset,
            limit=limit,
        )
        return AuditOut(total=total, entries=[AuditEntryOut.model_validate(entry) for entry in found])

    @router.get("/audit/file", response_class=Response)
    def export_audit(
        who: Annotated[str, Query(max_length=100)] = "",
        q: Annotated[str, Query(max_length=200)] = "",
        action: Actions = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
    ) -> Response:
        """Download the log as CSV, with a byte order mark so that Excel reads it as UTF-8."""
        found, _ = gate.audit.entries(
            who=who, text=q, actions=action or (), since=since, until=until, limit=_MOST_EXPORTED
        )
        rows = (
            (
                entry.entry_id,
                entry.at.strftime("%Y-%m-%d %H:%M:%S"),
                entry.who,
                entry.address,
                entry.action,
                entry.target,
            )
            for entry in found
        )
        return Response(
            csv_file(("编号", "时间", "操作人", "来源地址", "操作", "对象"), rows),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
        )

    return router
