"""Log lines in both forms: what is in them, and that nothing of a call is, whatever breaks in it."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from agent_ui.logs import OURS, Lines, Objects, name_process
from asr.types import Segment
from calls import current
from calls.types import StorageFailed
from retrieval.types import Findings, Query, Suggestion
from tests.call_parts import ScriptedAssistant
from tests.house import START, Script, receive, receive_until, running, send
from tests.real_server import ROOT, environment
from tests.trace_parts import (
    ASKED,
    CALLER,
    SAID,
    WRITTEN,
    SayingTranscriber,
    leaked,
    open_saying,
    speech,
)


class Kept(logging.Handler):
    """Keeps what would have been written."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def keeping() -> Iterator[tuple[Kept, Kept]]:
    """What is written in both forms, down to the least important lines of ours."""
    handlers = Kept(Lines()), Kept(Objects())
    levels = {name: logging.getLogger(name).level for name in OURS}
    for handler in handlers:
        logging.getLogger().addHandler(handler)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        yield handlers
    finally:
        for handler in handlers:
            logging.getLogger().removeHandler(handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@dataclass
class ClumsyAssistant(ScriptedAssistant):
    """Breaks once, with what it was told on its lips."""

    breaks: list[str] = field(default_factory=lambda: ["once"])

    def advise(self, segment: Segment, query: Query | None, findings: Findings | None) -> Suggestion | None:
        if self.breaks:
            self.breaks.pop()
            raise RuntimeError(f"cannot advise on {segment.text}")
        return super().advise(segment, query, findings)


async def find_badly(query: Query) -> Findings:
    raise IntegrityError(f"INSERT {query.text}", {"text": query.text}, ValueError(query.text))


async def test_a_whole_call_leaves_no_word_in_the_log_whatever_breaks(tmp_path: Path) -> None:
    script = Script(suggests={WRITTEN: ("T001",)}, search=find_badly, answer=RuntimeError(ASKED))
    opened = partial(open_saying, script=script, transcriber=SayingTranscriber(breaks_from_s=9.0))
    with keeping() as (lines, objects):
        async with (
            running(tmp_path, engines_of=opened) as house,
            httpx.AsyncClient(base_url=house.url, timeout=60) as client,
        ):
            async with house.socket("/v1/calls/audio") as line:
                await send(line, START | {"call_id": "c-1", "operator_id": "027", "caller": CALLER})
                await receive(line)
                await line.send(speech(1) + speech(1, 9.5))
                await send(line, {"type": "stop"})
                await receive_until(line, lambda message: message["type"] == "ended")
            assert WRITTEN in (await client.get("/v1/calls/c-1")).text
            assert (await client.get("/v1/search", params={"q": ASKED})).status_code == 500
        logging.getLogger("calls.session").error("call %s broke", "c-2", exc_info=_broken())
    told = [json.loads(text) for text in objects.lines]
    assert leaked("\n".join(lines.lines)) == leaked("\n".join(objects.lines)) == []
    assert len(lines.lines) == len(told) >= 4
    runs = next(one for one in told if one["event"] == "call %s runs, %d in all")
    assert (runs["call_id"], runs["message"], runs["level"]) == ("c-1", "call c-1 runs, 1 in all", "info")
    broke = next(one for one in told if one["event"] == "searching for call %s broke")
    assert (broke["call_id"], broke["operator_id"]) == ("c-1", "027")
    assert broke["error"]["type"] == "sqlalchemy.exc.IntegrityError"
    assert any("tests/test_logs.py" in place and "find_badly" in place for place in broke["error"]["stack"])
    assert all(datetime.fromisoformat(one["time"]).utcoffset() is not None for one in told)
    assert all(one["process_id"] for one in told)
    assert any("find_badly" in text for text in lines.lines)


def _broken() -> Exception:
    """An error of ours that came from another one, as `except … from` leaves it."""
    try:
        try:
            raise OSError(28, f"no room for {SAID}", f"/{CALLER}")
        except OSError as error:
            raise StorageFailed(SAID) from error
    except StorageFailed as error:
        return error


def told_by(logger: str, *said: Any, error: Exception | None = None) -> dict[str, Any]:
    record = logging.LogRecord(logger, logging.ERROR, "", 0, said[0], said[1:], None)
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    told: dict[str, Any] = json.loads(Objects().format(record))
    return told


def test_an_error_has_its_type_code_and_places_and_so_have_its_causes() -> None:
    told = told_by("calls.journal", "it broke", error=_broken())
    assert (told["error"]["type"], told["error"]["code"]) == (
        "calls.types.StorageFailed",
        StorageFailed.code,
    )
    assert [(one["type"], one["code"]) for one in told["causes"]] == [("OSError", "ENOSPC")]
    group = told_by("calls.journal", "it broke", error=ExceptionGroup(SAID, [ValueError(SAID)]))
    assert [one["type"] for one in group["error"]["of"]] == ["ValueError"]
    assert leaked(json.dumps([told, group], ensure_ascii=False)) == []
    record = logging.LogRecord("calls.journal", logging.ERROR, "", 0, "it broke", (), None)
    record.exc_info = (ExceptionGroup, ExceptionGroup(SAID, [KeyError(SAID), _broken()]), None)
    lines = [line.strip() for line in Lines().format(record).splitlines()]
    assert {"ExceptionGroup", "KeyError", f"calls.types.StorageFailed ({StorageFailed.code})"} <= set(lines)


def test_whom_a_line_is_about_stands_in_it_by_name() -> None:
    assert (
        told_by("calls.x", "webhook receiver %s did not take %s: %s", 3, "e-1", "refused")["receiver_id"] == 3
    )
    assert told_by("calls.x", "a message of call %s is none of %s: %s", "c-1", "x", "y")["call_id"] == "c-1"
    assert told_by("calls.x", "%d jobs", 3).keys().isdisjoint({"call_id", "job_id"})
    assert told_by("calls.x", "100 %% of job %s", "j-1")["job_id"] == "j-1"
    assert told_by("x", "too many places %s %s", "one")["message"] == "too many places %s %s"
    name_process("a-1.77")
    token = current.trace_id.set("ab" * 16)
    assert told_by("x", "said")["trace_id"] == "ab" * 16
    assert told_by("x", "said")["process_id"] == "a-1.77"
    current.trace_id.reset(token)
    assert name_process().endswith(f".{os.getpid()}")


def test_what_asyncio_quotes_of_a_task_is_left_out() -> None:
    told = told_by("asyncio", f"Task exception was never retrieved\nfuture: exception=ValueError('{SAID}')")
    assert told["message"] == told["event"] == "Task exception was never retrieved"


def run(code: str, **settings: str) -> list[str]:
    """Lines that a process writes on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(Path("nowhere")) | settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stderr.splitlines()


END = """
import logging, threading, warnings
from agent_ui.logs import LogOptions, take_over_trace, write_logs
from agent_ui.watch_settings import WatchSettings
import os
write_logs(WatchSettings(_env_file=None, **{name[8:].lower(): value for name, value in os.environ.items()
           if name.startswith("ZHITING_LOG")}).log_options)
take_over_trace(os.environ)
logging.getLogger("httpx").info("a stranger tells all")
logging.getLogger("uvicorn.error").warning("a stranger warns")
logging.getLogger("calls.session").info("call %s runs", "c-1")
logging.getLogger("calls.session").debug("call %s is looked at", "c-1")
warnings.warn("old")
thread = threading.Thread(target=lambda: [][1], name="t")
thread.start()
thread.join()
raise ValueError("SECRET")
"""


def test_a_process_writes_nothing_but_objects_to_its_end() -> None:
    lines = run(
        END, ZHITING_LOG="json", ZHITING_LOG_LEVEL="debug", TRACEPARENT=f"00-{'ab' * 16}-{'cd' * 8}-01"
    )
    told = [json.loads(line) for line in lines]
    assert [one["event"].rpartition(": ")[2] for one in told] == [
        "a stranger warns",
        "call %s runs",
        "call %s is looked at",
        "old",
        "a thread broke",
        "the program ends",
    ]
    assert (told[4]["error"]["type"], told[5]["error"]["type"]) == ("IndexError", "ValueError")
    assert {one["trace_id"] for one in told if one["event"] != "a thread broke"} == {"ab" * 16}
    assert not any("SECRET" in line for line in lines)


def test_text_is_for_people() -> None:
    lines = run(END, ZHITING_LOG_LEVEL="warning")
    assert lines[0].endswith(" WARNING uvicorn.error a stranger warns")
    assert not any("c-1" in line or "SECRET" in line for line in lines)
    assert any(line.startswith("  ") and "<string>" in line for line in lines)
    assert lines[-1] == "  ValueError"


@pytest.mark.process
def test_serve_that_cannot_start_says_so_in_objects(tmp_path: Path) -> None:
    """The command itself, with uvicorn's own lines."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.cli", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment(tmp_path) | {"ZHITING_LOG": "json", "ZHITING_SPEECH_MODEL": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode != 0
    assert "uvicorn.error" in {one["logger"] for one in told}


def test_the_process_that_publishes_writes_as_the_server_does(tmp_path: Path) -> None:
    code = (
        "import logging\nfrom agent_ui.settings import Settings\nfrom scripts.kb_parts import step_back\n"
        "step_back(Settings(_env_file=None))\nlogging.getLogger('retrieval.publishing').info('it goes on')"
    )
    lines = run(code, ZHITING_LOG="json", TRACEPARENT=f"00-{'ab' * 16}-{'cd' * 8}-01")
    assert [json.loads(line)["trace_id"] for line in lines] == ["ab" * 16]
