"""Libraries of others: each file is the one that its row names, and says itself which version it is."""

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "agent_ui" / "static" / "vendor"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| `([0-9a-f]{64})` \|$", re.MULTILINE)
ROWS = ROW.findall((VENDOR / "README.md").read_text(encoding="utf-8"))


def test_every_file_is_the_one_of_its_row() -> None:
    there = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "README.md"
    }
    assert there == {name: digest for name, _, _, _, digest in ROWS}


def test_the_library_says_its_version_and_its_licence_lies_beside_it() -> None:
    scripts = [(name, version, licence) for name, _, version, licence, _ in ROWS if name.endswith(".js")]
    assert scripts
    for name, version, licence in scripts:
        text = (VENDOR / name).read_text(encoding="utf-8")
        assert f'"{version}"' in text
        assert licence == "Apache-2.0"
        terms = (VENDOR / name).with_name("LICENSE.txt").read_text(encoding="utf-8")
        assert "Apache License" in terms
        assert "Version 2.0" in terms
