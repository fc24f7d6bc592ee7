"""A web process with ears that write down which sound they heard; settings come from the environment.

In: address and port, as arguments. Out: a server. Not known here: which machine it runs on.
"""

import logging
import sys


def main() -> None:
    """Serve until told to stop."""
    from agent_ui.listening import listen
    from agent_ui.settings import Settings
    from calls.ingest.websocket import MAX_MESSAGE_BYTES
    from scripts.kills.ears import open_marking_engines
    from server import create_app

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    listen(
        create_app(Settings(), open_marking_engines),
        host=sys.argv[1],
        port=int(sys.argv[2]),
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_ready=logging.getLogger(__name__).info,
    )


if __name__ == "__main__":
    main()
