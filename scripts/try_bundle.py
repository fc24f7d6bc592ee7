"""Tries an offline bundle for real: install, serve, call, upgrade, roll back, where there is no network.

In: a bundle of `zhiting bundle`, root. Out: a line of JSON for each step: what was seen, how long it took.
Not known here: how bundles are made or installed. No test of the suite: it takes minutes and real weights.

    python -m scripts.try_bundle zhiting-….tar --work /var/tmp/trial

The second bundle is made here, from the first one's wheels and this source, with another version and one more
migration, so that the upgrade changes the database's schema and the way back is not for nothing.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

_ROOT = Path(__file__).parent.parent
_PORT = 8377
_MIGRATION = '''\
"""One more table, so that an older program cannot read the database."""

from alembic import op
from sqlalchemy import Column, Integer

revision = "9999"
down_revision = "{last}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("trial", Column("n", Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("trial")
'''


def main() -> int:
    """Make the second bundle, then go on where there is no network."""
    parser = argparse.ArgumentParser(description="Try an offline bundle.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="an empty folder; some 8 GB")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    work: Path = given.work.absolute()
    if given.inside is None:
        work.mkdir(parents=True, exist_ok=True)
        first = _unpack(given.bundle, work)
        second = _next_bundle(first, work)
        again = [
            sys.executable,
            "-m",
            "scripts.try_bundle",
            str(first),
            "--work",
            str(work),
            "--inside",
            str(second),
        ]
        lone = 'ip link set lo up && exec "$@"'
        return subprocess.run(
            ["/usr/bin/env", "unshare", "--net", "sh", "-c", lone, "sh", *again], check=False
        ).returncode
    _try(given.bundle, given.inside, work)
    return 0


def _try(first: Path, second: Path, work: Path) -> None:
    names = [name for _, name in socket.if_nameindex()]
    _tell("network", interfaces=names, reaches_outside=_reaches_outside())
    place = {name: str(work / name) for name in ("prefix", "data", "config", "backups")}
    options = [part for name, path in place.items() for part in (f"--{name}", path)]
    options += ["--no-systemd", "--user", ""]
    _install(first, "verify", options)
    _install(first, "install", [*options, "--sample"])
    release = work / "prefix" / "current"
    _tell("sizes", release_mb=_mb(release.resolve()), data_mb=_mb(work / "data"))
    with _serving(work) as client:
        _call(work, client, "before")
    _install(second, "upgrade", options)
    with _serving(work) as client:
        _seen(client, "before")
        _call(work, client, "after")
        deleted = client.delete("/v1/calls/before", params={"reason": "本人要求", "what": "call"})
        _tell("deleted after the upgrade", status=deleted.status_code)
    _install(second, "rollback", options, expected=1)
    _install(second, "rollback", [*options, "--restore-database"])
    with _serving(work) as client:
        _seen(client, "before")
        _seen(client, "after")
    _install(second, "upgrade", options)
    _install(second, "tidy", options)


def _install(bundle: Path, what: str, options: list[str], *, expected: int = 0) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [str(bundle / "install.sh"), what, *options], capture_output=True, text=True, check=False
    )
    said = done.stderr.strip().splitlines()
    _tell(
        what,
        bundle=bundle.name,
        rc=done.returncode,
        took_s=round(time.monotonic() - began, 1),
        said=said[-1:],
    )
    if done.returncode != expected:
        raise SystemExit("\n".join(said))


@contextmanager
def _serving(work: Path) -> Iterator[httpx.Client]:
    """The installed server, as its own unit would start it."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(work), "ZHITING_DATA_DIR": str(work / "data")}
    environment |= {"ZHITING_ALLOW_HUB": "false", "ZHITING_PORT": str(_PORT), "HF_HUB_OFFLINE": "1"}
    command = [str(work / "prefix" / "current" / "bin" / "zhiting"), "serve"]
    began = time.monotonic()
    with (work / "server.log").open("ab") as log:
        server = subprocess.Popen(command, env=environment, cwd=work / "data", stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{_PORT}", timeout=30) as client:
            while True:
                if server.poll() is not None:
                    raise SystemExit((work / "server.log").read_text(encoding="utf-8"))
                try:
                    health, ready = client.get("/healthz"), client.get("/readyz")
                    break
                except httpx.TransportError:
                    time.sleep(0.2)
            client.headers["Authorization"] = (
                f"Bearer {(work / 'data' / '.local-key').read_text(encoding='utf-8')}"
            )
            version = client.get("/openapi.json").json()["info"]["version"]
            page = client.get("/", follow_redirects=True)
            _tell(
                "serve",
                healthz=health.status_code,
                readyz=ready.status_code,
                version=version,
                page=page.status_code,
                took_s=round(time.monotonic() - began, 1),
            )
            yield client
    finally:
        server.terminate()
        server.wait()


def _call(work: Path, client: httpx.Client, call_id: str) -> None:
    """A bundled call, played by the installed command and heard by the real weights."""
    command = work / "prefix" / "current" / "bin"
    ask = "import scripts.demo_calls as d; print(next(iter(d.demo_calls()))[0])"
    found = subprocess.run(
        [str(command / "python"), "-c", ask], capture_output=True, text=True, check=True, cwd=work
    )
    played = [
        str(command / "zhiting"),
        "replay",
        found.stdout.strip(),
        "--server",
        str(client.base_url),
        "--call-id",
        call_id,
    ]
    key = client.headers["Authorization"].removeprefix("Bearer ")
    done = subprocess.run([*played, "--token", key], capture_output=True, text=True, check=False, cwd=work)
    if done.returncode:
        raise SystemExit(done.stderr)
    _seen(client, call_id)


def _seen(client: httpx.Client, call_id: str) -> None:
    answer = client.get(f"/v1/calls/{call_id}")
    lines: list[dict[str, Any]] = answer.json().get("segments", []) if answer.status_code == 200 else []
    _tell(
        "call",
        call_id=call_id,
        status=answer.status_code,
        lines=len(lines),
        first=lines[0]["text"] if lines else "",
    )


def _unpack(bundle: Path, work: Path) -> Path:
    with tarfile.open(bundle) as tar:
        name = tar.getnames()[0]
        tar.extractall(work, filter="data")
    return work / name


def _next_bundle(first: Path, work: Path) -> Path:
    """The next version, out of this source and the first one's wheels."""
    source = work / "source"
    shutil.copytree(
        _ROOT, source, ignore=shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "var")
    )
    project = source / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace('version = "0.1.0"', 'version = "0.1.1"'), encoding="utf-8")
    from knowledge_base.database import revisions

    versions = source / "knowledge_base" / "migrations" / "versions"
    (versions / "9999_trial.py").write_text(_MIGRATION.format(last=revisions()[0]), encoding="utf-8")
    wheels, tools = first / "wheels", first / "tools"
    command = [sys.executable, "-m", "scripts.cli", "bundle", str(work), "--source", str(source), "--json"]
    command += [f"--pip-arg=--find-links={wheels}", f"--pip-arg=--find-links={tools}"]
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    made = json.loads(done.stdout)
    _tell("bundle", took_s=round(time.monotonic() - began, 1), bytes=made["bytes"], missing=made["missing"])
    return _unpack(Path(made["path"]), work)


def _reaches_outside() -> bool:
    try:
        with socket.create_connection(("192.0.2.1", 443), timeout=3):
            return True
    except OSError:
        return False


def _mb(folder: Path) -> int:
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return round(sum(sizes) / 1e6)


def _tell(step: str, **seen: Any) -> None:
    print(json.dumps({"step": step} | seen, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
