"""REST about how long calls are kept: what is due, what was deleted.

In: HTTP requests that passed the door. Out: JSON.
Not known here: how a call is deleted, when the nightly round is made.
"""

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query

from agent_ui.keeping_desk import KeepingDesk
from agent_ui.paging import Offset
from agent_ui.record_bodies import DeletionOut, DeletionsOut, DueOut, PreviewOut
from calls.keeping.types import What

_MOST_LOOKED_AT = 100_000


def retention_router(desk: KeepingDesk) -> APIRouter:
    """The routes below `/v1/retention`."""
    router = APIRouter(prefix="/v1/retention")

    @router.get("/preview")
    def preview(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> PreviewOut:
        """What the next round would delete; nothing is deleted by this."""
        found = list(islice(desk.retention.due(desk.clock()), _MOST_LOOKED_AT))
        goes = [due.what for due in found if not due.is_held]
        return PreviewOut(
            recordings=goes.count(What.AUDIO),
            calls=goes.count(What.CALL),
            held=len(found) - len(goes),
            due=[DueOut.model_validate(due) for due in found[:limit]],
        )

    @router.get("/deletions")
    def list_deletions(offset: Offset = 0, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> DeletionsOut:
        """What was deleted, newest first: which call, when, by whom, why, and how much it was."""
        found, total = desk.deleter.deletions(offset=offset, limit=limit)
        return DeletionsOut(total=total, deletions=[DeletionOut.model_validate(one) for one in found])

    return router
