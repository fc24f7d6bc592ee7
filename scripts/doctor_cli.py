"""`zhiting doctor`: what this machine lacks for running the server, and what to do.

In: the command line, settings. Out: a line for each thing, or JSON; exit code 1 where something is bad.
Not known here: how anything is looked at.
"""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from scripts.doctor import Finding, Verdict, examine

_SIGNS = {Verdict.OK: ("✓", "green"), Verdict.LOOK: ("!", "yellow"), Verdict.BAD: ("✗", "red")}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Hash all weights, read all of the database.")] = False,
) -> None:
    """Look whether this machine can run the server, and say what to do where it cannot."""
    from agent_ui.settings import Settings

    console = Console(highlight=False, soft_wrap=True)
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            where = ".".join(str(part) for part in problem["loc"])
            console.print(f"setting {where}: {problem['msg']}" if where else problem["msg"])
        raise typer.Exit(2) from None
    findings: list[Finding] = []
    for finding in examine(settings, now=settings.now(), deep=deep):
        findings.append(finding)
        if not as_json:
            _show(console, finding)
    bad = sum(one.verdict is Verdict.BAD for one in findings)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in findings], ensure_ascii=False, indent=1))
    else:
        look = sum(one.verdict is Verdict.LOOK for one in findings)
        console.print(f"\n{bad} 项有问题，{look} 项要留意。" if bad or look else "\n一切正常。")
    raise typer.Exit(1 if bad else 0)


def _show(console: Console, finding: Finding) -> None:
    sign, colour = _SIGNS[finding.verdict]
    console.print(Text.assemble((f"{sign} ", colour), (finding.name, "bold"), f"  {finding.found}"))
    if finding.advice:
        console.print(f"    → {finding.advice}", markup=False)
