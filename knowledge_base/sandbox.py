"""Reads a stranger's file in a bounded child process: no file can take the server's time or memory.

In: the bytes of a file and its name.
Out: the same as `read_articles`, or its refusal.
Not known here: how files are read, what becomes of the articles.
"""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge_base.article_json import from_json
from knowledge_base.importer import MAX_BYTES, Import, RowError, read_articles
from knowledge_base.json_text import dumps, loads
from knowledge_base.types import UnreadableFile

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """What reading one file may take."""

    cpu_s: int = 60
    """Processor time."""
    wall_s: float = 180.0
    """Time until the answer; longer than `cpu_s`, as calls go first."""
    memory_bytes: int = 2 * 1024**3
    """Address space of the process."""

    def __post_init__(self) -> None:
        if min(self.cpu_s, self.wall_s, self.memory_bytes) <= 0:
            raise ValueError("limits must be positive")


_LIMITS = ReadingLimits()


def read_bounded(
    content: bytes,
    *,
    name: str,
    mapping: Mapping[str, str] | None = None,
    limits: ReadingLimits = _LIMITS,
) -> Import:
    """Read the file in a child process; blocks until it answers.

    Raises `UnreadableFile`, `kb.file_too_costly` where the child was stopped.
    """
    if len(content) > MAX_BYTES:
        return read_articles(content, name=name)  # refuses, without a process
    numbers = (str(limits.cpu_s), str(limits.memory_bytes))
    try:
        done = subprocess.run(  # noqa: S603 (our own module, and no shell)
            [
                *(sys.executable, "-m", "knowledge_base.reading_process", Path(name).name),
                *(dumps(dict(mapping) if mapping is not None else None), *numbers),
            ],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what libraries say of a file may hold its words
            cwd=_ROOT,
            timeout=limits.wall_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_costly() from None
    if done.returncode != 0:
        raise _too_costly()
    answer = loads(done.stdout.decode())
    if "code" in answer:
        raise UnreadableFile(answer["message"], code=answer["code"], columns=answer.get("columns", ()))
    return Import(
        articles=tuple(from_json(row) for row in answer["articles"]),
        errors=tuple(RowError(row=row, message=message) for row, message in answer["errors"]),
        rows=tuple(answer["rows"]),
        columns=tuple((column, field) for column, field in answer["columns"]),
    )


def _too_costly() -> UnreadableFile:
    return UnreadableFile(
        "读取这个文件用的时间或内存太多，已停止，请拆分或另存后再导入。", code="kb.file_too_costly"
    )
