"""How a page of a list is asked for, and a row by its number.

In: the parameter `offset`, a number in the address. Out: their types, bounded. Not known here: lists.
"""

from typing import Annotated

from fastapi import Path, Query

Offset = Annotated[int, Query(ge=0, le=1_000_000_000, description="Rows to leave out.")]
"""Beyond the bound a database's own integers end."""
RowNumber = Annotated[int, Path(ge=0, le=2**31 - 1)]
"""PostgreSQL looks for no larger one."""
