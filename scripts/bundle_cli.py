"""`zhiting bundle`: one file with which the product is installed on a machine without a network.

In: the command line. Out: a tar file; exit code 0 made, 1 failed with a sentence, 3 made without some wheels.
Not known here: how it is made.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from scripts.bundle_making import NoSource, make_bundle
from scripts.bundle_wheels import MACHINES, PipFailed, Platform, installed_versions

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
_ROOT = Path(__file__).parent.parent


def bundle(
    out: Annotated[Path, typer.Argument(help="Folder for the file; it is made.")],
    machine: Annotated[
        str | None, typer.Option("--platform", help="x86_64 or aarch64; else this machine's.")
    ] = None,
    python: Annotated[
        str | None, typer.Option(help="Version of Python there, as 3.11; else this one's.")
    ] = None,
    extra: Annotated[
        list[str] | None, typer.Option(help="Optional dependencies, as cluster; repeatable.")
    ] = None,
    pip_arg: Annotated[
        list[str] | None, typer.Option(help="Option for pip, as --pip-arg=--index-url=…; repeatable.")
    ] = None,
    source: Annotated[Path, typer.Option(help="The project's source folder.")] = _ROOT,
    as_json: Annotated[bool, typer.Option("--json", help="What was made, as JSON.")] = False,
) -> None:
    """Make one file for installing without a network: wheels, weights, fonts, checksums, installer."""
    here = Platform.here()
    platform = Platform(machine=machine or here.machine, python=python or here.python)
    if platform.machine not in MACHINES:
        _console.print(f"没有 {platform.machine} 这种平台：{'、'.join(MACHINES)}。")
        raise typer.Exit(2)
    try:
        with _console.status("") as status:
            made = make_bundle(
                source.absolute(),
                out.absolute(),
                platform=platform,
                extras=frozenset(extra or ()),
                versions=installed_versions(),
                now=datetime.now(UTC),
                pip_args=tuple(pip_arg or ()),
                tell=status.update,
            )
    except (NoSource, PipFailed) as problem:
        _console.print(str(problem))
        raise typer.Exit(1) from None
    except OSError as error:
        _console.print(f"写不了安装包：{error.strerror}（{error.filename or out}）")
        raise typer.Exit(1) from None
    if as_json:
        told: dict[str, Any] = {
            "path": str(made.path),
            "bytes": made.n_bytes,
            "sums": made.sums,
            "packages": made.papers.packages,
            "missing": dict(made.missing),
            "unpacked_bytes": made.papers.unpacked_bytes,
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
    _console.print(f"{made.path}  {made.n_bytes / 1e6:.0f} MB，{len(made.papers.packages)} 个软件包")
    _console.print(f"SHA256SUMS 的校验值，请另行告知安装的人：{made.sums}")
    for spec, why in made.missing.items():
        _console.print(f"缺 {spec}：{why.splitlines()[-1] if why else ''}")
    if made.missing:
        _console.print("缺上面这些软件包的安装包不能安装。")
        raise typer.Exit(3)
