"""A process that keeps scripted ears, as `zhiting ears` keeps real ones.

In: Ray's address, a folder for the scripted model, how many ears; or `spread`: one on each machine of the
cluster that has a core. Out: a sentence a line; ends when it is told to.
"""

import sys
import time
from functools import partial
from pathlib import Path

from asr.remote.types import PREFIX, Post
from tests.ear_parts import open_scripted


def keep_here(address: str, post: Post, ears: int) -> None:
    from asr.remote.keeper import Crew, keep

    keep(
        address, lambda _machine: (Crew(ears=ears, cores=0), post), tell=lambda said: print(said, flush=True)
    )


def spread(address: str, post: Post) -> None:
    # isort: split - the door says first what Ray must not send
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from asr.ray_door import enter
    from asr.remote.ear import EarActor

    enter(address)
    ears = [
        ray.remote(EarActor)
        .options(
            name=f"{PREFIX}node{number}/1/{number}",
            num_cpus=1,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False),
        )
        .remote(post)
        for number, node in enumerate(ray.nodes())
        if node["Resources"].get("CPU")
    ]
    print(f"{len(ears)} ears", flush=True)
    while True:
        time.sleep(1)


def main() -> None:
    address, folder, how = sys.argv[1:]
    post = Post(open_model=partial(open_scripted, Path(folder)), calls=8)
    if how == "spread":
        spread(address, post)
    else:
        keep_here(address, post, int(how))


if __name__ == "__main__":
    main()
