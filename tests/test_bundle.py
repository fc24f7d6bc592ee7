"""The offline bundle: what is in it, what is noticed, and how releases come, go and come back.

The installer is the real one, with real environments and pip; what it installs is a program of two lines.
"""

import ensurepip
import json
import platform
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.bundle_making import INSTALLER, NoSource, make_bundle
from scripts.bundle_papers import (
    BadBundle,
    Papers,
    ensure_fits,
    ensure_room,
    read_papers,
    verify,
    write_papers,
)
from scripts.bundle_releases import Releases
from scripts.bundle_units import Place, ensure_stopped, prepare, read_settings
from scripts.bundle_wheels import Platform, read_wheel, unmet
from tests.test_backup import NOW

ROOT = Path(__file__).parent.parent
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
_PROGRAM = """\
import os, sys
from pathlib import Path

def main():
    data = Path(os.environ["ZHITING_DATA_DIR"])
    with (data / "did").open("a") as log:
        print("{version}", *sys.argv[1:2], file=log)
    if sys.argv[1] == "setup" and (data / "fails").exists():
        sys.exit(7)
    if sys.argv[1] == "forget":
        (data / "forgotten").write_text(Path(sys.argv[2]).read_text())
"""


def papers(name: str = "zhiting-1", **changes: object) -> Papers:
    given = {
        "name": name,
        "version": "1",
        "made_at": NOW.isoformat(),
        "commit": "",
        "python": HERE,
        "machine": platform.machine(),
        "packages": {},
        "missing": (),
        "unpacked_bytes": 1000,
        "data_bytes": 1000,
    }
    return Papers(**given | changes)  # type: ignore[arg-type]


