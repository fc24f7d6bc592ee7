"""Small files that admins edit, in the installation's one database: its word counts.

In: names, contents. Out: `Paper`s; whether a change was made to what it was meant for.
Not known here: copies of them, what is in them. All of it blocks.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from calls.papers.tables import papers
from calls.papers.types import Mark, Paper
from knowledge_base.database import writing


class PaperStore:
    """Any thread may use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def marks(self) -> dict[str, Mark]:
        """Which state each is in."""
        query = select(papers.c.name, papers.c.revision, papers.c.at)
        with self._engine.connect() as connection:
            return {row.name: Mark(row.revision, row.at) for row in connection.execute(query)}

    def paper(self, name: str) -> Paper | None:
        """One of them, if it was ever shared."""
        with self._engine.connect() as connection:
            row = connection.execute(select(papers).where(papers.c.name == name)).first()
        return _to_paper(row) if row else None

    def put(
        self, name: str, content: str | None, *, expected: Mark | None, author: str, at: datetime
    ) -> Paper | None:
        """Make another state of one that is in the `expected` state, or (None) not there yet.

        Returns the new state, or None where the old one is another by now.
        """
        revision = expected.revision + 1 if expected else 1
        row = {"content": content, "revision": revision, "author": author, "at": at.isoformat()}
        with writing(self._engine) as connection:
            now = connection.execute(
                select(papers.c.revision, papers.c.at).where(papers.c.name == name)
            ).first()
            if (Mark(now.revision, now.at) if now else None) != expected:
                return None
            if now is None:
                connection.execute(insert(papers).values(name=name, **row))
            else:
                connection.execute(update(papers).where(papers.c.name == name).values(row))
        return Paper(name=name, content=content, revision=revision, author=author, at=at)


def _to_paper(row: Row[Any]) -> Paper:
    return Paper(
        name=row.name,
        content=row.content,
        revision=row.revision,
        author=row.author,
        at=datetime.fromisoformat(row.at),
    )
