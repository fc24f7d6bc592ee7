"""Keeps the marking ears of a machine, as `zhiting ears` keeps real ones.

In: the address of Ray, as an argument. Out: sentences on standard output; ends when it is told to.
Not known here: what the ears do.
"""

import logging
import sys


def main() -> int:
    """Have a child keep them: Ray may end whoever has it in it."""
    from scripts.ears_cli import NO_RAY, supervise

    address, *rest = sys.argv[1:]
    if not rest:
        return supervise([sys.executable, "-m", "scripts.machines.ears", address, "keep"])
    from asr.remote.keeper import Crew, keep
    from asr.remote.types import NoRay, Post
    from scripts.machines.marking import open_marking

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    post = Post(open_model=open_marking, calls=16)
    try:
        keep(
            address,
            lambda _machine: (Crew(ears=1, cores=1), post),
            tell=lambda said: print(said, flush=True),
        )
    except NoRay as error:
        print(error, flush=True)
        return NO_RAY
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
