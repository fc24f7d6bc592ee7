"""How we come into a cluster of Ray.

In: the address of its head. Out: a connection of this process, until `ray.shutdown`.
Not known here: what is done there.
"""

import os
import socket
from contextlib import suppress
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing about us leaves the house

import ray
from ray.exceptions import RayError

_PROBE_S = 5.0
_STORE_BYTES = 128 * 1024**2  # what passes through Ray is small


def enter(address: str) -> None:
    """Reach the cluster; without an address, start one of this machine alone.

    Raises `ConnectionError`, with the reason as Ray gives it.
    """
    _probe(address)
    # Ray tells of dead machines on our standard output, where results go, and has no public switch for it
    with suppress(AttributeError):
        ray._private.worker._worker_logs_enabled = False
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error", "namespace": "zhiting"}
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(
                address="local",
                num_cpus=len(os.sched_getaffinity(0)),
                include_dashboard=False,
                object_store_memory=_STORE_BYTES,
                **quiet,
            )
    except (RayError, ConnectionError, RuntimeError, ValueError) as error:
        raise ConnectionError(str(error)) from None


def is_stranded() -> bool:
    """Whether the Ray of this machine that we came in by is dead; another may have taken its place. Blocks.

    Nothing tells us: what we ask of it is then neither done nor refused.
    """
    here = ray.get_runtime_context().get_node_id()
    return any(node["NodeID"] == here and not node["Alive"] for node in ray.nodes())


def _probe(address: str) -> None:
    """Find out at once where nobody listens; Ray itself takes a minute, and says much."""
    host, _, port = address.rpartition(":")
    if not port.isdigit() or "://" in address:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S).close()
    except OSError as error:
        raise ConnectionError(str(error)) from None
