"""A desk of orders over a real database, with vectors made of characters."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from calls.orders.desk import OrderDesk
from calls.wrapup.draft import Lore
from tests.wrapup_parts import embed


def order_desk(
    engine: Engine,
    folder: Path,
    clock: Callable[[], datetime],
    lore: Callable[[], Lore | None] = lambda: None,
) -> OrderDesk:
    return OrderDesk.open(
        engine, folder, "Asia/Shanghai", embed=embed, model="characters", lore=lore, clock=clock
    )
