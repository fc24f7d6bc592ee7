"""A found line is gone to from its address, in a short call and in one of many hours."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.house import House, running
from tests.test_browser import CHROMIUM, WAIT_MS, browser, page

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]


async def store(house: House, lines: int) -> str:
    """A recorded call in which a line is said every ten seconds."""
    segments = [
        {
            "segment_id": f"{party}-{number + 1}",
            "party": party,
            "start_s": 10.0 * number,
            "end_s": 10.0 * number + 8.0,
            "text": f"这是第{number}句，说的是公积金怎么提取。",
            "raw_text": f"这是第{number}句，说的是攻击尽怎么提取。",
        }
        for number in range(lines)
        for party in [("operator", "citizen")[number % 2]]
    ]
    body = {"digest": f"{lines:064x}", "name": "a.wav", "started_at": "2025-03-04T09:00:00+08:00"}
    body |= {"operator_id": "007", "caller": "13900000152"}
    whole: dict[str, Any] = body | {"seconds": 10.0 * lines, "segments": segments}
    async with httpx.AsyncClient(timeout=60) as client:
        return str((await client.post(f"{house.url}/v1/calls/recorded", json=whole)).json()["call_id"])


@pytest.mark.parametrize(("lines", "number"), [(60, 31), (60, 59), (3000, 3), (3000, 1500)])
async def test_an_address_with_a_place_opens_that_line(
    tmp_path: Path, page: Page, lines: int, number: int
) -> None:
    async with running(tmp_path) as house:
        call_id = await store(house, lines)
        await page.goto(f"{house.url}/?call={call_id}&at={10.0 * number + 2}")
        row = page.locator(".line-row:focus")
        await expect(row.locator(".line-text")).to_contain_text(f"这是第{number}句，", timeout=WAIT_MS)
        await expect(row).to_be_in_viewport(ratio=0.9)
        await page.keyboard.press("ArrowUp")  # reading goes on from there
        await expect(row.locator(".line-text")).to_contain_text(f"这是第{number - 1}句，")
        await expect(page.get_by_text("录音转写").first).to_be_visible()
        await expect(page.locator(".latest")).to_be_visible(visible=number < lines - 1)


async def test_an_address_whose_place_says_nothing_opens_the_call(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house:
        call_id = await store(house, 60)
        await page.goto(f"{house.url}/?call={call_id}&at=soon")
        await expect(page.locator(".line-text").last).to_be_in_viewport(timeout=WAIT_MS)
