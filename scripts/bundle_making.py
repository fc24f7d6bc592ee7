"""Makes one file out of all that a machine without a network needs.

In: the project's source folder, a platform. Out: a tar file, and what is in it.
Not known here: how it is installed (scripts/bundle_installer.py, which travels in it).
"""

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from models.manifest import shipped_manifest
from scripts.bundle_papers import Papers, write_papers
from scripts.bundle_wheels import PipFailed, Platform, build_own, fetch, gather, read_wheel

INSTALLER = (
    "__init__.py",
    "bundle_papers.py",
    "bundle_releases.py",
    "bundle_units.py",
    "bundle_installer.py",
)
"""What runs before anything is installed: the standard library alone."""
WEIGHTS = ("whisper-base", "e5-small")
_PAPERS = ("LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md", "docs")
_NO_SOURCE = shutil.ignore_patterns(
    *(".*", "build", "dist", "*.egg-info", "__pycache__", "var", "node_modules", "tests"),
)


class NoSource(Exception):
    """The folder is no source of the project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A bundle."""

    path: Path
    n_bytes: int
    sums: str
    """The hash of its `SHA256SUMS`, to be told by another way."""
    papers: Papers
    missing: Mapping[str, str]
    """What no wheel was found for, with why."""


def make_bundle(
    source: Path,
    out: Path,
    *,
    platform: Platform,
    extras: frozenset[str],
    versions: Mapping[str, str],
    now: datetime,
    pip_args: tuple[str, ...] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Made:
    """Make a bundle in the folder `out`. Raises `NoSource`, `PipFailed`, `OSError`.

    A bundle in which wheels are missing is made all the same, to be looked at; it cannot be installed.
    """
    if not (source / "pyproject.toml").is_file() or not (source / "scripts" / INSTALLER[-1]).is_file():
        raise NoSource(f"{source} 不是本项目的源码文件夹：用 --source 指定。")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=out) as place:
        clean = Path(place) / "source"
        shutil.copytree(source, clean, ignore=_NO_SOURCE)  # what an earlier build left there stays out
        wheels = Path(place) / "wheels"
        wheels.mkdir()
        tell("制作本项目的 wheel")
        own = build_own(clean, wheels, pip_args)
        found, missing = gather(
            own,
            wheels,
            extras=extras,
            platform=platform,
            versions=versions,
            pip_args=pip_args,
            tell=tell,
        )
        version = read_wheel(own).version
        name = f"zhiting-{version}-{platform.machine}-py{platform.python}-{now:%Y%m%dT%H%M%S}"
        folder = Path(place) / name
        folder.mkdir()
        wheels.rename(folder / "wheels")
        _add_tools(clean, folder, pip_args)
        papers = Papers(
            name=name,
            version=version,
            made_at=now.isoformat(timespec="seconds"),
            commit=_commit(source),
            python=platform.python,
            machine=platform.machine,
            packages={one.name: one.version for one in sorted(found.values(), key=lambda one: one.name)},
            missing=tuple(missing),
            unpacked_bytes=sum(one.unpacked_bytes for one in found.values()),
            data_bytes=sum(model.total_bytes for model in map(shipped_manifest().get, WEIGHTS) if model),
        )
        tell("计算校验值")
        sums = write_papers(folder, papers)
        tell("打包")
        part = Path(place) / "bundle.tar"
        with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar:  # wheels are compressed already
            tar.add(folder, arcname=name, filter=_as_nobody)
        path = out / f"{name}.tar"
        part.rename(path)
    return Made(path=path, n_bytes=path.stat().st_size, sums=sums, papers=papers, missing=missing)


def _add_tools(clean: Path, folder: Path, pip_args: tuple[str, ...]) -> None:
    (folder / "tools").mkdir()
    # It runs from its wheel: a Python from the distribution may come without.
    got, failed = fetch(["pip"], folder / "tools", Platform.here(), pip_args)
    if not got:
        raise PipFailed(f"pip: {failed}")
    (folder / "installer" / "scripts").mkdir(parents=True)
    for name in INSTALLER:
        shutil.copyfile(clean / "scripts" / name, folder / "installer" / "scripts" / name)
    shutil.copyfile(clean / "docs" / "deploy" / "install.sh", folder / "install.sh")
    (folder / "install.sh").chmod(0o755)
    for name in _PAPERS:
        if (clean / name).is_dir():
            shutil.copytree(clean / name, folder / name, ignore=shutil.ignore_patterns("images"))
        else:
            shutil.copyfile(clean / name, folder / name)


def _commit(source: Path) -> str:
    """Which state of the source it was; empty where nobody knows."""
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run(
        [git, "-C", str(source), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _as_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
