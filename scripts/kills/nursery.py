"""Starts server after server without importing everything anew: each one is a fork of this process.

In: one line of JSON for each server, on standard input: data folder, port, log, settings.
Out: the server's process id, a line on standard output; servers that anybody may kill.
Not known here: why they die.

A fork saves the seconds that importing takes; all that a server opens, it opens after the fork.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_ENDS_WITHIN_S = 30.0


@dataclass(slots=True)
class Nursery:
    """The process that forks, seen from outside. Used from a thread: it blocks."""

    process: subprocess.Popen[str]

    @classmethod
    def open(cls, log: Path) -> "Nursery":
        """Start it; the first fork waits until it has imported."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHITING_")}
        with log.open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "scripts.kills.nursery"],
                cwd=_ROOT,
                env=kept | {"PYTHONPATH": str(_ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        return cls(process)

    def start(self, data_dir: Path, port: int, log: Path, **settings: Any) -> int:
        """Fork a server; returns its process id."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        wish = {"data_dir": str(data_dir), "port": port, "log": str(log), "settings": settings}
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """End it; its servers go on."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> None:
    """Fork a server for each line of standard input."""
    import logging

    import server
    from agent_ui.listening import listen
    from agent_ui.settings import Settings
    from calls.ingest.websocket import MAX_MESSAGE_BYTES
    from scripts.kills.ears import open_marking_engines

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are nobody's business here
    for line in sys.stdin:
        wish = json.loads(line)
        pid = os.fork()
        if pid:
            print(pid, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        _write_to(Path(wish["log"]))
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            data_dir=Path(wish["data_dir"]),
            allow_hub=False,
            **{"open": True} | wish["settings"],
        )
        listen(
            server.create_app(settings, open_marking_engines),
            host=settings.host,
            port=wish["port"],
            max_message_bytes=MAX_MESSAGE_BYTES,
            on_ready=logging.getLogger(__name__).info,
        )
        os._exit(0)


def _write_to(log: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((null, 0), (out, 1), (out, 2)):
        os.dup2(source, target)


if __name__ == "__main__":
    main()
