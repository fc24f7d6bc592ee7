"""Says where a model's weights come from and by which hash they are known.

In: the name by which a model was asked for, and the folder that came of it.
Out: a `Provenance`.
Not known here: what the weights are for. Nothing is hashed or made: `resolve` has done that.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from models.manifest import Manifest, shipped_manifest
from models.verify import RECORD_NAME, read_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Weights in use."""

    name: str
    folder: Path
    digest: str | None
    """Hash over the hashes of all files; None for a folder that nobody keeps hashes of."""
    is_pinned: bool
    """Whether the hashes are those of the manifest, as against those of the day of the download."""


def provenance(name: str, folder: Path, *, manifest: Manifest | None = None) -> Provenance:
    """Where the weights in the folder come from, which `resolve` gave for that name."""
    model = (manifest or shipped_manifest()).get(name)
    if (folder / RECORD_NAME).is_file():
        noted = read_record(folder) or ()
        lines = "\n".join(f"{file.sha256} {file.bytes} {file.path}" for file in noted)
        digest = hashlib.sha256(lines.encode()).hexdigest() if noted else None
        return Provenance(name=name, folder=folder, digest=digest, is_pinned=False)
    if model is None:
        return Provenance(name=name, folder=folder, digest=None, is_pinned=False)
    return Provenance(name=name, folder=folder, digest=model.digest, is_pinned=True)
