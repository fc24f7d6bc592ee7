"""Alarms over REST: lists, taking one, saying whether it was right.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: which words raise an alarm, how screens are told.
"""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from agent_ui.discretion import masked, needs_in_full
from agent_ui.door import author_of, caller_of
from agent_ui.paging import Offset
from agent_ui.screen_commands import Typed
from agent_ui.shown import AlarmOnScreen
from calls.safety.desk import AlarmDesk
from calls.safety.types import UnknownAlarm
from calls.types import StorageFailed


class AlarmsOut(BaseModel):
    """One page of alarms, newest first."""

    alarms: list[AlarmOnScreen]


class TakeIn(BaseModel):
    """What was done about an alarm."""

    model_config = ConfigDict(extra="forbid")

    note: Typed = Field(default="", max_length=500)
    author: Typed = Field(default="", max_length=64, description="For whom a program acts.")


class RateIn(BaseModel):
    """Whether there really was danger."""

    model_config = ConfigDict(extra="forbid")

    is_true: bool
    author: Typed = Field(default="", max_length=64, description="For whom a program acts.")


def alarms_router(desk: AlarmDesk) -> APIRouter:
    """`/v1/alarms`."""
    router = APIRouter(prefix="/v1/alarms", tags=["supervision"])

    @router.get("")
    def list_alarms(
        request: Request,
        *,
        is_open: Annotated[bool | None, Query(description="Whether nobody has taken them yet.")] = None,
        is_rated: Annotated[
            bool | None, Query(description="Whether somebody said if they were right.")
        ] = None,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> AlarmsOut:
        """List alarms, newest first."""
        found = desk.store.alarms(is_open=is_open, is_rated=is_rated, offset=offset, limit=limit)
        answer = AlarmsOut(alarms=[AlarmOnScreen.model_validate(alarm) for alarm in found])
        return answer if needs_in_full(caller_of(request)) else masked(answer)

    @router.post("/{alarm_id}/take")
    async def take_alarm(alarm_id: str, body: TakeIn, request: Request) -> AlarmOnScreen:
        """Say that somebody sees to it; who was first stays."""
        try:
            alarm = await desk.take(alarm_id, body.note, by=author_of(request, body.author))
        except (UnknownAlarm, StorageFailed) as error:
            raise _refused(error) from None
        return AlarmOnScreen.model_validate(alarm)

    @router.post("/{alarm_id}/rate")
    async def rate_alarm(alarm_id: str, body: RateIn, request: Request) -> AlarmOnScreen:
        """Say whether there really was danger; it may be said anew."""
        try:
            alarm = await desk.rate(alarm_id, is_true=body.is_true, by=author_of(request, body.author))
        except (UnknownAlarm, StorageFailed) as error:
            raise _refused(error) from None
        return AlarmOnScreen.model_validate(alarm)

    return router


def _refused(error: UnknownAlarm | StorageFailed) -> HTTPException:
    status = 404 if isinstance(error, UnknownAlarm) else 503
    return HTTPException(status, {"code": error.code, "message": error.message})
