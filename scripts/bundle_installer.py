"""`install.sh`: verify, install, upgrade, roll back, tidy; without any network.

In: a bundle's folder, the command line. Out: a release in use; exit code 0 done, 1 failed, 2 misused.
Not known here: how bundles are made. The standard library alone, and the modules that travel beside this one.

An upgrade puts the new release beside the old one, stops the server, copies the database, brings it to the
new schema, changes the link and starts the server; where that does not answer, the old release and the old
database come back.
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from scripts.bundle_papers import BadBundle, Papers, ensure_fits, ensure_room, read_papers, verify
from scripts.bundle_releases import Releases, revisions_of, run_zhiting
from scripts.bundle_units import Place, ensure_stopped, install_units, prepare, start

_COPY = "before-upgrade"


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says."""
    bundle, given = Path(arguments[0]), _parser().parse_args(arguments[1:])
    place = Place(
        prefix=given.prefix.absolute(),
        data=given.data.absolute(),
        config=given.config.absolute(),
        backups=given.backups.absolute(),
        user=given.user or None,
        has_units=given.systemd,
    )
    try:
        _DO[given.what](bundle, place, given)
    except BadBundle as problem:
        _tell(f"{problem.message}（{problem.code}）")
        return 1
    except (OSError, sqlite3.Error) as error:
        where = f" {error.filename}" if isinstance(error, OSError) and error.filename else ""
        _tell(f"没有做完（{error}{where}）：排除原因后重新运行即可，已做完的不会重做。")
        return 1
    return 0


def _verify(bundle: Path, place: Place, given: argparse.Namespace) -> None:
    count = verify(bundle, expected=given.expect)
    _tell(f"{read_papers(bundle).name}：{count} 个文件与制作时一致。")


