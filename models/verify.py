"""Holds a folder against the manifest's pins.

In: a folder and the files it should hold. Out: nothing, or an error that names the file.
Not known here: where the folder came from.

Hashing all weights takes seconds, so a folder once found right gets a *stamp*: the length and time of
change of each file. As long as the stamp fits, the hashes need not be computed again.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from pathlib import Path

from models.errors import MissingWeights, WrongHash
from models.manifest import Model, PinnedFile

RECORD_NAME = "downloaded.json"
"""In the folder of a model that no manifest pins: the hashes at the time of its download."""


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, pin: PinnedFile, *, deep: bool, place: str, remedy: str) -> None:
    """Check one file's presence and length, and with `deep` its hash.

    Args:
        path: the file.
        pin: what it should be.
        deep: whether to hash it.
        place: where it is or comes from, for the sentence: "in …".
        remedy: what to do, for the sentence.

    Raises:
        MissingWeights: it is not there.
        WrongHash: it has another length or hash.
    """
    if not path.is_file():
        raise MissingWeights(f"{pin.path} is missing {place}; {remedy}")
    size = path.stat().st_size
    if size != pin.bytes:
        raise WrongHash(f"{pin.path} {place} has {size} bytes instead of {pin.bytes}; {remedy}")
    if deep and (found := hash_file(path)) != pin.sha256:
        raise WrongHash(f"{pin.path} {place} has SHA-256 {found} instead of {pin.sha256}; {remedy}")


def check_folder(
    folder: Path, pins: Sequence[PinnedFile], *, deep: bool, remedy: str, place: str | None = None
) -> None:
    """Check every pinned file of a folder (`place` in sentences); files beyond them are left alone.

    Raises:
        MissingWeights, WrongHash: see `check_file`.
    """
    for pin in pins:
        check_file(folder / pin.path, pin, deep=deep, place=place or f"in {folder}", remedy=remedy)


def _stamp(cache_dir: Path, model: Model, folder: Path) -> Path:
    """Beside the models rather than in `folder`, which may be somebody else's."""
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    return cache_dir / "verified" / f"{model.name}-{place}.json"


def _signature(model: Model, folder: Path) -> dict[str, object]:
    found = {}
    for pin in model.files:
        status = (folder / pin.path).stat()
        found[pin.path] = [status.st_size, status.st_mtime_ns]
    return {"digest": model.digest, "folder": str(folder.resolve()), "files": found}


def write_stamp(cache_dir: Path, model: Model, folder: Path) -> None:
    """Note in the cache that `folder` was found right just now.

    Raises:
        OSError: the cache cannot be written.
    """
    stamp = _stamp(cache_dir, model, folder)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    partial = stamp.with_name(f".{uuid.uuid4().hex}.partial")
    partial.write_text(json.dumps(_signature(model, folder)), "utf-8")
    partial.replace(stamp)


def fits_stamp(cache_dir: Path, model: Model, folder: Path) -> bool:
    """Say whether `folder` was found right earlier and is unchanged since."""
    try:
        noted = json.loads(_stamp(cache_dir, model, folder).read_text("utf-8"))
        return bool(noted == _signature(model, folder))
    except (OSError, ValueError):
        return False


def write_record(folder: Path, *, hub: str) -> None:
    """Note length and hash of every file of a downloaded folder, in that folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [
        {"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": hash_file(path)}
        for path in paths
    ]
    text = json.dumps({"hub": hub, "files": files}, indent=2)
    (folder / RECORD_NAME).write_text(text + "\n", "utf-8")


def read_record(folder: Path) -> tuple[PinnedFile, ...] | None:
    """Return the hashes noted at download, or None where there is no readable record."""
    try:
        record = json.loads((folder / RECORD_NAME).read_text("utf-8"))
        return tuple(
            PinnedFile(path=file["path"], bytes=file["bytes"], sha256=file["sha256"])
            for file in record["files"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
