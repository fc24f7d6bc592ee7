"""An article's content as JSON, for histories, exports and the border between processes.

In: `Article`s. Out: JSON-ready values in the order of the dataclass, and `Article`s again.
Not known here: who writes the text and where to.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from knowledge_base.types import Article


def to_json(article: Article) -> dict[str, Any]:
    """The content without the moment of its last change."""
    row = asdict(article)
    del row["updated_at"]
    for name in ("questions", "keywords"):
        row[name] = list(row[name])
    for name in ("effective_from", "expires_on"):
        row[name] = row[name] and row[name].isoformat()
    return row


def from_json(row: Mapping[str, Any]) -> Article:
    """The article that `to_json` wrote; raises TypeError or ValueError where the row is none."""
    values = dict(row)
    for name in ("questions", "keywords"):
        values[name] = tuple(values.get(name, ()))
    for name in ("effective_from", "expires_on"):
        values[name] = date.fromisoformat(values[name]) if values.get(name) else None
    return Article(**values)
