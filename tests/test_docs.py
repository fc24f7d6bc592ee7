"""What the documents promise is what the code has."""

import re
from pathlib import Path

from agent_ui.settings import Settings
from calls.ingest.websocket import CLOSE_CODES

ROOT = Path(__file__).parent.parent


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `ZHITING_(\w+)` \| ([^|]*?) \|", text, re.MULTILINE))
    expected = {}
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)  # a secret is shown as nothing
        expected[name.upper()] = f"`{default}`" if default != "" else "—"
    assert rows == expected


def test_every_close_code_of_the_audio_socket_is_documented() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    for error, close_code in CLOSE_CODES.items():
        assert re.search(rf"`{re.escape(error.code)}`.*\b{close_code}\b", text), error.code


def test_both_readmes_name_the_two_commands() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "make run" in text
        assert "make test" in text
