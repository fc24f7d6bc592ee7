"""How a page of a list is asked for.

In: the parameter `offset`. Out: its type, bounded. Not known here: lists.
"""

from typing import Annotated

from fastapi import Query

Offset = Annotated[int, Query(ge=0, le=1_000_000_000, description="Rows to leave out.")]
"""Beyond the bound a database's own integers end."""
