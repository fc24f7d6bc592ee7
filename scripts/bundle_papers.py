"""What lies in a bundle for installing without a network, and whether it is all there and as it was made.

In: a bundle's folder. Out: its `Papers`, or `BadBundle` with a code and what to do.
Not known here: how a bundle is made or installed. The standard library alone: nothing is installed yet.

`manifest.json` says what the bundle is; `SHA256SUMS` names every file with its hash, that one too, as
`sha256sum -c` reads it. Whoever changes a file and its line is noticed only by the hash of `SHA256SUMS`
itself, which is therefore to be told by another way.
"""

import hashlib
import json
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_BLOCK = 1024 * 1024
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_MARGIN_BYTES = 300_000_000
"""Beside what is unpacked: bytecode, and room to breathe."""


class BadBundle(Exception):
    """A bundle that cannot be used here; the message says why and what to do."""

    def __init__(self, message: str, *, code: str):
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What a bundle is."""

    name: str
    """As its folder: version, platform, Python, when it was made."""
    version: str
    made_at: str
    commit: str
    python: str
    """The one version of Python for which its wheels are, as `3.11`."""
    machine: str
    """`x86_64` or `aarch64`."""
    packages: dict[str, str]
    """Name and version of each package."""
    missing: tuple[str, ...]
    """Packages that are wanted and of which there is no wheel for that platform."""
    unpacked_bytes: int
    """What the wheels take once they are installed."""
    data_bytes: int
    """What the weights take in the data folder."""


def write_papers(folder: Path, papers: Papers) -> str:
    """Write both files over what lies in the folder; returns the hash of `SHA256SUMS`."""
    rows = {name: getattr(papers, name) for name in Papers.__slots__}
    text = json.dumps({"format": FORMAT, **rows}, ensure_ascii=False, indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    lines = [f"{hash_of(folder / name)}  {name}\n" for name in sorted(files_in(folder))]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    return hash_of(folder / SUMS)


def read_papers(folder: Path) -> Papers:
    """What the folder's manifest says. Raises `BadBundle`."""
    try:
        given: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if given.pop("format") != FORMAT:
            raise BadBundle("安装包的格式与本程序不符：请用包内自带的 install.sh。", code="bundle.format")
        return Papers(**given | {"missing": tuple(given["missing"])})
    except FileNotFoundError:
        raise BadBundle(
            f"{folder} 里没有 {MANIFEST}：不是安装包，或没有解开完整。", code="bundle.no_manifest"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadBundle(
            f"{MANIFEST} 读不出来（{type(error).__name__}）：请重新拷贝安装包。", code="bundle.bad_manifest"
        ) from None


def verify(folder: Path, *, expected: str = "", tell: Callable[[str], None] = lambda _: None) -> int:
    """Hash every file; returns how many. `expected` is the hash of `SHA256SUMS`, where somebody told it.

    Raises `BadBundle`: `bundle.no_sums`, `bundle.other_sums`, `bundle.missing_file`, `bundle.changed_file`,
    `bundle.unknown_file`, `bundle.unreadable`.
    """
    try:
        if expected and hash_of(folder / SUMS) != expected.lower():
            raise BadBundle(
                f"{SUMS} 的校验值与告知的不同：这不是同一个安装包，不要安装。", code="bundle.other_sums"
            )
        sums = dict(_sums(folder))
        present = set(files_in(folder))
        for n, (name, expected_hash) in enumerate(sorted(sums.items()), 1):
            if name not in present:
                raise BadBundle(f"安装包缺少 {name}：请重新拷贝。", code="bundle.missing_file")
            if hash_of(folder / name) != expected_hash:
                raise BadBundle(
                    f"{name} 与制作时不同（损坏或被改动）：请重新拷贝。", code="bundle.changed_file"
                )
            tell(f"核对 {n}/{len(sums)}  {name}")
        if unknown := sorted(present - set(sums)):
            raise BadBundle(f"安装包里多出了 {unknown[0]}：请删除，或重新拷贝。", code="bundle.unknown_file")
        return len(sums)
    except OSError as error:
        raise BadBundle(
            f"读不了 {error.filename or folder}（{error.strerror}）：看一下介质和权限。",
            code="bundle.unreadable",
        ) from None


def ensure_fits(papers: Papers) -> None:
    """Whether this is a machine for it. Raises `BadBundle`: `bundle.machine`, `bundle.python`."""
    if platform.machine() != papers.machine:
        raise BadBundle(
            f"这个安装包用于 {papers.machine}，本机是 {platform.machine()}：请用对应的安装包。",
            code="bundle.machine",
        )
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if here != papers.python:
        raise BadBundle(
            f"这个安装包用于 Python {papers.python}，现在运行的是 {here}："
            f"用 PYTHON=/路径/python{papers.python} ./install.sh 指定。",
            code="bundle.python",
        )
    if papers.missing:
        raise BadBundle(
            f"安装包不完整，制作时没有找到：{'、'.join(papers.missing)}。", code="bundle.incomplete"
        )


def ensure_room(need: dict[Path, int]) -> None:
    """Whether there is room for so many bytes below each folder. Raises `BadBundle`: `bundle.disk_full`."""
    by_device: dict[int, tuple[Path, int]] = {}
    for folder, n_bytes in need.items():
        place = next(one for one in (folder, *folder.absolute().parents) if one.exists())
        known, so_far = by_device.get(place.stat().st_dev, (place, 0))
        by_device[place.stat().st_dev] = (known, so_far + n_bytes)
    for place, n_bytes in by_device.values():
        wanted = n_bytes + _MARGIN_BYTES
        if (free := shutil.disk_usage(place).free) < wanted:
            sizes = f"空闲 {free / 1e9:.1f} GB，需要 {wanted / 1e9:.1f} GB"
            raise BadBundle(f"{place} 所在的磁盘{sizes}：请清理，或换一个位置。", code="bundle.disk_full")


def files_in(folder: Path) -> Iterator[str]:
    """Every file but `SHA256SUMS`, by its path within the folder."""
    for path in folder.rglob("*"):
        if path.is_file() and path != folder / SUMS and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix()


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sums(folder: Path) -> Iterator[tuple[str, str]]:
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        raise BadBundle(f"安装包没有可读的 {SUMS}：请重新拷贝。", code="bundle.no_sums") from None
    lines = text.splitlines()
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None or ".." in Path(found[2]).parts or found[2].startswith("/"):
            raise BadBundle(f"{SUMS} 里有一行读不懂：请重新拷贝。", code="bundle.no_sums")
        yield found[2], found[1]
    if not lines:
        raise BadBundle(f"{SUMS} 是空的：请重新拷贝。", code="bundle.no_sums")
