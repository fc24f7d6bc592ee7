"""`GET /metrics`, for a monitoring system.

In: HTTP requests that passed the door. Out: Prometheus' text format.
Not known here: how anything is counted or measured.
"""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from agent_ui.cluster import Cluster
from agent_ui.meter import Meter
from agent_ui.metrics import Snapshot, exposition
from agent_ui.shared_files import SharedFiles
from agent_ui.system_desk import SystemDesk
from agent_ui.traces import Traces
from calls.webhooks.outbox import Outbox


def metrics_router(
    meter: Meter,
    system: SystemDesk,
    outbox: Outbox,
    cluster: Cluster,
    *,
    files: SharedFiles,
    traces: Traces,
    lag_s: Callable[[str], float],
) -> APIRouter:
    """The route. `lag_s` knows how long a call's oldest unanswered final has been waiting."""
    router = APIRouter(tags=["system"])

    @router.get("/metrics", response_class=Response)
    async def get_metrics(request: Request) -> Response:
        """Tell the figures of the moment, and what was counted since the start."""
        sessions = system.switchboard.sessions()
        behind_s = [max(lag_s(one.call.call_id), one.line.unheard_s) for one in sessions]
        figures = await system.figures(port=None)
        receivers = await asyncio.to_thread(outbox.receivers)
        snapshot = Snapshot(
            figures=figures,
            lag_s=max(behind_s, default=0.0),
            webhooks_waiting=sum(one.waiting for one in receivers),
            cluster=cluster.figures(),
            objects=files.figures(),
            traces=traces.figures(),
        )
        return Response(exposition(meter, snapshot), media_type=CONTENT_TYPE_LATEST)

    return router
