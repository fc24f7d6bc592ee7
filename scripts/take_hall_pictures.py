"""Takes the pictures of the hall's board that the docs show, from a simulation that runs.

In: the address of `zhiting simulate`. Out: PNG files in docs/images.
Not known here: what the board shows.

    zhiting simulate --at 09:30 &
    python -m scripts.take_hall_pictures
"""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from playwright.async_api import Browser, async_playwright

_SETTLES_MS = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One way to look at the board."""

    name: str
    width: int = 1920
    query: str = ""
    is_from_afar: bool = False
    """A quarter of its size, without colours."""


_PICTURES = (
    Picture(name="hall-1366", width=1366),
    Picture(name="hall-1920"),
    Picture(name="hall-3840", width=3840),
    Picture(name="hall-en", query="?lang=en"),
    Picture(name="hall-far", is_from_afar=True),
)


def main(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")] = Path("docs/images"),
    address: Annotated[str, typer.Option(help="Where a simulation listens.")] = "http://127.0.0.1:8310",
) -> None:
    """Take them all."""
    asyncio.run(_take(folder, address))


async def _take(folder: Path, address: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for picture in _PICTURES:
            await _shoot(browser, picture, folder, address)
        await browser.close()


async def _shoot(browser: Browser, picture: Picture, folder: Path, address: str) -> None:
    context = await browser.new_context(
        viewport={"width": picture.width, "height": picture.width * 9 // 16},
        device_scale_factor=0.25 if picture.is_from_afar else 1,
        bypass_csp=picture.is_from_afar,
        locale="zh-CN",
    )
    page = await context.new_page()
    await page.goto(f"{address}/hall{picture.query}")
    await page.wait_for_selector(".hall-panels:not([data-loading])")
    if picture.is_from_afar:
        await page.add_style_tag(content="body { filter: grayscale(1) }")
    await page.wait_for_timeout(_SETTLES_MS)
    await page.screenshot(path=folder / f"{picture.name}.png")
    await context.close()


if __name__ == "__main__":
    typer.run(main)
