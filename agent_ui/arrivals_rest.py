"""Arrivals over REST: the telephone system tells who waits, who was answered, who gave up.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: who counts them.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from access.types import NotAllowed, Scope
from agent_ui.door import caller_of, change_nothing, refusal
from calls.arrivals.store import ArrivalStore
from calls.arrivals.types import Arrival, BadArrival

_YEARS = range(2000, 2200)
_AHEAD = timedelta(minutes=5)
"""Another machine's clock may be ahead of ours by so much."""


def _within_years(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise ValueError("no time of a telephone call")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within_years)]


class ArrivalIn(BaseModel):
    """What is known of it now; what was told before may be left out."""

    model_config = ConfigDict(extra="forbid")

    arrived_at: Moment
    answered_at: Moment | None = None
    left_at: Moment | None = None


class ArrivalOut(BaseModel):
    """An arrival as it is kept."""

    model_config = ConfigDict(from_attributes=True)

    call_id: str
    arrived_at: AwareDatetime
    answered_at: AwareDatetime | None
    left_at: AwareDatetime | None


def arrivals_router(
    store: ArrivalStore, *, stir: Callable[[], None], clock: Callable[[], datetime]
) -> APIRouter:
    """`/v1/arrivals`; `stir` is called after something was kept."""
    router = APIRouter(prefix="/v1/arrivals", tags=["hall"])

    @router.put("/{call_id}")
    async def tell(
        call_id: Annotated[str, Path(pattern="^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")],
        wanted: ArrivalIn,
        request: Request,
    ) -> ArrivalOut:
        """Tell of a call in the queue, once or again and again; `call_id` is that of its sound later on."""
        who = caller_of(request)
        if who.is_person and not who.may(Scope.CALLS_ALL):  # a seat brings its own calls, not the queue
            raise refusal(NotAllowed())
        change_nothing(request)  # thousands a day, and kept by themselves: the log is of what people do
        arrival = Arrival(
            call_id=call_id,
            arrived_at=wanted.arrived_at,
            answered_at=wanted.answered_at,
            left_at=wanted.left_at,
        )
        if max(filter(None, (arrival.arrived_at, arrival.answered_at, arrival.left_at))) > clock() + _AHEAD:
            message = "来电时间在将来，请检查电话系统的时钟和时区。"
            raise HTTPException(422, {"code": "arrival.in_future", "message": message})
        try:
            kept = await asyncio.to_thread(store.tell, arrival)
        except BadArrival as error:
            raise HTTPException(422, {"code": error.code, "message": error.message}) from None
        stir()
        return ArrivalOut.model_validate(kept)

    return router
