"""Stands in for `zhiting kb publish|rollback` without weights: everything but the embedder is real.

In: the folder of versions and the database as arguments, then the command as the press gives it.
Out: a version, or `{code, message}` and exit code 1.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from knowledge_base.canaries import CanaryStore
from knowledge_base.database import open_database
from knowledge_base.json_text import dumps
from knowledge_base.store import ArticleStore
from knowledge_base.types import KnowledgeError
from knowledge_base.versions import VersionFolder
from retrieval.publishing import publish, roll_back
from tests.retrieval_parts import PairEmbedder


def main(folder: Path, database: str, command: list[str]) -> None:
    engine = open_database(database)
    embedder = PairEmbedder()
    now = datetime(2026, 3, 5, 10, 32, tzinfo=UTC) + timedelta(minutes=len(VersionFolder(folder).names()))
    try:
        if command[0] == "publish":
            articles = ArticleStore(engine).publishable(now.date())
            if any(article.article_id == "DIE" for article in articles):
                os.abort()
            publish(articles, embedder=embedder, folder=folder, now=now, canaries=CanaryStore(engine).all())
        else:
            roll_back(command[-1], folder=folder, model=embedder.name, dimension=embedder.dimension)
    except KnowledgeError as error:
        print(dumps({"code": error.code, "message": error.message}))
        sys.exit(1)
    finally:
        engine.dispose()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
