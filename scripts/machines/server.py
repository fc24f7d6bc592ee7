"""A web process whose calls are heard by marking ears on other machines; settings come from the environment.

In: nothing. Out: a server. Not known here: which machine it runs on.
"""

import logging


def main() -> None:
    """Serve until told to stop."""
    from agent_ui.settings import Settings
    from scripts.machines.marking import open_marking_by_ray
    from server import serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    serve(Settings(), logging.getLogger(__name__).info, engines_of=open_marking_by_ray)


if __name__ == "__main__":
    main()
