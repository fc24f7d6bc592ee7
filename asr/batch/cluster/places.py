"""Where in a cluster workers are put.

In: the nodes as Ray describes them. Out: places, each for one worker.
Not known here: who works at them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Room for one worker."""

    key: str
    """Names it among all."""
    node: str
    """Ray's name of the machine."""
    address: str
    """Of the machine, for people."""
    cores: int
    has_gpu: bool


def places_of(nodes: Iterable[Mapping[str, Any]], *, cores: int, with_gpus: bool) -> list[Place]:
    """Plan them: a worker for each GPU, else for every `cores` of a machine, else for each machine (0)."""
    found = []
    for node in nodes:
        resources: Mapping[str, float] = node["Resources"]
        cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
        if not node["Alive"] or not cpus:
            continue
        has_gpu = with_gpus and gpus > 0
        count = gpus if has_gpu else max(1, cpus // cores) if cores else 1
        found += [
            Place(
                key=f"{node['NodeID']}/{number}",
                node=node["NodeID"],
                address=node["NodeManagerAddress"],
                cores=max(1, cpus // count) if has_gpu or not cores else min(cores, cpus),
                has_gpu=has_gpu,
            )
            for number in range(count)
        ]
    return found
