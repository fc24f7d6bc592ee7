"""Releases side by side: each in a folder of its own, one of them current, the one before kept to go back to.

In: a bundle's folder, where releases go. Out: a new release; `current` and `previous` as symbolic links.
Not known here: services, settings, whether the bundle is whole. The standard library alone.

`current` is changed by renaming a link over it, so that there always is one.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.bundle_papers import BadBundle, Papers

_DONE = ".complete"
_HEAD = "from knowledge_base.database import revisions; print(*revisions())"


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """The folder with all of them."""

    prefix: Path

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.prefix / "releases"

    def named(self, name: str) -> Path:
        """Where that one lies, or will."""
        return self.folder / name

    @property
    def current(self) -> Path | None:
        """The one in use."""
        return self._target("current")

    @property
    def previous(self) -> Path | None:
        """The one that was in use before."""
        return self._target("previous")

    def add(self, bundle: Path, papers: Papers, *, tell: Callable[[str], None]) -> Path:
        """Install a bundle beside the others, without touching them. Raises `BadBundle`, `OSError`."""
        place = self.named(papers.name)
        if (place / _DONE).is_file():
            tell(f"{papers.name} 已经装好")
            return place
        if place.exists():  # an earlier try was cut off
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        tell("建立虚拟环境")
        _run([sys.executable, "-m", "venv", "--without-pip", str(place)], "bundle.no_venv")
        python, pip = place / "bin" / "python", next((bundle / "tools").glob("pip-*.whl"), None)
        if pip is None:
            raise BadBundle("安装包缺少 tools/pip：请重新拷贝。", code="bundle.missing_file")
        tell(f"安装 {len(papers.packages)} 个软件包")
        wheels = sorted(str(wheel) for wheel in (bundle / "wheels").glob("*.whl"))
        run_pip = [str(python), str(pip / "pip"), "--isolated", "--disable-pip-version-check"]
        _run(
            [*run_pip, "install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir", *wheels],
            "bundle.pip_failed",
        )
        _run([*run_pip, "check"], "bundle.incomplete")
        shutil.copyfile(bundle / "manifest.json", place / "manifest.json")
        (place / _DONE).touch()
        return place

    def switch(self, to: Path) -> None:
        """Make a release the current one, and the one in use the previous."""
        now = self.current
        if now == to:
            return
        if now is not None:
            self._link("previous", now)
        self._link("current", to)

    def tidy(self) -> list[str]:
        """Delete all but the current and the previous one; returns their names."""
        kept = {self.current, self.previous}
        gone = [one for one in sorted(self.folder.iterdir()) if one.resolve() not in kept]
        for one in gone:
            shutil.rmtree(one)
        return [one.name for one in gone]

    def _target(self, link: str) -> Path | None:
        place = self.prefix / link
        return place.resolve() if place.is_symlink() and place.exists() else None

    def _link(self, name: str, to: Path) -> None:
        fresh = self.prefix / f".{name}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("releases") / to.name)
        os.replace(fresh, self.prefix / name)


def revisions_of(release: Path) -> list[str]:
    """The versions of the schema that a release knows, newest first. Raises `BadBundle`."""
    return _run([str(release / "bin" / "python"), "-I", "-c", _HEAD], "bundle.broken_release").split()


def run_zhiting(
    release: Path, *arguments: str, environment: Mapping[str, str], user: str | None, cwd: Path
) -> None:
    """One of the release's own commands, under that user. Raises `BadBundle`."""
    command = [str(release / "bin" / "zhiting"), *arguments]
    own = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(cwd), "LANG": "C.UTF-8"}
    done = subprocess.run(
        command,
        env=own | dict(environment),
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd=cwd,
        check=False,
    )
    if done.returncode:
        raise BadBundle(
            f"zhiting {arguments[0]} 没有成功（退出码 {done.returncode}），原因见上。",
            code="bundle.command_failed",
        )


def _run(command: list[str], code: str) -> str:
    # No setting of pip and no package of the one who runs this is to be taken for ours.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    done = subprocess.run(command, env=clean, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise BadBundle(f"安装没有成功：\n{said}", code=code)
    return done.stdout
