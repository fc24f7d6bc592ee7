"""Finds the recordings that somebody names: files, folders, patterns, lists.

In: names as they were typed. Out: paths, each with the name under which its result is kept.
Not known here: what is in the files.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path, PurePosixPath

# fmt: off
SOUND_ENDINGS = frozenset((
    ".wav", ".wave", ".mp3", ".m4a", ".aac", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi",
    ".amr", ".awb", ".ogg", ".oga", ".opus", ".flac", ".wma", ".3gp", ".gsm", ".aif", ".aiff",
    ".au", ".snd", ".ul", ".ulaw", ".al", ".alaw", ".caf", ".spx", ".mka", ".ts", ".vox",
))
# fmt: on
"""Files of a folder that are taken to be recordings; a file that is named itself may end as it likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A file, and its name among the results: relative to the folder that was named, with slashes."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the names stand for."""

    files: tuple[Named, ...]
    """In order of their names; each file once."""
    missing: tuple[str, ...]
    """Names that stand for nothing."""


def find_files(names: Iterable[str], *, but: Path | None = None) -> Found:
    """Look them up; folders are searched to their depths. `but`, the folder of results, is left out."""
    found: dict[Path, Named] = {}
    missing: list[str] = []
    left_out = but.resolve() if but else None
    for name in names:
        before = len(found)
        known = 0
        for named in _of(name):
            real = named.path.resolve()
            if left_out is not None and left_out in real.parents:
                continue
            known += real in found
            found.setdefault(real, named)
        if len(found) == before and not known:
            missing.append(name)
    return Found(files=tuple(sorted(found.values(), key=lambda one: one.name)), missing=tuple(missing))


def read_list(text: str) -> list[str]:
    """The names of a list: one in a line, empty lines and those that begin with # left out."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def result_names(files: Iterable[Named]) -> dict[Path, PurePosixPath]:
    """Name each result after its recording, without its ending; with it where two would be the same."""
    files = tuple(files)
    short = {one.path: PurePosixPath(one.name).with_suffix("") for one in files}
    times = Counter(short.values())
    names: dict[Path, PurePosixPath] = {}
    taken: set[PurePosixPath] = set()
    for one in files:
        name = short[one.path] if times[short[one.path]] == 1 else PurePosixPath(one.name)
        number = 2
        while name in taken:  # the same name in two folders that were named
            name = PurePosixPath(one.name).with_name(f"{PurePosixPath(one.name).name}-{number}")
            number += 1
        taken.add(name)
        names[one.path] = name
    return names


def _of(name: str) -> Iterator[Named]:
    path = Path(name)
    if path.is_file():
        yield Named(path=path, name=path.name)
    elif path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in SOUND_ENDINGS and file.is_file() and not _is_hidden(file, path):
                yield Named(path=file, name=file.relative_to(path).as_posix())
    elif has_magic(name):
        for match in sorted(glob(name, recursive=True)):
            if Path(match).is_file():
                yield Named(path=Path(match), name=Path(match).name)


def _is_hidden(file: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(below).parts)
