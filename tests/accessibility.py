"""Whether everybody can use a page as it stands: the rules of axe-core in both themes, and the focus of keys.

In: a page in the state to be looked at. Out: nothing, or an `AssertionError` with rule, element and reason.
"""

from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

GRAVE = ("serious", "critical")
_LOOKS, _FRAME_MS = 1500, 20  # what is right is seen at the first looks; a slow machine is waited for
_FOCUS = """() => {
  const one = document.activeElement;
  if (one === null || one === document.body) return { name: "" };
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return {
    name: `${one.tagName.toLowerCase()}.${one.className || one.id}`,
    isSeen: one.matches(":focus-visible") && outlineStyle !== "none" && parseFloat(outlineWidth) >= 1,
    isThere: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""

_IN_A_FIELD = "document.activeElement?.matches('input, textarea, [contenteditable]')"


async def open_and_type(page: Page, key: str, text: str) -> None:
    """Press a key that opens a field, and type when the field has the focus, as somebody would who looks."""
    await page.keyboard.press(key)
    await page.wait_for_function(_IN_A_FIELD)
    await page.keyboard.type(text)


async def is_accessible(page: Page, state: str) -> None:
    """No serious and no critical finding of axe, in light and in dark."""
    await page.emulate_media(reduced_motion="reduce")  # a colour in mid-transition is no colour
    before = await page.evaluate("document.documentElement.dataset.theme")
    for theme in ("light", "dark"):
        await page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        found = await Axe().run(page)
        grave = [told(one) for one in found.response["violations"] if one["impact"] in GRAVE]
        assert not grave, f"{state}, {theme}:\n" + "\n".join(grave)
    await page.evaluate("theme => { document.documentElement.dataset.theme = theme }", before)


def told(violation: dict[str, Any]) -> str:
    """A finding in a few lines."""
    places = [f"  {node['target'][0]}: {node['failureSummary']}" for node in violation["nodes"]]
    return f"{violation['id']} ({violation['impact']}): {violation['help']}\n" + "\n".join(places)


class Keys:
    """The keyboard of somebody who has nothing else; the focus has to be seen after each press."""

    def __init__(self, page: Page):
        self._page = page

    async def press(self, *keys: str) -> None:
        """Press one after the other."""
        for key in keys:
            await self._page.keyboard.press(key)
            await self.see(f"after {key}")

    async def type(self, text: str) -> None:
        """Type into what has the focus."""
        await self._page.keyboard.type(text)
        await self.see(f"after typing {text}")

    async def see(self, when: str) -> str:
        """What has the focus; an error where nothing has it, or where it cannot be seen."""
        focus: dict[str, Any] = {"name": ""}
        for _ in range(_LOOKS):  # what is hidden or locked gives the focus away some frames later
            await self._page.wait_for_timeout(_FRAME_MS)
            focus = await self._page.evaluate(_FOCUS)
            if focus["name"] and focus["isThere"] and focus["isSeen"]:
                break
        assert focus["name"], f"the focus is lost {when}"
        assert focus["isThere"], f"{focus['name']} has the focus out of sight {when}"
        assert focus["isSeen"], f"the focus on {focus['name']} cannot be seen {when}"
        return str(focus["name"])

    async def tab_to(self, selector: str, *, most: int = 60, back: bool = False) -> None:
        """Press Tab until something that fits has the focus."""
        for _ in range(most):
            if await self._page.evaluate("what => document.activeElement.matches(what)", selector):
                return
            await self.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"{selector} cannot be reached by Tab")
