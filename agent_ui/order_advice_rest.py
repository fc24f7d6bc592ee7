"""What helps to decide about a work order, over REST: orders that are alike, departments it may go to.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how orders are compared, how departments are found.
"""

from enum import StrEnum

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from agent_ui.order_access import OrderAccess, parts_of, see_scope, view_of
from agent_ui.order_bodies import OrderOut
from calls.orders.desk import OrderDesk
from calls.orders.likeness import Duplicate
from calls.orders.suggesting import Why
from calls.orders.types import Order, UnknownOrder

MOST_SHOWN = 10


class Likeness(StrEnum):
    """In what two orders are alike."""

    SAME_MATTER = "same_matter"
    SAME_PLACE = "same_place"
    NEAR_PLACE = "near_place"
    SAME_CALLER = "same_caller"


class LikeOrderOut(BaseModel):
    """An earlier order that may be about the same."""

    order: OrderOut
    reasons: list[Likeness]
    matter: float = Field(description="Cosine, less what all sentences have in common.")
    place: float = Field(description="0 to 1.")


class AlikeOut(BaseModel):
    """What the last 30 days have that is like an order, as far as the asker may see it."""

    duplicates: list[LikeOrderOut]
    repeats: list[OrderOut] = Field(description="Earlier orders of the same number, newest first.")
    is_repeated: bool = Field(description="Whether it is the third or more of one number.")


class ReasonOut(BaseModel):
    """Why a department is suggested."""

    model_config = ConfigDict(from_attributes=True)

    why: Why
    detail: str = Field(description="Titles of articles, a number of orders, a district.")


class SuggestionOut(BaseModel):
    """A department that an order may go to."""

    model_config = ConfigDict(from_attributes=True)

    unit_id: str
    name: str
    confidence: float = Field(description="0 to 1; an order of sureness, no measured probability.")
    reasons: list[ReasonOut]


def order_advice_router(desk: OrderDesk) -> APIRouter:
    """`/v1/orders/{order_id}/alike` and `…/departments`."""
    router = APIRouter(prefix="/v1/orders/{order_id}", tags=["orders"], dependencies=[Depends(see_scope)])
    access = OrderAccess(desk)

    def shown(order_id: str, request: Request) -> Order | None:
        try:
            return access.seen(order_id, request)
        except UnknownOrder:
            return None

    @router.get("/alike")
    def list_alike(order_id: str, request: Request) -> AlikeOut:
        """List earlier orders of the same matter at the same place, and those of the same caller."""
        with access.answering(request):
            order = access.seen(order_id, request)
        alike = desk.alike(order)
        now, parts = desk.clock(), parts_of(request)
        duplicates = []
        for one in alike.duplicates[: 3 * MOST_SHOWN]:
            other = shown(one.order_id, request)
            if other is not None:
                duplicates.append(
                    LikeOrderOut(
                        order=OrderOut.of(other, now, parts),
                        reasons=_reasons(one),
                        matter=one.matter,
                        place=one.place,
                    )
                )
        earlier = [one for one in alike.repeats.order_ids if one != order_id][:MOST_SHOWN]
        orders = [other for one in earlier if (other := shown(one, request)) is not None]
        return AlikeOut(
            duplicates=duplicates[:MOST_SHOWN],
            repeats=[OrderOut.of(other, now, parts) for other in orders],
            # Only who may see all orders is told of those that they may not look at.
            is_repeated=alike.repeats.is_repeated and (view_of(request).is_all or len(orders) > 1),
        )

    @router.get("/departments")
    def list_departments(order_id: str, request: Request) -> list[SuggestionOut]:
        """Suggest departments, the likeliest first, each with its reasons."""
        with access.answering(request):
            order = access.seen(order_id, request)
        return [SuggestionOut.model_validate(one) for one in desk.departments(order)]

    return router


def _reasons(found: Duplicate) -> list[Likeness]:
    reasons = [Likeness.SAME_MATTER]
    if found.place:
        reasons.append(Likeness.SAME_PLACE if found.place == 1.0 else Likeness.NEAR_PLACE)
    if found.is_same_caller:
        reasons.append(Likeness.SAME_CALLER)
    return reasons
