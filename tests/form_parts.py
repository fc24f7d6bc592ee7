"""Calls that are told line by line, and the parts that their forms need."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import httpx

from asr.types import AudioFrame, Party, Segment
from calls.session import Recognise
from calls.wrapup.draft import Lore
from tests.house import House, Script
from tests.wrapup_parts import embed, said, sample_lore

TALK = (
    "坐席:您好，12345热线，请问有什么可以帮您？",
    "市民:我要投诉，我们小区门口路面积水好几天了，没有人来管。",
    "坐席:请问具体在什么位置？",
    "市民:在定海区昌国街道东大街18号门口。",
    "坐席:好的，我帮您转给住建局处理，请问您贵姓，留个电话。",
    "市民:我姓王，电话是13900000152。",
)


@cache
def lore() -> Lore:
    """The sample knowledge; reading it takes a second."""
    return sample_lore()


def telling(*turns: str) -> Recognise:
    """Ears that hear one of the lines in each second of the call, whatever sounds."""
    lines = said(*turns)

    async def recognise(
        call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
    ) -> AsyncIterator[Segment]:
        done = sum(numbers.values())
        async for frame in frames:
            while done < len(lines) and frame.end_s >= done + 1.0 - 1e-6:
                line = lines[done]
                done += 1
                number = sum(one.party is line.party for one in lines[:done])
                yield replace(
                    line,
                    call_id=call_id,
                    segment_id=f"{line.party}-{number}",
                    start_s=done - 1.0,
                    end_s=done - 0.1,
                )

    return recognise


def script(*turns: str, **more: Any) -> Script:
    """A house that hears these lines and drafts by words."""
    return Script(recognise=telling(*(turns or TALK)), lore=lore, embed=embed, **more)


async def ask(house: House, method: str, path: str, **how: Any) -> httpx.Response:
    """One request."""
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        return await client.request(method, path, **how)


def if_match(version: int) -> dict[str, str]:
    """What a change brings along."""
    return {"If-Match": f'"{version}"'}
