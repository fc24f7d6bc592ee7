"""The canary questions that editors keep.

In: questions with the article that they must find.
Out: `Canary`s, in the order of their questions.
Not known here: who asks them, when.
"""

import sqlalchemy as sa
from sqlalchemy import Engine

from knowledge_base.database import writing
from knowledge_base.tables import canaries as _canaries
from knowledge_base.types import Canary


class CanaryStore:
    """Canaries by question."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def all(self) -> tuple[Canary, ...]:
        """Every canary."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_canaries).order_by(_canaries.c.question)).all()
        return tuple(
            Canary(question=row.question, article_id=row.article_id, within=row.within) for row in rows
        )

    def put(self, canary: Canary) -> None:
        """Keep the canary, in place of an earlier one with the same question."""
        with writing(self._engine) as connection:
            connection.execute(_canaries.delete().where(_canaries.c.question == canary.question))
            connection.execute(
                _canaries.insert().values(
                    question=canary.question, article_id=canary.article_id, within=canary.within
                )
            )

    def remove(self, question: str) -> bool:
        """Take the canary away; returns whether there was one."""
        with writing(self._engine) as connection:
            return bool(
                connection.execute(_canaries.delete().where(_canaries.c.question == question)).rowcount
            )
