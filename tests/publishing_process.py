"""A process that publishes again and again on demand, each time in a child that may be killed.

In: lines on the standard input: a generation to publish, then `end`.
Out: a line with the child's number; after `end` one with its status, once it is over.
The child is forked, so that importing takes no time: a kill meets publishing, not importing.
"""

import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from knowledge_base.types import Article, Canary
from retrieval.publishing import publish
from retrieval.vectors import Vectors
from tests.retrieval_parts import ARTICLES, PairEmbedder, article

CANARIES = (Canary(question="楼下马路的路灯坏了", article_id="A1"),)


class SlowEmbedder(PairEmbedder):
    """Writes down how much it embedded, and takes its time."""

    def __init__(self, count: Path):
        super().__init__()
        self._count = count

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        time.sleep(0.01)
        vectors = super().embed_passages(texts)
        with self._count.open("a") as file:
            file.write(f"{len(texts)}\n")
        return vectors


def articles_of(generation: int) -> list[Article]:
    return [
        *ARTICLES,
        *(article(f"G{i:03}", f"第{i}条", body=f"第{generation}代第{i}条。") for i in range(120)),
    ]


def main(folder: Path) -> None:
    for line in sys.stdin:
        generation = int(line)
        child = os.fork()
        if child == 0:
            publish(
                articles_of(generation),
                embedder=SlowEmbedder(folder / "embedded.txt"),
                folder=folder,
                now=datetime(2026, 3, 5, tzinfo=UTC) + timedelta(minutes=generation),
                canaries=CANARIES,
            )
            os._exit(0)
        print(child, flush=True)
        sys.stdin.readline()  # the child keeps its number until nobody will kill it any more
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
