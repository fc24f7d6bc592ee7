"""The page's pure logic, tested where it runs: in JavaScript, by Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="needs node 20 or newer")
def test_what_the_page_decides() -> None:
    assert NODE is not None
    assert TESTS
    done = subprocess.run(
        [NODE, "--test", *map(str, TESTS)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
