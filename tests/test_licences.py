"""Licences: everything that runs is in the table of the documents, and nothing that nobody agreed to."""

import re

import pytest
from packaging.utils import canonicalize_name

from scripts.licences import ROOT, TABLE, brought, installed, is_allowed

ROWS = re.findall(
    r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE
)
TOLD = {name.strip(): licence.strip() for name, _, licence in ROWS}


def test_the_table_has_everything_with_its_licence() -> None:
    packages, missing = installed()
    optional = {"sherpa-onnx"}
    assert {re.split(r"[\[<>=]", one)[0] for one in missing} <= optional
    assert len(packages) > 90
    for one in (*packages, *brought()):
        assert TOLD.get(one.name) == one.licence, f"{one.name}: python -m scripts.licences --write"
        assert is_allowed(one.licence), one.name


def test_every_requirement_for_running_is_looked_at() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\ndev = [")[0]
    required = {
        canonicalize_name(re.split(r"[\[<>=]", one)[0])
        for one in re.findall(r'^    "([^"]+)"', text, re.MULTILINE)
    }
    assert len(required) > 40
    assert required <= set(TOLD)


@pytest.mark.parametrize(
    ("expression", "is_it"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("MIT AND (Apache-2.0 OR GPL-2.0-only)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("MIT AND", False),
        ("(MIT", False),
        ("MIT MIT", False),
        ("", False),
        ("Proprietary", False),
    ],
)
def test_what_is_allowed(expression: str, is_it: bool) -> None:
    assert is_allowed(expression) is is_it
