"""Whether the house is alive and takes calls, for whatever watches over the process.

In: HTTP requests, from anybody. Out: small JSON answers.
Not known here: why a call would be refused.
"""

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from agent_ui.cluster import Cluster, ClusterFigures
from agent_ui.hub import Hub
from calls.switchboard import Switchboard
from knowledge_base.objects.types import Objects, ObjectStats
from knowledge_base.types import Version


def health_router(
    *,
    switchboard: Switchboard,
    hub: Hub,
    cluster: Cluster,
    served: Callable[[], Version | None],
    objects: Objects | None,
) -> APIRouter:
    """The routes `/healthz` and `/readyz`."""
    router = APIRouter()

    @router.get("/healthz")
    async def is_alive() -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"description": "No call would be taken; `reason` says why"}})
    async def is_ready() -> JSONResponse:
        """Say whether one more call would be taken, and why not."""
        refusal, version = switchboard.refusal(), served()
        return JSONResponse(
            {
                "ready": refusal is None,
                "reason": refusal,
                "calls": switchboard.running,
                "screens": hub.screens,
                "kb_version": version.version if version else None,
                **({} if cluster.is_alone else {"cluster": _standing(cluster.figures())}),
                **({} if objects is None else {"objects": _reached(objects.stats())}),
            },
            status_code=200 if refusal is None else 503,
        )

    return router


def _reached(stats: ObjectStats) -> dict[str, str | int]:
    """How the store of shared files fares. One that is away keeps nobody from taking calls."""
    return {"state": "up" if stats.is_up else "away", "why": stats.why, "failures": stats.failures}


def _standing(figures: ClusterFigures) -> dict[str, str | int | bool]:
    """How the process stands among the others. A bus that is down keeps nobody from taking calls."""
    return {
        "process_id": figures.process_id,
        "bus": "up" if figures.bus.is_up else "down" if figures.bus.name else "database",
        "is_leader": figures.is_leader,
        "others": figures.others,
        "held": figures.held,
    }
