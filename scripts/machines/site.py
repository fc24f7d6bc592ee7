"""A house on three machines: what runs on which, how it is started, and how it is ended without a farewell.

In: machines, and where the weights lie if there are any. Out: running programs, their common address.
Not known here: calls, screens, in which order things break.

One machine has PostgreSQL, Redis, nginx and Ray's head; each of the others a web process, Ray and an ear.
Whatever ends is started again after 2 s, as by the units of docs/deploy.
"""

import asyncio
import json
import re
import secrets
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from access.gate import Gate
from access.types import Role
from agent_ui.settings import Settings
from knowledge_base.copying import copy_database
from knowledge_base.database import migrate, open_database
from scripts.kills.episode import furnish
from scripts.machines.front import nginx_program, write_front
from scripts.machines.space import NET, Machine

PORT = 8300
_RAY_PORT = 6380
_TCP_RETRIES = 6
_RAYS = ("raylet", "gcs_server", "ray::", "/ray/", "ray start")
"""What stands in the command lines of Ray's own processes."""
_STORE_BYTES = 100 * 1024**2
_LOOKS_EACH_S = 0.2


@dataclass(slots=True, kw_only=True)
class Site:
    """All of it."""

    data: Machine
    workers: list[Machine]
    lease_s: float
    patience_s: float
    """How long anything may take to start."""
    source: Path | None = None
    """A data folder with weights and knowledge; None: ears write marks."""
    sound: Path | None = None
    """One folder of sound for all; None: each web process has its own."""
    is_slow: bool = False
    """Whether nobody shall be thought dead who is merely slow."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    @property
    def address(self) -> str:
        """Where carriers, screens and browsers come to."""
        return f"https://{self.data.address}"

    @property
    def certificate(self) -> Path:
        """Of that address."""
        return self.data.folder / "nginx" / "chain.pem"

    @property
    def database_url(self) -> str:
        """As every machine knows it."""
        return f"postgresql+psycopg://zhiting@{self.data.address}/postgres"

    @property
    def ray_address(self) -> str:
        """As every machine knows it."""
        return f"{self.data.address}:{_RAY_PORT}"

    async def start(self) -> None:
        """Start everything, and wait until it takes calls. Raises `RuntimeError` or `TimeoutError`."""
        await asyncio.to_thread(self._make_database)
        self.start_redis()
        self.start_head()
        for machine in self.workers:
            self.start_ray(machine)
            self.start_ears(machine)
        self.start_front()
        for machine in self.workers:  # the first one makes the tables
            self.start_web(machine)
            await self.until_ready(machine)

    def _make_database(self) -> None:
        place = self.data.folder / "pg"
        place.mkdir()
        shutil.chown(place, "postgres", "postgres")
        command = ("-D", str(place / "d"), "-U", "zhiting", "-A", "trust")
        made = self.data.run((*_AS_POSTGRES, str(_postgres("initdb")), *command), log="postgres.log")
        if made.wait():
            raise RuntimeError((self.data.folder / "postgres.log").read_text(errors="replace"))
        with (place / "d" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NET}.0/24 trust\n")
        self.start_postgres()
        engine = open_database(self.database_url)
        try:
            _migrate_when_it_answers(engine, self.patience_s)
            if self.source is not None:
                furnish(self.data.folder / "house", self.source)
                there = open_database(self.data.folder / "house" / "zhiting.db")
                migrate(there)
                copy_database(there, engine)
                there.dispose()
        finally:
            engine.dispose()

    def add_operator(self, name: str, seat: str) -> None:
        """Somebody who can sign in, with the password of the site."""
        engine, settings = open_database(self.database_url), Settings()
        gate = Gate.open(engine, clock=settings.now, keys={})
        gate.accounts.add(
            name,
            role=Role.OPERATOR,
            password=self.password,
            display_name=name,
            operator_id=seat,
            now=settings.now(),
        )
        engine.dispose()

    def start_postgres(self) -> None:
        """Start PostgreSQL, as somebody who is not root."""
        place = self.data.folder / "pg"
        options = ("-D", str(place / "d"), "-k", str(place), "-c", f"listen_addresses={self.data.address}")
        self.data.run((*_AS_POSTGRES, str(_postgres("postgres")), *options), log="postgres.log", is_unit=True)

    def start_redis(self) -> None:
        """Start Redis; it keeps nothing."""
        command = ("redis-server", "--bind", self.data.address, "--protected-mode", "no", "--save", "")
        self.data.run(command, log="redis.log", is_unit=True)

    def start_front(self) -> None:
        """Start nginx. Raises `RuntimeError` where there is none."""
        program = nginx_program()
        if program is None:
            raise RuntimeError("nginx is not installed")
        conf = write_front(
            self.data.folder / "nginx",
            host=self.data.address,
            plain=f"{self.data.address}:80",
            secure=f"{self.data.address}:443",
            servers=[f"{machine.address}:{PORT}" for machine in self.workers],
        )
        sysctl = f"echo {_TCP_RETRIES} >/proc/sys/net/ipv4/tcp_retries2"  # docs/deploy/several-machines.md
        self.data.run(("sh", "-c", sysctl), log="nginx.log").wait()
        self.data.run((program, "-c", str(conf), "-p", str(conf.parent)), log="nginx.log", is_unit=True)

    def start_head(self) -> None:
        """Start Ray's head, which recognises nothing."""
        self._ray(self.data, "--head", f"--port={_RAY_PORT}", "--num-cpus=0", "--include-dashboard=false")

    def start_ray(self, machine: Machine, *, core: int | None = None) -> None:
        """Start Ray on a machine with one core, which may be one core of this one's."""
        self._ray(machine, f"--address={self.ray_address}", "--num-cpus=1", core=core)

    def _ray(self, machine: Machine, *words: str, core: int | None = None) -> None:
        program = [
            str(Path(sys.executable).with_name("ray")),
            "start",
            f"--node-ip-address={machine.address}",
        ]
        program += [*words, "--disable-usage-stats", f"--object-store-memory={_STORE_BYTES}", "--block"]
        patient = {
            "RAY_raylet_start_wait_time_s": "600",
            "RAY_health_check_timeout_ms": "120000",
            "RAY_health_check_period_ms": "10000",
            "RAY_gcs_server_request_timeout_seconds": "600",
        }
        env = {"RAY_USAGE_STATS_ENABLED": "0"} | (patient if self.is_slow else {})
        machine.run((*_pinned(core), *program), log="ray.log", env=env, is_unit=True)

    def start_ears(self, machine: Machine, *, core: int | None = None) -> None:
        """Have the machine recognise: one ear, with one core."""
        command = ["-m", "scripts.machines.ears", self.ray_address]
        if self.source is not None:
            command = ["-m", "scripts.cli", "ears", "--address", self.ray_address, "--workers", "1"]
        env = {"ZHITING_DATA_DIR": str(self._data_dir(machine)), "ZHITING_ALLOW_HUB": "false"}
        machine.run((*_pinned(core), sys.executable, *command), log="ears.log", env=env, is_unit=True)

    def start_web(self, machine: Machine) -> None:
        """Start a web process with a data folder of its own."""
        env = {
            "ZHITING_DATA_DIR": str(self._data_dir(machine)),
            "ZHITING_DATABASE_URL": self.database_url,
            "ZHITING_BUS": f"redis://{self.data.address}:6379/0",
            "ZHITING_LEASE_S": str(self.lease_s),
            "ZHITING_HOST": machine.address,
            "ZHITING_PORT": str(PORT),
            "ZHITING_TOKEN": self.token,
            "ZHITING_PROXIES": json.dumps([self.data.address]),
            "ZHITING_EARS": "ray",
            "ZHITING_RAY_ADDRESS": self.ray_address,
            "ZHITING_ALLOW_HUB": "false",
        }
        if self.sound is not None:
            env["ZHITING_AUDIO_DIR"] = str(self.sound)
        if self.is_slow:
            env |= {"ZHITING_LOST_AFTER_S": "1800", "ZHITING_RESUMABLE_S": "3600"}
        module = ("scripts.machines.server",) if self.source is None else ("scripts.cli", "serve")
        machine.run((sys.executable, "-m", *module), log="web.log", env=env, is_unit=True)

    def _data_dir(self, machine: Machine) -> Path:
        folder = machine.folder / "house"
        if not folder.exists():
            if self.source is None:
                folder.mkdir()
            else:
                furnish(folder, self.source)
        return folder

    def kill_web(self, machine: Machine) -> None:
        """`kill -9`."""
        _must_be(machine.kill("scripts.machines.server", "scripts.cli serve"), "web process", machine)

    def kill_ear(self, machine: Machine) -> None:
        """`kill -9` to the process that recognises."""
        _must_be(machine.kill("ray::EarActor"), "ear", machine)

    def kill_ray(self, machine: Machine) -> None:
        """`kill -9` to all of Ray on a machine, its ear with it."""
        _must_be(machine.kill(*_RAYS), "Ray", machine)

    def kill_redis(self) -> None:
        """`kill -9`."""
        _must_be(self.data.kill("redis-server"), "Redis", self.data)

    def kill_postgres(self) -> None:
        """`kill -9` to all of PostgreSQL."""
        _must_be(self.data.kill("postgres"), "PostgreSQL", self.data)

    def start_all(self, machine: Machine) -> None:
        """What a recognising machine with a web process does when it is switched on."""
        machine.start()
        self.start_ray(machine)
        self.start_ears(machine)
        self.start_web(machine)

    async def until_ready(self, machine: Machine) -> None:
        """Wait until its web process takes calls and hears from the others. Raises `TimeoutError`."""
        until = time.monotonic() + self.patience_s
        while True:
            standing = await asyncio.to_thread(standing_of, machine)
            if standing.get("ready") is True and standing.get("cluster", {}).get("bus") == "up":
                return
            if time.monotonic() > until:
                raise TimeoutError(f"{machine.name}: {standing}")
            await asyncio.sleep(_LOOKS_EACH_S)

    async def until_whole(self) -> None:
        """Wait until every web process takes calls and has all ears. Raises `TimeoutError`."""
        for machine in self.workers:
            await self.until_ready(machine)
        until = time.monotonic() + self.patience_s
        while True:
            there = [await asyncio.to_thread(self.ears_at, machine) for machine in self.workers]
            if min(there) >= len(self.workers):
                return
            if time.monotonic() > until:
                raise TimeoutError(f"the web processes have {there} ears")
            await asyncio.sleep(_LOOKS_EACH_S)

    def ears_at(self, machine: Machine) -> int:
        """How many ears its web process can use now."""
        try:
            answer = httpx.get(
                f"http://{machine.address}:{PORT}/metrics",
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=5,
                trust_env=False,
            )
        except httpx.HTTPError:
            return 0
        found = re.search(r"^zhiting_remote_ears (\d+)", answer.text, re.MULTILINE)
        return int(found[1]) if found else 0


def _migrate_when_it_answers(engine: Engine, within_s: float) -> None:
    until = time.monotonic() + within_s
    while True:
        try:
            migrate(engine)
            return
        except DBAPIError:
            if time.monotonic() > until:
                raise
            time.sleep(_LOOKS_EACH_S)


_AS_POSTGRES = ("runuser", "-u", "postgres", "--")


def _postgres(program: str) -> Path:
    found = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found / program


def _pinned(core: int | None) -> tuple[str, ...]:
    return () if core is None else ("taskset", "-c", str(core))


def _must_be(killed: int, what: str, machine: Machine) -> None:
    if not killed:
        raise RuntimeError(f"there was no {what} to be killed on {machine.name}")


def standing_of(machine: Machine) -> dict[str, Any]:
    """What `/readyz` of its web process says, or why it says nothing."""
    try:
        answer = httpx.get(f"http://{machine.address}:{PORT}/readyz", timeout=5, trust_env=False)
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        return {"error": str(error)}
    return found
