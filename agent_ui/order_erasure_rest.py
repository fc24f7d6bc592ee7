"""Erasing what leads to a person from a work order, over REST.

In: HTTP requests of admins. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: what is personal in an order.
"""

from fastapi import APIRouter, BackgroundTasks, Request

from agent_ui.door import author_of, note_target
from agent_ui.keeping_desk import KeepingDesk
from agent_ui.order_access import OrderAccess
from agent_ui.record_bodies import DeletionOut
from agent_ui.record_rest import Why
from calls.masking import masked_text
from calls.orders.desk import OrderDesk


def order_erasure_router(desk: OrderDesk, keeping: KeepingDesk) -> APIRouter:
    """`DELETE /v1/orders/{order_id}`."""
    router = APIRouter(prefix="/v1/orders/{order_id}", tags=["orders"])
    access = OrderAccess(desk)

    @router.delete("")
    def erase_order(order_id: str, reason: Why, request: Request, later: BackgroundTasks) -> DeletionOut:
        """Erase what leads to a person, for good; number, kind, department and times stay."""
        told = masked_text(reason)
        with access.answering(request):
            deletion = desk.eraser.erase(order_id, who=author_of(request), reason=told, now=desk.clock())
        counts = " ".join(f"{name}={count}" for name, count in deletion.counts.items())
        note_target(request, f"{told} {counts}")
        later.add_task(keeping.deleter.settle)
        return DeletionOut.model_validate(deletion)

    return router
