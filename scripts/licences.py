"""Lists everything that runs or is shipped, with its licence, and refuses what nobody has agreed to.

In: the project's requirements, what is installed for them, what the repository brings along.
Out: a table; exit code 1 where a licence is unknown or not allowed, or something was yanked.
Not known here: known weaknesses of packages (docs/security.md says how those are looked up).

    python -m scripts.licences                    # look
    python -m scripts.licences --write            # docs/licences.md anew
    python -m scripts.licences --yanked           # have pip ask whether a version that is named was withdrawn
    python -m scripts.licences --accept nvidia-   # a machine with a GPU: torch brings NVIDIA's own libraries
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated

import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "licences.md"
EXTRAS = ("cluster", "sherpa", "srtp")
"""What is installed for running, beside what always is."""

ALLOWED = frozenset(
    {
        *(
            "0BSD",
            "Apache-2.0",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "BSL-1.0",
            "CC0-1.0",
            "CNRI-Python",
            "ISC",
            "MIT",
        ),
        *("MIT-0", "MIT-CMU", "OFL-1.1", "PSF-2.0", "Unlicense", "Zlib"),
        # Handed on as they are, linked and not built in: packages of these stay files of their own.
        *("LGPL-2.1-or-later", "LGPL-3.0-only", "MPL-2.0"),
        "Apache-2.0 WITH LLVM-exception",
    }
)
"""SPDX identifiers of licences that the project lives with."""

_MEANT: Mapping[str, str] = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
    "sil open font license 1.1 (ofl-1.1)": "OFL-1.1",
}
"""What packages write that have no SPDX expression yet."""
_READ_IN_ITS_FILE: Mapping[str, str] = {
    "jinja2": "BSD-3-Clause",
    "mpmath": "BSD-3-Clause",
    "reportlab": "BSD-3-Clause",
    "scipy": "BSD-3-Clause",
    "sympy": "BSD-3-Clause",
}
"""Packages that say "BSD" alone; their licence file was read."""
_COPYLEFT: Mapping[str, str] = {
    **dict.fromkeys(("libavcodec", "libavdevice", "libavfilter", "libavformat"), "LGPL-3.0-or-later"),
    **dict.fromkeys(("libavutil", "libswresample", "libswscale"), "LGPL-3.0-or-later"),
    **dict.fromkeys(("libx264", "libx265"), "GPL-2.0-or-later"),
    **dict.fromkeys(("libgomp", "libgfortran"), "GPL-3.0-or-later WITH GCC-exception-3.1"),
    **dict.fromkeys(("libgmp", "libhogweed", "libnettle", "libunistring"), "LGPL-3.0-or-later"),
    **dict.fromkeys(("libasound", "libgnutls", "libkeyutils", "libquadmath"), "LGPL-2.1-or-later"),
    "libcrypt": "LGPL-2.1-or-later",
    "libmp3lame": "LGPL-2.0-or-later",
}
"""Libraries inside wheels that ask something of whoever hands them on, as far as their projects say."""
_INTRODUCTION = (
    "Written by `python -m scripts.licences --write`; a test compares it with what is installed.",
    "Allowed are the licences named in `scripts/licences.py`; another or an unknown one is an error there.",
    "Versions are those of the machine on which this was written. The fonts of reports are the package",
    "`pylopdf-fonts-zh-cn`. On a machine with a GPU `torch` also brings NVIDIA's libraries (`nvidia-…`),",
    "which are proprietary: whoever installs them agrees to NVIDIA's terms (`--accept nvidia-`).",
)
_WITHIN = (
    "## Libraries inside wheels",
    "",
    "Binary wheels bring libraries of others along, with terms of their own beside the package's. **Whoever",
    "hands on a bundle hands these on:** FFmpeg within `av` is under the LGPL, and that wheel also has x264",
    "and x265, which are under the GPL and which nothing here calls (sound alone is decoded). Hand on their",
    "sources or an offer of them, or build `av` against an FFmpeg without them. What stands without terms is",
    "permissive, or not looked up.",
)
_HOMES = ("homepage", "home", "source", "source code", "repository", "github")
_LIBRARY = re.compile(r"-[0-9a-f]{8}|[-.]so|-\d")
_VENDORED = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", re.MULTILINE)
_PARTS = re.compile(r"\(|\)|[^\s()]+(?: WITH [^\s()]+)?")


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """One thing that runs or is shipped."""

    kind: str
    name: str
    version: str
    licence: str
    """An SPDX expression; empty where none was found."""
    home: str


def installed(extras: Iterable[str] = EXTRAS) -> tuple[list[Piece], list[str]]:
    """Every package that running needs, and the requirements for which there is none here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(one) for one in project["dependencies"]]
    for extra in extras:
        waiting += [Requirement(one) for one in project["optional-dependencies"][extra]]
    seen: set[tuple[str, frozenset[str]]] = set()
    pieces: dict[str, Piece] = {}
    missing = []
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            found = distribution(wanted.name)
        except PackageNotFoundError:
            missing.append(str(wanted))
            continue
        pieces[key[0]] = _piece_of(key[0], found)
        waiting += _needs(found, wanted.extras)
    return sorted(pieces.values()), sorted(missing)