def _checked(bundle: Path, place: Place, given: argparse.Namespace, *, beside_bytes: int = 0) -> Papers:
    papers = read_papers(bundle)
    ensure_fits(papers)
    ensure_room({place.prefix: papers.unpacked_bytes * 4 // 3, place.data: papers.data_bytes + beside_bytes})
    _tell("核对校验值…")
    verify(bundle, expected=given.expect)
    return papers


def _install(bundle: Path, place: Place, given: argparse.Namespace) -> None:
    releases = Releases(prefix=place.prefix)
    papers = _checked(bundle, place, given)
    if releases.current not in (None, releases.named(papers.name).absolute()):
        raise BadBundle(
            "这里已经装有一个版本：用 ./install.sh upgrade 升级。", code="bundle.installed_already"
        )
    prepare(place)
    release = releases.add(bundle, papers, tell=_tell)
    _run(place, release, "setup", "--sample" if given.sample else "--no-sample")
    releases.switch(release)
    install_units(bundle, place)
    start(place)
    _tell(f"装好了：{papers.name}。命令在 {place.prefix}/current/bin/zhiting，设置在 {place.settings_file}。")


def _upgrade(bundle: Path, place: Place, given: argparse.Namespace) -> None:
    releases = Releases(prefix=place.prefix)
    old = releases.current
    if old is None:
        raise BadBundle("这里还没有装过：用 ./install.sh install。", code="bundle.not_installed")
    database = place.data / "zhiting.db"
    size = database.stat().st_size if database.exists() else 0
    papers = _checked(bundle, place, given, beside_bytes=size)
    release = releases.add(bundle, papers, tell=_tell)  # beside the old one, which goes on serving meanwhile
    if release == old:
        _tell("已经是这个版本。")
        return
    _tell("停止服务，复制数据库…")
    ran = ensure_stopped(place)
    _copy_database(place, old)
    try:
        _run(place, release, "setup", "--no-sample")
        releases.switch(release)
        install_units(bundle, place)
        if ran:
            start(place)
    except BadBundle as problem:
        _tell(f"{problem.message}（{problem.code}）\n退回原来的版本…")
        _go_back(place, releases, new=release, old=old, may_restore=True)
        if ran:
            start(place)
        raise BadBundle(f"升级没有成功，已退回 {old.name}。", code="bundle.upgrade_failed") from None
    _tell(f"升级到 {papers.name}。退回用：./install.sh rollback")


def _rollback(bundle: Path, place: Place, given: argparse.Namespace) -> None:
    releases = Releases(prefix=place.prefix)
    new, old = releases.current, releases.previous
    if new is None or old is None:
        raise BadBundle("没有可以退回的版本。", code="bundle.no_previous")
    ran = ensure_stopped(place)
    try:
        _go_back(place, releases, new=new, old=old, may_restore=given.restore_database)
    finally:
        if ran:
            start(place)
    _tell(f"退回到 {old.name}。")


def _go_back(place: Place, releases: Releases, *, new: Path, old: Path, may_restore: bool) -> None:
    """To the release before; its database comes back where it cannot read the present one."""
    if revisions_of(new)[0] not in revisions_of(old):
        copies = sorted((place.data / _COPY).glob(f"*-{old.name}"))
        if not may_restore:
            raise BadBundle(
                "原来的版本读不了现在的数据库。加 --restore-database 换回升级前的数据库："
                "升级后写入的通话、工单会留在旁边的副本里，不再显示。",
                code="bundle.newer_database",
            )
        if not copies:
            raise BadBundle(f"{place.data / _COPY} 里没有升级前的数据库。", code="bundle.no_copy")
        _put_back(place, copies[-1], old)
    releases.switch(old)


def _put_back(place: Place, copy: Path, old: Path) -> None:
    """The database from before the upgrade, in which what was deleted since is deleted again."""
    if _address(place):
        raise BadBundle(
            f"数据库在 PostgreSQL 上：请按 docs/deploy/upgrade.md 用 {copy}/zhiting.dump 恢复，再退回。",
            code="bundle.restore_by_hand",
        )
    aside = place.data / "after-upgrade" / _stamp()
    aside.mkdir(parents=True, mode=0o700)
    database = place.data / "zhiting.db"
    for ending in ("", "-wal", "-shm"):
        if (file := Path(f"{database}{ending}")).exists():
            file.rename(aside / file.name)
    fresh = database.with_suffix(".part")
    shutil.copyfile(copy / "zhiting.db", fresh)
    with closing(sqlite3.connect(aside / "zhiting.db")) as connection:
        rows = connection.execute(
            "SELECT call_id, what, at FROM call_deletions ORDER BY deletion_id"
        ).fetchall()
    listed = aside / "deletions.jsonl"
    names = ("call_id", "what", "at")
    listed.write_text(
        "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows), encoding="utf-8"
    )
    if place.user:
        for path in (aside.parent, aside, listed, fresh):
            shutil.chown(path, place.user, place.user)
    os.replace(fresh, database)
    _run(place, old, "forget", str(listed))
    _tell(f"升级后的数据库移到了 {aside}；确认不需要后请删除。")


def _copy_database(place: Place, old: Path) -> None:
    target = place.data / _COPY / f"{_stamp()}-{old.name}"
    target.mkdir(parents=True, mode=0o700)
    if address := _address(place):
        command = [
            "/usr/bin/env",
            "pg_dump",
            "--format=custom",
            f"--file={target / 'zhiting.dump'}",
            _plain(address),
        ]
        if subprocess.run(command, check=False).returncode:
            raise BadBundle("pg_dump 没有成功，原因见上；没有升级。", code="bundle.pg_dump")
        return
    database = place.data / "zhiting.db"
    if not database.exists():
        return
    with (
        closing(sqlite3.connect(database)) as source,
        closing(sqlite3.connect(target / "zhiting.db")) as copy,
    ):
        source.backup(copy)


def _stamp() -> str:
    """A name by the time, also of what is done again within the same second."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"


def _address(place: Place) -> str:
    return place.settings().get("ZHITING_DATABASE_URL", "")


def _plain(address: str) -> str:
    """A URL as PostgreSQL's own programs know it, without the name of a driver."""
    scheme, rest = address.split("://", 1)
    return f"{scheme.split('+')[0]}://{rest}"


def _tidy(bundle: Path, place: Place, given: argparse.Namespace) -> None:
    gone = Releases(prefix=place.prefix).tidy()
    for name in (_COPY, "after-upgrade"):
        if (place.data / name).exists():
            shutil.rmtree(place.data / name)
            gone.append(name)
    _tell(f"删除了 {'、'.join(gone)}。" if gone else "没有可删的。")


def _run(place: Place, release: Path, *arguments: str) -> None:
    run_zhiting(release, *arguments, environment=place.settings(), user=place.user, cwd=place.data)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


_DO = {"verify": _verify, "install": _install, "upgrade": _upgrade, "rollback": _rollback, "tidy": _tidy}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install.sh", description="Install Zhiting out of this folder, without a network."
    )
    parser.add_argument("what", choices=_DO, help="tidy: delete old releases and copies of the database")
    parser.add_argument("--prefix", type=Path, default=Path("/opt/zhiting"), help="where releases go")
    parser.add_argument("--data", type=Path, default=Path("/var/lib/zhiting"), help="the data folder")
    parser.add_argument("--config", type=Path, default=Path("/etc/zhiting"), help="where zhiting.env goes")
    parser.add_argument("--backups", type=Path, default=Path("/var/backups/zhiting"), help="where backups go")
    parser.add_argument(
        "--user", default="zhiting" if os.geteuid() == 0 else "", help="the server's user; it is made"
    )
    has_systemd = Path("/run/systemd/system").is_dir() and os.geteuid() == 0
    parser.add_argument(
        "--systemd", action=argparse.BooleanOptionalAction, default=has_systemd, help="start it by systemd"
    )
    parser.add_argument(
        "--expect", default="", metavar="SHA256", help="the hash of SHA256SUMS, as told by whoever made it"
    )
    parser.add_argument(
        "--sample", action="store_true", help="install: publish the invented sample articles, for a try-out"
    )
    parser.add_argument(
        "--restore-database", action="store_true", help="rollback: also the database from before"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
