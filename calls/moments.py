"""Moments as the database keeps them.

In: a moment. Out: a text. Not known here: tables.
"""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """One width and one zone, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