def _needs(found: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    for line in found.requires or ():
        one = Requirement(line)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield one


def _piece_of(name: str, found: Distribution) -> Piece:
    links = [one.partition(",") for one in found.metadata.get_all("Project-URL") or ()]
    by_label = {label.strip().lower(): address.strip() for label, _, address in links}
    home = next((by_label[one] for one in _HOMES if one in by_label), "")
    home = home or _field(found, "Home-page") or next(iter(by_label.values()), "")
    version = found.version.partition("+")[0]
    licence = _licence_of(name, found)
    return Piece("package", name, version, licence, home)


def _licence_of(name: str, found: Distribution) -> str:
    if expression := _field(found, "License-Expression"):
        return expression
    if name in _READ_IN_ITS_FILE:
        return _READ_IN_ITS_FILE[name]
    lines = [_field(found, "License").partition("\n")[0].strip()]
    labels = found.metadata.get_all("Classifier") or ()
    lines += [one.rpartition(" :: ")[2] for one in labels if one.startswith("License ::")]
    for line in lines:
        meant = _MEANT.get(line.lower(), line)
        if meant and is_allowed(meant):
            return meant
    return next(filter(None, lines), "")


def _field(found: Distribution, name: str) -> str:
    return str((found.metadata.get_all(name) or [""])[0])


def brought() -> list[Piece]:
    """What lies in the repository or becomes weights: libraries of the pages, models."""
    readme = (ROOT / "agent_ui" / "static" / "vendor" / "README.md").read_text(encoding="utf-8")
    pages = {
        library.strip(): Piece("page", library.strip(), version.strip(), licence.strip(), _home_of(file))
        for file, library, version, licence in _VENDORED.findall(readme)
        if file != "file"
    }
    manifest = tomllib.loads((ROOT / "models" / "manifest.toml").read_text(encoding="utf-8"))
    models = [
        Piece("weights", one["name"], "", one["licence"], one.get("hub", "") or one["origin"])
        for one in manifest["model"]
    ]
    return sorted([*pages.values(), *models])


def _home_of(file: str) -> str:
    return {"echarts": "https://echarts.apache.org"}.get(file.partition("/")[0], "")


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met by allowed licences: of `OR` one, of `AND` all."""
    parts = _PARTS.findall(expression)
    try:
        value = _either(parts)
    except IndexError:
        return False
    return value and not parts


def _either(parts: list[str]) -> bool:
    value = _both(parts)
    while parts and parts[0] == "OR":
        parts.pop(0)
        value = _both(parts) or value
    return value


def _both(parts: list[str]) -> bool:
    value = _one(parts)
    while parts and parts[0] == "AND":
        parts.pop(0)
        value = _one(parts) and value
    return value


def _one(parts: list[str]) -> bool:
    part = parts.pop(0)
    if part != "(":
        return part in ALLOWED
    value = _either(parts)
    return parts.pop(0) == ")" and value


def written(pieces: Sequence[Piece]) -> str:
    """The page for the documents."""
    heads = {
        "package": "Python packages",
        "page": "Libraries in the pages",
        "weights": "Weights",
    }
    lines = [
        "# Licences of everything that runs or is shipped",
        "",
        *_INTRODUCTION,
    ]
    for kind, head in heads.items():
        rows = [one for one in pieces if one.kind == kind]
        lines += [
            "",
            f"## {head} ({len(rows)})",
            "",
            "| name | version | licence | home |",
            "|---|---|---|---|",
        ]
        lines += [f"| {one.name} | {one.version or '—'} | {one.licence} | {one.home} |" for one in rows]
    lines += ["", *_WITHIN, "", "| package | libraries |", "|---|---|"]
    lines += [f"| {name} | {', '.join(libraries)} |" for name, libraries in within(pieces)]
    return "\n".join(lines) + "\n"


def within(pieces: Iterable[Piece]) -> Iterator[tuple[str, list[str]]]:
    """Libraries that wheels bring along, by package; those that stand under terms of copyleft with these."""
    for one in pieces:
        if one.kind != "package":
            continue
        paths = distribution(one.name).files or ()
        found = {_LIBRARY.split(path.name)[0] for path in paths if path.parent.name.endswith(".libs")}
        if found:
            yield (
                one.name,
                [f"{name} ({_COPYLEFT[name]})" if name in _COPYLEFT else name for name in sorted(found)],
            )


def yanked() -> list[str]:
    """Requirements that were withdrawn, by the registry that pip asks. Raises `CalledProcessError`.

    Only those that name one version: from a range pip never takes a withdrawn one.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    gone = []
    for one in map(Requirement, project["dependencies"]):
        versions = [spec.version for spec in one.specifier if spec.operator == "=="]
        if not versions:
            continue
        pip = [sys.executable, "-m", "pip", "index", "versions", one.name]
        listed = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
        offered = re.search(
            r"^Available versions: (.*)$", listed, re.MULTILINE
        )  # withdrawn ones are left out
        if offered is None or versions[0] not in offered[1].split(", "):
            gone.append(str(one))
    return gone


def main(
    write: Annotated[bool, typer.Option("--write", help="Write the table of the documents anew.")] = False,
    ask_yanked: Annotated[bool, typer.Option("--yanked", help="Ask the registry, by pip.")] = False,
    accept: Annotated[list[str] | None, typer.Option(help="Begin of a name that is agreed to.")] = None,
) -> None:
    """List what runs or is shipped, and fail for licences that nobody agreed to."""
    packages, missing = installed()
    pieces = [*packages, *brought()]
    for one in pieces:
        print(f"{one.kind:8} {one.name:32} {one.version:20} {one.licence}")
    agreed = tuple(accept or ())
    bad = [
        one for one in pieces if not is_allowed(one.licence) and not one.name.startswith(agreed or ("\0",))
    ]
    for one in bad:
        print(f"not allowed: {one.name} ({one.licence or 'no licence told'})", file=sys.stderr)
    if missing:
        print(f"not installed here: {', '.join(missing)}", file=sys.stderr)
    gone = yanked() if ask_yanked else []
    for name in gone:
        print(f"withdrawn: {name}", file=sys.stderr)
    if write:
        TABLE.write_text(written(pieces), encoding="utf-8")
    raise typer.Exit(bool(bad or gone))


if __name__ == "__main__":
    typer.run(main)
