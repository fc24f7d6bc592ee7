"""Lets the language model of the settings write the prose of reports, if an admin wants that.

In: settings, the event loop. Out: a function that gives a report back, to be called from a thread.
Not known here: what passes (insight/reports/retelling.py).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from agent_ui.settings import Settings
from calls.wrapup.llm.endpoint import open_endpoint
from calls.wrapup.llm.types import ModelFailed
from insight.reports.retelling import ModelSilent, retold
from insight.reports.types import Report

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_prose(settings: Settings) -> AsyncIterator[Callable[[Report], Report]]:
    """What is done to a computed report; nothing, unless the settings name a model for it."""
    options = settings.llm_options
    if settings.report_prose == "rules" or options is None:
        yield lambda report: report
        return
    loop = asyncio.get_running_loop()
    async with open_endpoint(replace(options, answer_tokens=2_000)) as endpoint:

        def ask(system: str, user: str, schema: Mapping[str, Any]) -> str:
            try:
                return asyncio.run_coroutine_threadsafe(endpoint.ask(system, user, schema), loop).result()
            except ModelFailed as error:
                log.warning("the prose of a report stays as rules made it: %s", error.code)
                raise ModelSilent from None

        yield lambda report: retold(report, ask, endpoint.model)
