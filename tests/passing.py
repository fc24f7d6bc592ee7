"""What a page shows for a moment only: it is remembered in the page, however late somebody asks for it.

In: a page, what is watched. Out: nothing, or an `AssertionError` where it was never shown.
"""

import asyncio

from playwright.async_api import Page

_WAIT_S = 60
_WATCH = """([selector, name]) => {
  const shown = ((globalThis.shownHere ??= {})[selector] = []);
  const look = () => {
    for (const one of document.querySelectorAll(selector)) {
      const value = name === null ? one.textContent.trim() : one.getAttribute(name);
      if (value && shown.at(-1) !== value) shown.push(value);
    }
  };
  look();
  const what = { subtree: true, childList: true, characterData: true, attributes: true };
  new MutationObserver(look).observe(document.body, what);
}"""


async def watch_for(page: Page, selector: str, attribute: str | None = None) -> None:
    """From now on remember what stands there: the text, or an attribute."""
    await page.evaluate(_WATCH, [selector, attribute])


async def has_shown(page: Page, selector: str, value: str) -> None:
    """Wait until it has stood there, if only for a moment."""
    shown: list[str] = []
    try:
        async with asyncio.timeout(_WAIT_S):
            while value not in shown:
                shown = await page.evaluate("selector => globalThis.shownHere[selector]", selector)
    except TimeoutError:
        raise AssertionError(f"{selector} has shown {shown}, not {value}") from None
