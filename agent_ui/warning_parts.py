"""What the early warning is made of in this house.

In: settings, database, orders with their directory, engines with what they know of matters.
Out: the desk of warnings, at work while it is open. Not known here: addresses, how anything is found.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from agent_ui.cluster import Cluster
from agent_ui.engines import Engines
from agent_ui.settings import Settings
from calls.orders.desk import OrderDesk
from calls.orders.directory import UnitKind
from insight.raised.desk import WarningDesk
from insight.raised.posting import send_mails
from knowledge_base.importer import load_sample


@asynccontextmanager
async def open_warnings(
    settings: Settings, database: Engine, orders: OrderDesk, engines: Engines, cluster: Cluster
) -> AsyncIterator[WarningDesk]:
    """Open it and let it look, in one process of the house; what it knows is kept at the end."""
    desk = _desk(settings, database, orders, engines)

    async def look_out() -> None:
        try:
            await desk.lookout.run()
        finally:
            if not cluster.is_alone:  # another process may go on from what is kept
                await asyncio.to_thread(desk.lookout.rest, saves=cluster.is_leader())

    works = [desk.lookout.watch_alarms, look_out]
    if (server := desk.server) is not None:
        works.append(lambda: send_mails(desk.mails, server, desk.clock))
    tasks = [asyncio.create_task(work) for work in cluster.once(*works)]
    try:
        yield desk
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(desk.lookout.close)


def _desk(settings: Settings, database: Engine, orders: OrderDesk, engines: Engines) -> WarningDesk:
    """Lists of matters, districts and departments are asked for when they are needed."""

    def matters() -> Sequence[str]:
        lore = engines.lore()
        return [article.title for article in lore.topics.articles] if lore is not None else []

    def categories() -> Mapping[str, str]:
        lore = engines.lore()
        articles = lore.topics.articles if lore is not None else ()
        return {article.title: article.category for article in articles}

    def districts() -> Sequence[str]:
        return [unit.name for unit in orders.directory.of_kind(UnitKind.DISTRICT)]

    def units() -> Sequence[tuple[str, str]]:
        return [(unit.unit_id, unit.name) for unit in orders.directory.units.values()]

    def usual() -> Sequence[str]:
        return matters() or [article.title for article in load_sample()]

    return WarningDesk.open(
        database,
        matters=matters,
        categories=categories,
        districts=districts,
        units=units,
        tell=settings.letterbox,
        embed=engines.embed_texts,
        usual=usual,
        server=settings.mail_server,
        clock=settings.now,
        zone=ZoneInfo(settings.timezone),
    )