def wheel(
    folder: Path, name: str, version: str = "1", *requires: str, files: dict[str, str] | None = None
) -> Path:
    """A wheel as pip takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    contents = {
        f"{info}/METADATA": "".join(
            [
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
                *(f"Requires-Dist: {r}\n" for r in requires),
            ]
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **(files or {}),
    }
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*contents, f"{info}/RECORD"))
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in contents.items():
            archive.writestr(inner, text)
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "wheels").mkdir(parents=True)
    (folder / "wheels" / "a.whl").write_bytes(b"a" * 100)
    (folder / "tools").mkdir()
    (folder / "tools" / "b.whl").write_bytes(b"b" * 100)
    write_papers(folder, papers())
    return folder


def refused(bundle: Path, expected: str = "") -> str:
    with pytest.raises(BadBundle) as problem:
        verify(bundle, expected=expected)
    return problem.value.code


def test_a_whole_bundle_is_one(bundle: Path) -> None:
    assert verify(bundle) == 3
    assert read_papers(bundle) == papers()
    assert verify(bundle, expected=write_papers(bundle, papers())) == 3


def test_sums_are_what_sha256sum_reads(bundle: Path) -> None:
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=bundle, check=False)
    assert done.returncode == 0


def test_whatever_was_changed_is_noticed(bundle: Path) -> None:
    (bundle / "wheels" / "a.whl").write_bytes(b"a" * 99 + b"x")
    assert refused(bundle) == "bundle.changed_file"


def test_whatever_is_missing_is_noticed(bundle: Path) -> None:
    (bundle / "wheels" / "a.whl").unlink()
    assert refused(bundle) == "bundle.missing_file"


def test_whatever_was_put_in_is_noticed(bundle: Path) -> None:
    (bundle / "wheels" / "c.whl").touch()
    assert refused(bundle) == "bundle.unknown_file"


def test_another_bundle_with_right_sums_is_noticed_by_the_hash_that_was_told(bundle: Path) -> None:
    told = write_papers(bundle, papers())
    (bundle / "wheels" / "a.whl").write_bytes(b"evil")
    write_papers(bundle, papers())
    assert verify(bundle) == 3
    assert refused(bundle, told) == "bundle.other_sums"


@pytest.mark.parametrize("text", ["", "no sums\n", f"{'a' * 64}  ../../etc/passwd\n"])
def test_sums_that_are_none(bundle: Path, text: str) -> None:
    (bundle / "SHA256SUMS").write_text(text, encoding="utf-8")
    assert refused(bundle) == "bundle.no_sums"


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "bundle.bad_manifest"), ("[]", "bundle.bad_manifest"), ('{"format": 2}', "bundle.format")],
)
def test_a_manifest_that_is_none(bundle: Path, text: str, code: str) -> None:
    (bundle / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadBundle) as problem:
        read_papers(bundle)
    assert problem.value.code == code
    (bundle / "manifest.json").unlink()
    with pytest.raises(BadBundle, match="没有解开完整"):
        read_papers(bundle)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"machine": "riscv64"}, "bundle.machine"),
        ({"python": "3.8"}, "bundle.python"),
        ({"missing": ("torch==2.13.0",)}, "bundle.incomplete"),
    ],
)
def test_a_bundle_for_another_machine_is_refused(changes: dict[str, object], code: str) -> None:
    ensure_fits(papers())
    with pytest.raises(BadBundle) as problem:
        ensure_fits(papers(**changes))
    assert problem.value.code == code


def test_a_disk_without_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    ensure_room({tmp_path / "opt": 1000, tmp_path / "data": 1000})
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(BadBundle, match="需要") as problem:  # each would fit, both do not
        ensure_room({tmp_path / "opt": free * 2 // 3, tmp_path / "data": free * 2 // 3})
    assert problem.value.code == "bundle.disk_full"
    assert list(tmp_path.iterdir()) == []


def test_what_is_asked_for_and_not_there_is_found_by_the_platform_it_is_for(tmp_path: Path) -> None:
    arm = 'platform_machine == "aarch64"'
    made = [
        wheel(tmp_path, "top", "1", "mid[more]>=2", f"arm-only; {arm}", 'unused; extra == "never"'),
        wheel(tmp_path, "mid", "2", 'deep==3; extra == "more"', 'old; python_version < "3"'),
    ]
    wheels = {one.name: one for one in map(read_wheel, made)}

    def absent(machine: str) -> list[str]:
        wanted = unmet(wheels, "top", frozenset(), Platform(machine=machine, python="3.11"))
        return sorted(str(Requirement(one.name)) for one in wanted)

    assert absent("x86_64") == ["deep"]
    assert absent("aarch64") == ["arm-only", "deep"]
    wheels["mid"] = read_wheel(wheel(tmp_path, "mid", "1"))
    assert absent("x86_64") == ["mid"]  # there, but too old


def test_a_folder_that_is_no_source_is_refused(tmp_path: Path) -> None:
    here = Platform.here()
    with pytest.raises(NoSource):
        make_bundle(tmp_path, tmp_path / "out", platform=here, extras=frozenset(), versions={}, now=NOW)


def test_settings_are_read_as_systemd_reads_them(tmp_path: Path) -> None:
    place = Place(
        prefix=tmp_path / "opt",
        data=tmp_path / "data",
        config=tmp_path / "etc",
        backups=tmp_path / "backups",
        user=None,
        has_units=False,
    )
    prepare(place)
    assert place.settings()["ZHITING_DATA_DIR"] == str(place.data)
    assert json.loads(place.settings()["ZHITING_PROXIES"]) == ["127.0.0.1"]
    assert place.data.stat().st_mode & 0o777 == 0o700
    (tmp_path / "x").write_text('# A=1\n B="2 3"\nnothing\nC=4=5\n', encoding="utf-8")
    assert read_settings(tmp_path / "x") == {"B": "2 3", "C": "4=5"}
    place.settings_file.write_text("ZHITING_PORT=1\n", encoding="utf-8")
    prepare(place)  # what an admin wrote stays
    assert place.settings() == {"ZHITING_PORT": "1"}


def test_a_link_always_leads_somewhere(tmp_path: Path) -> None:
    releases = Releases(prefix=tmp_path)
    for name in ("1", "2", "3"):
        releases.named(name).mkdir(parents=True)
        releases.switch(releases.named(name))
    assert (releases.current, releases.previous) == (releases.named("3"), releases.named("2"))
    assert releases.tidy() == ["1"]
    releases.switch(releases.named("2"))
    assert (releases.current, releases.previous) == (releases.named("2"), releases.named("3"))


def program(folder: Path, version: str, revisions: list[str]) -> Path:
    """A bundle whose program notes what it is asked to do."""
    made = folder / f"zhiting-{version}"
    files = {
        "zhiting_trial.py": _PROGRAM.format(version=version),
        "knowledge_base/database.py": f"def revisions():\n    return {revisions!r}\n",
        f"zhiting-{version}.dist-info/entry_points.txt": "[console_scripts]\nzhiting = zhiting_trial:main\n",
    }
    wheel(made / "wheels", "zhiting", version, files=files)
    bundled = Path(ensurepip.__file__).parent / "_bundled"
    (made / "tools").mkdir()
    shutil.copy(next(bundled.glob("pip-*.whl")), made / "tools")
    (made / "installer" / "scripts").mkdir(parents=True)
    for name in INSTALLER:
        shutil.copy(ROOT / "scripts" / name, made / "installer" / "scripts")
    shutil.copy(ROOT / "docs" / "deploy" / "install.sh", made)
    write_papers(made, papers(made.name, version=version, packages={"zhiting": version}))
    return made


@pytest.mark.skipif(
    not list((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")),
    reason="this Python brings no pip",
)
def test_install_upgrade_and_both_ways_back(tmp_path: Path) -> None:
    data, prefix = tmp_path / "data", tmp_path / "opt"
    first, second = program(tmp_path, "1", ["0001"]), program(tmp_path, "2", ["0002", "0001"])

    def run(bundle: Path, *arguments: str) -> tuple[int, str]:
        options = [
            "--prefix",
            prefix,
            "--data",
            data,
            "--config",
            tmp_path / "etc",
            "--backups",
            tmp_path / "bak",
        ]
        command = [bundle / "install.sh", *arguments, *options, "--user", "", "--no-systemd"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
        )
        return done.returncode, done.stderr

    def said() -> str:
        done = subprocess.run(
            [prefix / "current" / "bin" / "zhiting", "hello"], env={"ZHITING_DATA_DIR": str(data)}, check=True
        )
        assert done.returncode == 0
        return (data / "did").read_text(encoding="utf-8").splitlines()[-1]

    def stored() -> list[str]:
        with closing(sqlite3.connect(data / "zhiting.db")) as connection:
            return [one for (one,) in connection.execute("SELECT word FROM said")]

    assert run(second, "rollback")[0] == 1  # nothing is installed
    code, told = run(first, "install")
    assert code == 0, told
    assert said() == "1 hello"
    with closing(sqlite3.connect(data / "zhiting.db")) as connection, connection:
        connection.execute("CREATE TABLE said (word)")
        connection.execute("CREATE TABLE call_deletions (deletion_id INTEGER PRIMARY KEY, call_id, what, at)")
        connection.execute("INSERT INTO said VALUES ('before')")

    (data / "fails").touch()
    code, told = run(second, "upgrade")
    assert code == 1
    assert "bundle.upgrade_failed" in told
    assert said() == "1 hello"  # back by itself
    assert stored() == ["before"]
    (data / "fails").unlink()

    with (data / ".lock").open("w") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        code, told = run(second, "upgrade")
        assert (code, "bundle.server_runs" in told) == (1, True)
    code, told = run(second, "upgrade")
    assert code == 0, told
    assert said() == "2 hello"
    with closing(sqlite3.connect(data / "zhiting.db")) as connection, connection:
        connection.execute("INSERT INTO said VALUES ('after')")
        connection.execute(
            "INSERT INTO call_deletions VALUES (1, 'c-1', 'call', '2026-03-05T04:00:00+00:00')"
        )

    code, told = run(second, "rollback")
    assert (code, "bundle.newer_database" in told) == (1, True)
    assert said() == "2 hello"
    code, told = run(second, "rollback", "--restore-database")
    assert code == 0, told
    assert said() == "1 hello"
    assert stored() == ["before"]
    forgotten = json.loads((data / "forgotten").read_text(encoding="utf-8"))
    assert forgotten == {"call_id": "c-1", "what": "call", "at": "2026-03-05T04:00:00+00:00"}
    kept = list((data / "after-upgrade").glob("*/zhiting.db"))
    assert len(kept) == 2  # of the failed upgrade, and of this
    assert run(second, "upgrade")[0] == 0
    assert run(second, "tidy")[0] == 0
    assert not (data / "after-upgrade").exists()


def test_the_nginx_of_compose_is_the_one_that_is_tried() -> None:
    deploy = ROOT / "docs" / "deploy"
    text = (deploy / "nginx" / "zhiting.conf").read_text(encoding="utf-8")
    for address, name in (
        ("server 127.0.0.1:8300", "server web-1:8300"),
        ("# server 10.0.0.12:8300", "server web-2:8300"),
    ):
        text = text.replace(address, name)
    assert (deploy / "compose" / "nginx.conf").read_text(encoding="utf-8") == text


def test_nobody_upgrades_under_a_running_server(tmp_path: Path) -> None:
    place = Place(
        prefix=tmp_path, data=tmp_path, config=tmp_path, backups=tmp_path, user=None, has_units=False
    )
    assert ensure_stopped(place) is False
