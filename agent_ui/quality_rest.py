"""Quality of service over REST: scored calls, samples for reviewers, remarks, appeals.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how a call is scored.

Who may see all calls reviews them and answers appeals; who may see the own calls alone sees the own scores
and appeals.
"""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from access.types import NotAllowed, Scope
from agent_ui.discretion import masked, needs_in_full
from agent_ui.door import author_of, caller_of, refusal
from agent_ui.order_access import see_scope
from agent_ui.paging import Offset
from agent_ui.screen_commands import Typed
from calls.quality.desk import QualityDesk
from calls.quality.store import QualityFilter
from calls.quality.types import (
    BadRemark,
    Check,
    Judged,
    QualityState,
    RemarkKind,
    UnknownScore,
)

_NO_SEAT = "\0"
"""No call has this seat."""


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class EvidenceOut(_Out):
    """Words that show it."""

    segment_id: str
    start_s: float
    said: str
    start: int
    end: int


class FindingOut(_Out):
    """What came of one check."""

    check: Check
    share: float
    weight: float
    value: float | None
    evidence: tuple[EvidenceOut, ...]


class JudgedOut(_Out):
    """A scored call."""

    call_id: str
    operator_id: str | None
    started_at: datetime
    seconds: float
    score: float
    by_rules: float
    state: QualityState
    findings: tuple[FindingOut, ...]


class RemarkOut(_Out):
    """Something that was said of a score."""

    remark_id: int
    kind: RemarkKind
    author: str
    text: str
    score: float | None
    at: datetime


class JudgedCallsOut(BaseModel):
    """One page, and how many fit."""

    total: int
    calls: list[JudgedOut]


class OneJudgedOut(BaseModel):
    """A scored call and what was said of it."""

    call: JudgedOut
    remarks: list[RemarkOut]


class RemarkIn(BaseModel):
    """What is to be said."""

    model_config = ConfigDict(extra="forbid")

    kind: RemarkKind
    text: Typed = Field(max_length=4000)
    score: float | None = Field(default=None, allow_inf_nan=False)
    author: Typed = Field(default="", max_length=64, description="For whom a program acts.")


def quality_router(desk: QualityDesk) -> APIRouter:
    """`/v1/quality`."""
    router = APIRouter(prefix="/v1/quality", tags=["supervision"], dependencies=[Depends(see_scope)])

    def seen(call_id: str, request: Request) -> Judged:
        try:
            judged = desk.store.judged(call_id)
            if not caller_of(request).may_see_calls_of(judged.operator_id):
                raise UnknownScore
        except UnknownScore as error:
            raise HTTPException(404, {"code": error.code, "message": error.message}) from None
        return judged

    def whole(judged: Judged, request: Request) -> OneJudgedOut:
        said = [RemarkOut.model_validate(remark) for remark in desk.store.remarks(judged.call_id)]
        answer = OneJudgedOut(call=JudgedOut.model_validate(judged), remarks=said)
        return answer if needs_in_full(caller_of(request)) else masked(answer)

    def page(found: list[Judged], total: int, request: Request) -> JudgedCallsOut:
        answer = JudgedCallsOut(total=total, calls=[JudgedOut.model_validate(one) for one in found])
        return answer if needs_in_full(caller_of(request)) else masked(answer)

    @router.get("/calls")
    def list_judged(
        request: Request,
        *,
        operator_id: Annotated[str | None, Query(max_length=64)] = None,
        state: Annotated[list[QualityState] | None, Query(max_length=8)] = None,
        below: Annotated[float | None, Query(ge=0, le=100.1)] = None,
        since: AwareDatetime | None = None,
        before: AwareDatetime | None = None,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> JudgedCallsOut:
        """List scored calls, newest first: all of them, or those of the own seat."""
        caller = caller_of(request)
        seat = operator_id if caller.may(Scope.CALLS_ALL) else caller.operator_id or _NO_SEAT
        which = QualityFilter(operator_id=seat, states=state or (), below=below, since=since, before=before)
        found, total = desk.store.list_judged(which, limit=limit, offset=offset)
        return page(found, total, request)

    @router.get("/sample")
    def list_sample(
        request: Request,
        day: date | None = None,
        each: Annotated[int, Query(ge=1, le=50, description="Calls of each operator.")] = 3,
    ) -> JudgedCallsOut:
        """Draw calls of a day (today) to be reviewed; the same day draws the same again."""
        if not caller_of(request).may(Scope.CALLS_ALL):
            raise refusal(NotAllowed())
        found = desk.sample(day or desk.clock().astimezone(desk.zone).date(), each=each)
        return page(found, len(found), request)

    @router.get("/calls/{call_id}")
    def get_judged(call_id: str, request: Request) -> OneJudgedOut:
        """Get one scored call and what was said of it."""
        return whole(seen(call_id, request), request)

    @router.post("/calls/{call_id}/remarks", status_code=201)
    def add_remark(call_id: str, body: RemarkIn, request: Request) -> OneJudgedOut:
        """Review a score, appeal against it, or answer an appeal."""
        seen(call_id, request)
        caller = caller_of(request)
        if body.kind is RemarkKind.APPEAL:
            is_allowed = caller.may(Scope.CALLS_OWN)
        else:
            is_allowed = caller.may(Scope.CALLS_ALL)
        if not is_allowed:
            raise refusal(NotAllowed("只有班长可以点评和答复。", code="quality.not_yours"))
        try:
            judged = desk.store.remark(
                call_id,
                body.kind,
                author=author_of(request, body.author),
                text=body.text,
                score=body.score,
                now=desk.clock(),
            )
        except BadRemark as error:
            raise HTTPException(422, {"code": error.code, "message": error.message}) from None
        return whole(judged, request)

    return router
