"""Weights as the commands find them: by the settings of this machine.

In: settings, a model's name. Out: a folder. It is said on standard error what takes time.
Not known here: what the weights are for.
"""

from pathlib import Path

from rich.console import Console

from agent_ui.settings import Settings
from models.cache import resolve

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def weights_of(settings: Settings, name: str) -> Path:
    """The folder of a model's weights, fetched where need be; raises `WeightsError`."""
    return resolve(
        name,
        cache_dir=settings.data_dir / "models",
        local_folder=settings.models_folder / name if settings.models_folder else None,
        allow_hub=settings.allow_hub,
        progress=_console.print,
    )


def weights_here(folder: Path, name: str) -> Path:
    """On a worker's machine: the driver's folder where it is shared, else as the settings here say."""
    return folder if folder.is_dir() else weights_of(Settings(), name)
