"""Downloads a model's folder from the Hugging Face hub, where that can be reached.

In: `owner/name[@revision]` and an existing, empty folder. Out: its files in that folder, not yet verified.
Not known here: manifests, caches. Environment variables of `huggingface_hub` (endpoint, token, offline)
work as its documentation says.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from models.errors import MissingWeights

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w.-]+)?")
OTHER_FORMATS = ("*.onnx", "onnx/*", "openvino/*", "*.h5", "*.msgpack", "*.ot", "*.gguf")
"""What many repositories hold beside the form that is loaded here."""


def is_hub_name(text: str) -> bool:
    """Say whether `text` looks like `owner/name` or `owner/name@revision`."""
    return HUB_NAME.fullmatch(text) is not None


def download(name: str, folder: Path, only: Sequence[str] | None = None) -> None:
    """Download the files of `owner/name[@revision]`, or `only` those, into `folder`.

    Raises:
        MissingWeights: the hub cannot be reached or does not have the model.
    """
    # Takes a fifth of a second to import and is needed once in a model's life, if ever.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    # The bases of its own error are the roots of whichever HTTP library it stands on.
    failures: tuple[type[BaseException], ...] = (OSError, ValueError, RuntimeError, *HfHubHTTPError.__bases__)
    repository, _, revision = name.partition("@")
    try:
        snapshot_download(
            repository,
            revision=revision or None,
            local_dir=folder,
            allow_patterns=None if only is None else list(only),
            ignore_patterns=list(OTHER_FORMATS) if only is None else None,
        )
    except failures as problem:
        reason = str(problem).partition("\n")[0]
        raise MissingWeights(f"{name} could not be downloaded from the hub: {reason}") from problem
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # its notes for resuming
