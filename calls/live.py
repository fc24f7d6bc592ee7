"""The whole path of one call, from sound to suggestion, on one screen.

In: frames, and the functions that hear, ask, search, advise, record and publish.
Out: partial segments published, finals and suggestions recorded, in that order and none lost.
Not known here: which engine hears, where anything is stored, who is looking, what time it is.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from asr.types import AudioFrame, Segment
from calls.types import Fact, SegmentShown, SuggestionShown
from retrieval.types import Findings, Query, Suggestion

_MAX_NEEDS = 32


async def run_call(
    *,
    frames: AsyncIterator[AudioFrame],
    recognise: Callable[[AsyncIterator[AudioFrame]], AsyncIterator[Segment]],
    ask: Callable[[Segment], Query | None],
    search: Callable[[Query], Awaitable[Findings]],
    advise: Callable[[Segment, Query | None, Findings | None], Suggestion | None],
    record: Callable[[Fact], Awaitable[None]],
    publish: Callable[[Segment], None],
    failed: Callable[[Exception], Awaitable[None]],
) -> None:
    """Carry one call from its first frame to its last final; returns when both are written.

    `record` makes a fact durable and then shows it; `publish` shows a partial at once. Searching runs
    beside hearing, so that a slow search never delays text; what breaks in asking, searching or advising
    goes to `failed`, and hearing goes on. Bound: 32 finals waiting to be searched; when full, hearing waits.
    """
    finals: asyncio.Queue[Segment | None] = asyncio.Queue(_MAX_NEEDS)

    async def hear() -> None:
        async for segment in recognise(frames):
            if not segment.is_final:
                publish(segment)
                continue
            await record(SegmentShown(segment=segment))
            if segment.text:
                await finals.put(segment)
        await finals.put(None)

    async def suggest() -> None:
        while (segment := await finals.get()) is not None:
            try:
                query = ask(segment)
                findings = await search(query) if query else None
                suggestion = advise(segment, query, findings)
            except Exception as error:  # noqa: BLE001 - whatever broke there, people still talk
                await failed(error)
                continue
            if suggestion is not None:
                await record(SuggestionShown(suggestion=suggestion))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hear(), name="hear")
        tasks.create_task(suggest(), name="suggest")
