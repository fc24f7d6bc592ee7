"""What the documents promise is what the code has."""

import re
from pathlib import Path

from agent_ui.settings import Settings
from agent_ui.tuning import KNOBS, defaults_of
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


def test_every_setting_that_may_change_is_documented_with_its_range() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| ([^|]*?) \| ([^|]*?) \|", text, re.MULTILINE)
    defaults = defaults_of(Settings(_env_file=None))  # type: ignore[call-arg]
    units = {"": "", "calls": "", "s": " s", "MB": " MB", "days": " days"}
    expected = []
    for knob in KNOBS:
        words = {"switch": "on, off", "terms": "a line"}
        span = words.get(knob.kind) or f"{knob.least:,g}–{knob.most:,g}{units[knob.unit]}"
        is_of_code = knob.group == "cards"
        default = f"{getattr(defaults, knob.name):g}" if is_of_code else f"`ZHITING_{knob.name.upper()}`"
        expected.append((knob.name, span, default))
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
