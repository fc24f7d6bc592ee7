"""Reads one file in a process that may not take much: the child of `knowledge_base.sandbox`.

In: the file on the standard input; its name, a column mapping and the limits as arguments.
Out: one line of JSON: what the file holds, or the code and sentence of its refusal.
Not known here: who asked, what becomes of the articles.
"""

import os
import resource
import sys
from typing import Any

from knowledge_base.article_json import to_json
from knowledge_base.importer import read_articles
from knowledge_base.json_text import dumps, loads
from knowledge_base.types import UnreadableFile

_POLITE = 10
"""Added to the niceness: calls go first."""


def main() -> None:
    """Read, answer, end."""
    name, mapping, cpu_s, memory_bytes = sys.argv[1], loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    os.nice(_POLITE)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(dumps(_answer(name, mapping)))


def _answer(name: str, mapping: dict[str, str] | None) -> dict[str, Any]:
    try:
        found = read_articles(sys.stdin.buffer.read(), name=name, mapping=mapping)
    except UnreadableFile as error:
        return {"code": error.code, "message": error.message, "columns": list(error.columns)}
    except MemoryError:
        return {"code": "kb.file_too_large", "message": "读取这个文件需要的内存太多，请拆分后再导入。"}
    return {
        "articles": [to_json(article) for article in found.articles],
        "errors": [[error.row, error.message] for error in found.errors],
        "rows": list(found.rows),
        "columns": [list(column) for column in found.columns],
    }


if __name__ == "__main__":
    main()
