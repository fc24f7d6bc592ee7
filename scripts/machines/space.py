"""Machines that are namespaces of this one, joined by a bridge: with addresses and processes of their own.

In: names. Out: programs within them, cables that can be pulled, processes that can be killed, power that can
be cut. Needs root, `ip`, `unshare` and `nsenter`.
Not known here: what runs on a machine.

Files are shared, but for the folder in which Ray keeps its sockets: Ray looks for others of its kind among
the processes of a machine and in that folder.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

BRIDGE = "ztb0"
NET = "10.77.0"
HOST = f"{NET}.1"
_ROOT = Path(__file__).parents[2]
_IP = shutil.which("ip") or "/usr/sbin/ip"
_ENTER = shutil.which("nsenter") or "/usr/bin/nsenter"
_RAYS_FOLDER = "/tmp/ray"  # noqa: S108 - where Ray looks unless it is told otherwise
_FIRST = (
    'hostname "$0" && mkdir -p "$1" "$2" && mount --bind "$1" "$2" && echo up && while sleep 3600; do :; done'
)
"""What the first process of a machine does: it also buries orphans."""
_UNIT = 'while :; do "$@"; sleep 2; done'
"""A program that is started again whenever it ends, as the units in docs/deploy are."""


def _ip(*words: str) -> None:
    subprocess.run([_IP, *words], check=True, capture_output=True)


@dataclass(slots=True)
class Machine:
    """One machine with one cable."""

    name: str
    number: int
    folder: Path
    """Of its own: logs, Ray's sockets."""
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _power: subprocess.Popen[bytes] | None = None
    _first: int = 0

    @property
    def address(self) -> str:
        """Its own address on the bridge."""
        return f"{NET}.{self.number}"

    def start(self) -> None:
        """Give it power. Raises `RuntimeError` where it does not start."""
        spaces = ("--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc")
        said = self.folder / "power.log"
        first = ("sh", "-c", _FIRST, self.name, str(self.folder / "ray"), _RAYS_FOLDER)
        with said.open("ab") as errors:
            self._power = subprocess.Popen(
                [_IP, "netns", "exec", self.name, "unshare", *spaces, *first],
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self._power.stdout is not None
        if self._power.stdout.readline() != b"up\n":
            raise RuntimeError(f"{self.name} does not start: {said.read_text(errors='replace')}")
        children = Path(f"/proc/{self._power.pid}/task/{self._power.pid}/children")
        self._first = int(children.read_text().split()[0])

    def run(
        self,
        command: Sequence[str],
        *,
        log: str,
        env: Mapping[str, str] | None = None,
        is_unit: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a program there; `log` is a name in its folder. The process that is returned waits for it.

        One that `is_unit` is started again whenever it ends, until the machine has no power.
        """
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("ZHITING_", "RAY_"))
        }
        spaces = ("--net", "--mount", "--uts", "--ipc", "--pid")
        unit = ("sh", "-c", _UNIT, "unit") if is_unit else ()
        with (self.folder / log).open("ab") as out:
            program = subprocess.Popen(
                [_ENTER, "--target", str(self._first), *spaces, "--", *unit, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**kept, "PYTHONPATH": str(_ROOT), **(env or {})},
                start_new_session=True,
            )
        self.programs.append(program)
        return program

    def kill(self, *signs: str) -> int:
        """`kill -9` to each process there whose command line holds one of the signs; returns how many."""
        found = [pid for pid, words in self.processes() if any(sign in words for sign in signs)]
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(found)

    def processes(self) -> list[tuple[int, str]]:
        """Those there: number as it is seen from outside, command line; not the first one, nor units."""
        ours = os.readlink(f"/proc/{self._first}/ns/pid")
        found: list[tuple[int, str]] = []
        for place in Path("/proc").glob("[0-9]*"):
            pid = int(place.name)
            with suppress(OSError):
                words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                is_unit = words.startswith(f"sh -c {_UNIT}")
                if pid != self._first and words and not is_unit and os.readlink(place / "ns/pid") == ours:
                    found.append((pid, words))
        return sorted(found)

    def pull(self, *, is_pulled: bool) -> None:
        """Pull the cable, or put it back."""
        _ip("link", "set", f"zt{self.number}", "down" if is_pulled else "up")

    def stop(self) -> None:
        """Cut its power: everything there is gone at once."""
        if self._power is not None:
            with suppress(ProcessLookupError):
                os.kill(self._first, signal.SIGKILL)
            self._power.wait()
            assert self._power.stdout is not None
            self._power.stdout.close()
            self._power = None
        for program in self.programs:
            program.wait()
        self.programs.clear()


@contextmanager
def machines(folder: Path, *names: str) -> Iterator[list[Machine]]:
    """A bridge and a machine for each name, with power; all gone in the end."""
    made: list[Machine] = []
    _ip("link", "add", BRIDGE, "type", "bridge")
    try:
        _ip("addr", "add", f"{HOST}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for number, name in enumerate(names, 11):
            machine = Machine(f"zt-{name}", number, folder / name)
            machine.folder.mkdir()
            machine.folder.chmod(0o755)
            _ip("netns", "add", machine.name)
            made.append(machine)
            inner = f"zi{number}"
            _ip("link", "add", f"zt{number}", "type", "veth", "peer", "name", inner, "netns", machine.name)
            _ip("link", "set", f"zt{number}", "master", BRIDGE)
            _ip("link", "set", f"zt{number}", "up")
            _ip("-n", machine.name, "addr", "add", f"{machine.address}/24", "dev", inner)
            _ip("-n", machine.name, "link", "set", inner, "up")
            _ip("-n", machine.name, "link", "set", "lo", "up")
            machine.start()
        yield made
    finally:
        for machine in made:
            machine.stop()
            subprocess.run([_IP, "link", "del", f"zt{machine.number}"], check=False, capture_output=True)
            subprocess.run([_IP, "netns", "del", machine.name], check=False, capture_output=True)
        subprocess.run([_IP, "link", "del", BRIDGE], check=False, capture_output=True)


def seat(number: int) -> str:
    """An address of this machine on the bridge, of its own: where an operator's desk stands."""
    address = f"{NET}.{100 + number}"
    subprocess.run([_IP, "addr", "add", f"{address}/24", "dev", BRIDGE], check=False, capture_output=True)
    return address
