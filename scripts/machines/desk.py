"""An operator's desk in a real browser, which is never reloaded, and which notes what it shows.

In: an address, who signs in. Out: every line that was shown and when, what the page said meanwhile, pictures.
Not known here: machines, what is broken.
"""

import asyncio
import json
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright
from playwright.async_api import TimeoutError as NotInTime

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_ARGS = ("--no-sandbox", "--no-proxy-server", "--ignore-certificate-errors")
_SIZE = {"width": 1366, "height": 768}
_BREAKS_WITHIN_MS = 2500
_NEW_LINES = 2
_NUMBER = re.compile(r"\d+")
_NOTES = """
(() => {
  const shown = new Map(), states = [], faults = [];
  globalThis.noted = () => (look(), JSON.stringify({ lines: [...shown.values()], states, faults }));
  globalThis.shownSince = (ms) => [...shown.values()].filter(([at]) => at >= ms).length;
  const look = () => {
    const now = Date.now();
    const line = document.querySelector(".line[data-line]");
    const head = document.querySelector(".head[data-call]");
    if (!line || !head) return;
    const quiet = document.querySelector(".quiet-line")?.textContent ?? "";
    const state = [line.dataset.line, head.dataset.call, quiet];
    if (states.length === 0 || states.at(-1).slice(1).join() !== state.join()) states.push([now, ...state]);
    const inPage = new Set();
    for (const row of document.querySelectorAll('.line-row[data-final="true"]')) {
      const id = row.dataset.segment, text = row.querySelector(".line-text").textContent;
      if (inPage.has(id)) faults.push(`${id} is in the page twice`);
      inPage.add(id);
      const known = shown.get(id);
      if (!known) shown.set(id, [now, id, row.dataset.party, text]);
      else if (known[3] !== text) faults.push(`${id} has changed`);
    }
  };
  setInterval(look, 100);
})();
"""
"""Run within the page, ten times a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that the page showed."""

    at: float
    """When first, as `time.time()` has it."""
    segment_id: str
    party: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the page said of itself, from a moment on."""

    at: float
    line: str
    """`open` while it is connected."""
    call: str
    said: str
    """The quiet line under the transcript."""


@dataclass(slots=True, kw_only=True)
class Noted:
    """All that it showed."""

    lines: list[Line]
    states: list[State]
    faults: list[str]

    def offline_s(self, began: float, ended: float) -> float:
        """For how long it was not connected within that time."""
        found = 0.0
        for number, state in enumerate(self.states):
            until = self.states[number + 1].at if number + 1 < len(self.states) else ended
            if state.line != "open":
                found += max(0.0, min(until, ended) - max(state.at, began))
        return found

    def said(self, began: float, ended: float) -> list[str]:
        """What it told the operator within that time, in order, each once whatever number stands in it."""
        some = [state.said for state in self.states if began <= state.at <= ended and state.said]
        return list({_NUMBER.sub("", said): said for said in some}.values())


@dataclass(slots=True)
class Desk:
    """The page, once somebody has signed in."""

    page: Page
    folder: Path | None
    broken: list[str] = field(default_factory=list)

    async def noted(self) -> Noted:
        """What it has shown up to now."""
        found: dict[str, Any] = json.loads(await self.page.evaluate("noted()"))
        return Noted(
            lines=[
                Line(at=at / 1000, segment_id=segment_id, party=party, text=text)
                for at, segment_id, party, text in found["lines"]
            ],
            states=[
                State(at=at / 1000, line=line, call=call, said=said)
                for at, line, call, said in found["states"]
            ],
            faults=[*found["faults"], *self.broken],
        )

    async def goes_on(self, since: float) -> bool:
        """Whether it has shown new lines since a moment, as `time.time()` has it."""
        return int(await self.page.evaluate("ms => shownSince(ms)", since * 1000)) >= _NEW_LINES

    async def picture(self, name: str) -> None:
        """Take one, where pictures are wanted."""
        if self.folder is not None:
            await self.page.screenshot(path=self.folder / f"{name}.png")

    async def picture_of_trouble(self, name: str) -> None:
        """Take one as soon as the page notices that something is wrong, or after a while."""
        if self.folder is not None:
            with suppress(NotInTime):
                await self.page.wait_for_selector('.line:not([data-line="open"])', timeout=_BREAKS_WITHIN_MS)
            await self.picture(name)

    async def lines(self) -> list[tuple[str, str]]:
        """Segment and text of each final line that is in the page now, in order."""
        rows = self.page.locator('.line-row[data-final="true"]')
        found = await rows.evaluate_all(
            "rows => rows.map(row => [row.dataset.segment, row.querySelector('.line-text').textContent])"
        )
        return [(segment_id, text) for segment_id, text in found]

    async def on_record(self, call_id: str) -> list[tuple[str, str]]:
        """What its operator is told of the call by the server, in order: segment, text."""
        address = self.page.url.split("?")[0].rstrip("/")
        answer = await self.page.request.get(f"{address}/v1/calls/{call_id}")
        segments = sorted(
            (await answer.json())["segments"], key=lambda one: (one["start_s"], one["segment_id"])
        )
        return [(one["segment_id"], one["text"]) for one in segments if one["text"]]

    async def check(self, call_id: str) -> list[str]:
        """What it did not show, showed otherwise, or shows in another order."""
        noted = await self.noted()
        return [*noted.faults, *judge(noted.lines, await self.lines(), await self.on_record(call_id))]


def judge(
    shown: Sequence[Line], in_page: Sequence[tuple[str, str]], on_record: Sequence[tuple[str, str]]
) -> list[str]:
    """Hold what was shown, and what stands there in the end, against the record.

    The page holds the last lines of a long call; what was heard late and stands before these, it never shows.
    """
    wanted = dict(on_record)
    texts = {line.segment_id: line.text for line in shown}
    before = {one for one, _ in on_record[: len(on_record) - len(in_page)]}
    may_lack = _heard_late(on_record) & before
    found = [f"the page never showed {one}" for one in wanted if one not in texts and one not in may_lack]
    found += [f"the page showed {one}, which is not on record" for one in texts if one not in wanted]
    found += [
        f"the page showed {one} otherwise" for one in texts if one in wanted and texts[one] != wanted[one]
    ]
    found += [f"the page shows {one} twice" for one, times in Counter(in_page).items() if times > 1]
    if not in_page or list(in_page) != list(on_record)[-len(in_page) :]:
        found.append("the page does not end as the record does")
    return found


def _heard_late(some: Sequence[tuple[str, str]]) -> set[str]:
    """Of lines in the order in which they were said, those that a line of the same leg was heard before."""
    found: set[str] = set()
    least: dict[str, int] = {}
    for segment_id, _ in reversed(some):
        leg, _, number = segment_id.rpartition("-")
        if int(number) > least.setdefault(leg, int(number)):
            found.add(segment_id)
        least[leg] = min(least[leg], int(number))
    return found


@asynccontextmanager
async def desk(address: str, name: str, password: str, folder: Path | None) -> AsyncIterator[Desk]:
    """Sign in and open the desk. Raises `RuntimeError` where there is no Chromium."""
    program = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if program is None:
        raise RuntimeError("there is no Chromium on this machine (Debian: apt install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(_ARGS))
        context = await browser.new_context(ignore_https_errors=True, locale="zh-CN", viewport=_SIZE)  # type: ignore[arg-type]
        await context.add_init_script(_NOTES)
        page = await context.new_page()
        page.set_default_timeout(120_000)
        opened = Desk(page, folder)
        page.on("pageerror", lambda error: opened.broken.append(str(error)))
        await page.goto(f"{address}/login")
        await page.get_by_label("用户名").fill(name)
        await page.get_by_label("密码").fill(password)
        await page.keyboard.press("Enter")
        await page.wait_for_selector('.line[data-line="open"]')
        try:
            yield opened
        finally:
            await asyncio.shield(browser.close())
