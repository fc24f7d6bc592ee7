"""Machines that are network namespaces, joined by a bridge.

In: names. Out: processes within them, cables that can be pulled. Needs root and `ip`.
Not known here: what runs on a machine.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

BRIDGE = "ztb0"
_IP = shutil.which("ip") or "/usr/sbin/ip"
NET = "10.77.0"
HOST = f"{NET}.1"


def _ip(*words: str) -> None:
    subprocess.run([_IP, *words], check=True, capture_output=True)


@dataclass(slots=True)
class Machine:
    """One namespace with one cable."""

    name: str
    number: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Its own address on the bridge."""
        return f"{NET}.{self.number}"

    def run(
        self, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program there."""
        with log.open("ab") as out:
            process = subprocess.Popen(
                [_IP, "netns", "exec", self.name, *command],
                stdout=out,
                stderr=out,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def pull(self, *, is_pulled: bool) -> None:
        """Pull the cable, or put it back."""
        _ip("link", "set", f"zt{self.number}", "down" if is_pulled else "up")

    def stop(self) -> None:
        """End everything that was started there."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def machines(*names: str) -> Iterator[list[Machine]]:
    """A bridge and one machine for each name, gone in the end."""
    made: list[Machine] = []
    _ip("link", "add", BRIDGE, "type", "bridge")
    try:
        _ip("addr", "add", f"{HOST}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for number, name in enumerate(names, 11):
            machine = Machine(f"zt-{name}", number)
            _ip("netns", "add", machine.name)
            made.append(machine)
            inner = f"zi{number}"
            _ip("link", "add", f"zt{number}", "type", "veth", "peer", "name", inner, "netns", machine.name)
            _ip("link", "set", f"zt{number}", "master", BRIDGE)
            _ip("link", "set", f"zt{number}", "up")
            _ip("-n", machine.name, "addr", "add", f"{machine.address}/24", "dev", inner)
            _ip("-n", machine.name, "link", "set", inner, "up")
            _ip("-n", machine.name, "link", "set", "lo", "up")
        yield made
    finally:
        for machine in made:
            machine.stop()
            subprocess.run([_IP, "netns", "del", machine.name], check=False, capture_output=True)
        subprocess.run([_IP, "link", "del", BRIDGE], check=False, capture_output=True)
