"""What the server's log lines look like: text for people, or one JSON object a line for programs.

In: records of `logging`, of ours and of others. Out: lines on standard error.
Not known here: who writes what.

Only what is on a list gets into a line: of an error its type, its code and its place, but not what it says,
since that may quote what was said in a call. `event` is the sentence as it stands in the program, with `%s`
in it: the same for all lines that say the same, whoever they are about.
"""

import errno
import json
import logging
import os
import re
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TypeAlias

from calls import current

Form: TypeAlias = Literal["text", "json"]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]

OURS = (
    *("access", "agent_ui", "asr", "calls", "insight", "knowledge_base", "models", "retrieval", "scripts"),
    *("server", "zhiting"),
)
"""Loggers that the level is for. Of all others warnings are written: at lower levels some tell all."""
_PLACES = re.compile(r"%(?:[-#0 +]*[\d*]*(?:\.[\d*]+)?[diouxXeEfFgGcrsa]|%)")
_NAMED = {
    "call": "call_id",
    "operator": "operator_id",
    "job": "job_id",
    "ear": "ear",
    "receiver": "receiver_id",
}
"""The word before a place says what stands there: `call %s runs` is about a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """How lines are written. May be sent to a child process."""

    form: Form = "text"
    level: Level = "info"


def write_logs(options: LogOptions) -> None:
    """Write log lines of this process on standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines() if options.form == "text" else Objects())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(options.level.upper())
    logging.captureWarnings(True)
    name_process()
    sys.excepthook = _tell_of_the_end
    threading.excepthook = _tell_of_a_thread


def name_process(process_id: str = "") -> str:
    """Say which process of the house this is, from now on; without a name it is machine and number."""
    _own["process_id"] = process_id or f"{socket.gethostname()}.{os.getpid()}"
    return _own["process_id"]


def take_over_trace(environment: Mapping[str, str]) -> None:
    """Lines of a child process name the trace within which it was started."""
    current.trace_id.set(environment.get("TRACEPARENT", "").partition("-")[2][:32])


_own: dict[str, str] = {}


class Lines(logging.Formatter):
    """Text for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line, and one for each place that an error came through."""
        lines = [f"{self.formatTime(record)} {record.levelname} {record.name} {_message(record)}"]
        for error in _errors(record):
            lines += _written(error)
        return "\n".join(lines)


def _written(error: dict[str, Any]) -> list[str]:
    """An error, and those that it is a group of."""
    lines = [f"  {place}" for place in error["stack"]]
    lines.append(f"  {error['type']}" + (f" ({error['code']})" if "code" in error else ""))
    return lines + [f"  {line}" for one in error.get("of", ()) for line in _written(one)]


class Objects(logging.Formatter):
    """JSON for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """One object, on one line."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .astimezone()
            .isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record),
            "message": _message(record),
            **_own,
            **_subjects(record),
        }
        if errors := list(_errors(record)):
            told["error"] = errors[-1]
            if len(errors) > 1:
                told["causes"] = errors[:-1]
        return json.dumps(told, ensure_ascii=False, default=str)


def _event(record: logging.LogRecord) -> str:
    return str(record.msg).partition("\n")[0]


def _message(record: logging.LogRecord) -> str:
    """What it says; of a task that broke and nobody waited for not the error that asyncio quotes below."""
    try:
        said = record.getMessage()
    except (TypeError, ValueError):
        said = str(record.msg)
    return said.partition("\n")[0] if record.name == "asyncio" else said.rstrip()


def _subjects(record: logging.LogRecord) -> dict[str, Any]:
    """Whom it is about: by the words of the sentence, else by what the task works for."""
    known: dict[str, object] = {
        "call_id": current.call_id.get(),
        "operator_id": current.operator_of.get()(),
        "trace_id": current.trace_id.get(),
    }
    if isinstance(record.msg, str) and isinstance(record.args, tuple):
        known |= dict(_named(record.msg, record.args))
    return {name: value for name, value in known.items() if value not in ("", None)}


def _named(sentence: str, args: tuple[object, ...]) -> Iterator[tuple[str, object]]:
    places = [place for place in _PLACES.finditer(sentence) if place[0] != "%%"]
    if len(places) != len(args):
        return
    for place, value in zip(places, args, strict=True):
        word = sentence[: place.start()].rstrip().rpartition(" ")[2]
        if word in _NAMED and isinstance(value, str | int):
            yield _NAMED[word], value


def _errors(record: logging.LogRecord) -> Iterator[dict[str, Any]]:
    """The error of a record and what it came from, the first cause first."""
    if record.exc_info:
        error = record.exc_info[1]
        chain: list[BaseException] = []
        while error is not None and error not in chain:
            chain.append(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        for one in reversed(chain):
            yield _told(one)


def _told(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    told: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")}
    if code := code_of(error):
        told["code"] = code
    told["stack"] = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    if isinstance(error, BaseExceptionGroup):
        told["of"] = [_told(one) for one in error.exceptions]
    return told


def code_of(error: BaseException) -> str:
    """The code of an error of ours, of the system or of a database; empty where it has none."""
    if type(error).__module__.partition(".")[0] in OURS:
        return str(getattr(error, "code", ""))
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno, str(error.errno))
    return str(getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or "")


def _tell_of_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("zhiting").critical("the program ends", exc_info=(kind, error, trace))


def _tell_of_a_thread(broken: threading.ExceptHookArgs) -> None:
    if broken.exc_value is not None:
        logging.getLogger("zhiting").error(
            "a thread broke", exc_info=(broken.exc_type, broken.exc_value, broken.exc_traceback)
        )
