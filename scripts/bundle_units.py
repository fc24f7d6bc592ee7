"""What a release needs around it on one machine: a user, folders, a file of settings, units of systemd.

In: where everything goes. Out: all of it in place; what is there already stays as it is, but for the units.
Not known here: releases, bundles. The standard library alone.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from scripts.bundle_papers import BadBundle

SERVICE = "zhiting.service"
_UNITS = Path("/etc/systemd/system")
_USUAL = {
    "/opt/zhiting": "prefix",
    "/var/lib/zhiting": "data",
    "/etc/zhiting": "config",
    "/var/backups/zhiting": "backups",
}
_SETTINGS = """\
# Settings of Zhiting (docs/settings.md). Read by systemd and by install.sh.
ZHITING_DATA_DIR={data}
ZHITING_HOST=127.0.0.1
ZHITING_PORT=8300
# nginx of this machine tells for whom it asks (docs/deploy/one-machine.md).
ZHITING_PROXIES='["127.0.0.1"]'
# No model hub is asked: everything came with the bundle.
ZHITING_ALLOW_HUB=false
HF_HUB_OFFLINE=1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where everything is on this machine."""

    prefix: Path
    data: Path
    config: Path
    backups: Path
    user: str | None
    """Under which the server runs; None: whoever installs."""
    has_units: bool
    """Whether systemd starts it."""

    @property
    def settings_file(self) -> Path:
        """The settings, as systemd reads them."""
        return self.config / "zhiting.env"

    def settings(self) -> dict[str, str]:
        """What stands in there."""
        return read_settings(self.settings_file)


def prepare(place: Place) -> None:
    """User, folders and settings; nothing that is there is changed."""
    if place.user:
        _ensure_user(place.user, place.data)
    for folder, mode in (
        (place.prefix, 0o755),
        (place.config, 0o750),
        (place.data, 0o700),
        (place.backups, 0o700),
    ):
        if not folder.exists():
            folder.mkdir(parents=True, mode=mode)
            folder.chmod(mode)
            if place.user and folder in (place.data, place.backups):
                shutil.chown(folder, place.user, place.user)
    if not place.settings_file.exists():
        place.settings_file.write_text(_SETTINGS.format(data=place.data), encoding="utf-8")
        place.settings_file.chmod(0o640)
        if place.user:
            shutil.chown(place.config, None, place.user)
            shutil.chown(place.settings_file, None, place.user)


def install_units(bundle: Path, place: Place) -> None:
    """Put the units where systemd finds them, with this machine's paths and user."""
    if not place.has_units:
        return
    for file in sorted((bundle / "docs" / "deploy" / "systemd").iterdir()):
        text = file.read_text(encoding="utf-8")
        for usual, name in _USUAL.items():
            text = text.replace(usual, str(getattr(place, name)))
        text = text.replace("User=zhiting", f"User={place.user}").replace(
            "Group=zhiting", f"Group={place.user}"
        )
        (_UNITS / file.name).write_text(text, encoding="utf-8")
    _systemctl("daemon-reload")
    _systemctl("enable", SERVICE, "zhiting-backup.timer")


def ensure_stopped(place: Place) -> bool:
    """Stop the service; returns whether it ran. Raises `BadBundle` while somebody else runs it."""
    ran = place.has_units and _systemctl("is-active", "--quiet", SERVICE, may_fail=True) == 0
    if ran:
        _systemctl("stop", SERVICE)
    lock = place.data / ".lock"
    if lock.exists():
        with lock.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadBundle(
                    f"服务正在使用 {place.data}：先停止它，再重新运行。", code="bundle.server_runs"
                ) from None
    return ran


def start(place: Place, *, wait_s: float = 180.0) -> None:
    """Start the service and wait until it answers. Raises `BadBundle` where it does not."""
    if not place.has_units:
        return
    _systemctl("start", SERVICE)
    settings = place.settings()
    address = f"http://127.0.0.1:{settings.get('ZHITING_PORT', '8300')}/healthz"
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(1.0)
    raise BadBundle(
        f"服务在 {wait_s:.0f} 秒内没有应答：看 journalctl -u zhiting -n 50。", code="bundle.does_not_start"
    )


def read_settings(file: Path) -> dict[str, str]:
    """Variables of a file as systemd reads it: NAME=value, quoted or not."""
    values = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, is_one, value = line.strip().partition("=")
        if is_one and not name.startswith("#"):
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
            values[name.strip()] = value[1:-1] if quoted else value
    return values


def _ensure_user(name: str, home: Path) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        if os.geteuid() != 0:
            raise BadBundle(
                f"没有用户 {name}：请用 root 运行，或加 --user 写现有用户。", code="bundle.no_user"
            ) from None
        shell = "/usr/sbin/nologin" if Path("/usr/sbin/nologin").exists() else "/bin/false"
        command = [
            "/usr/bin/env",
            "useradd",
            "--system",
            "--user-group",
            "--home-dir",
            str(home),
            "--no-create-home",
            "--shell",
            shell,
        ]
        done = subprocess.run([*command, name], capture_output=True, text=True, check=False)
        if done.returncode:
            raise BadBundle(f"建不了用户 {name}：{done.stderr.strip()}", code="bundle.no_user") from None


def _systemctl(*arguments: str, may_fail: bool = False) -> int:
    done = subprocess.run(
        ["/usr/bin/env", "systemctl", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode and not may_fail:
        raise BadBundle(f"systemctl {' '.join(arguments)}：{done.stderr.strip()}", code="bundle.systemd")
    return done.returncode
