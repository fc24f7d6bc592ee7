"""Takes the pictures of the pages that the docs show, from a real server that hears a bundled call.

In: the weights and the knowledge base of the settings. Out: PNG files in docs/images.
Not known here: what the pages do.

    python -m scripts.take_screenshots
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TypeAlias

import httpx
import typer
from playwright.async_api import Browser, Page, async_playwright

from access.gate import Gate
from access.types import Role, Scope
from agent_ui.settings import LOCAL_KEY, Settings
from knowledge_base.database import migrate, open_database
from scripts.demo_calls import demo_calls
from scripts.replay import Replay, read_recording, replay

_PASSWORD = "示例密码 correct horse"  # noqa: S105 - of a server that lives as long as this script
_SIZES = {"1366": (1366, 768), "1920": (1920, 1080)}
_PEOPLE = (
    ("admin", "管理员", Role.ADMIN, ""),
    ("li", "李敏", Role.OPERATOR, "027"),
    ("wang", "王芳", Role.OPERATOR, "031"),
    ("zhao", "赵强", Role.SUPERVISOR, ""),
    ("sun", "孙工", Role.INTEGRATOR, ""),
)
Do: TypeAlias = Callable[[Page], Awaitable[None]]


def main(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")] = Path("docs/images"),
    only: Annotated[str, typer.Option(help="Part of a picture's name.")] = "",
) -> None:
    """Start, play, take, stop."""
    asyncio.run(_take(folder, only))


async def _take(folder: Path, only: str) -> None:
    async with _server() as (address, key), async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        await _shoot(browser, folder, only, "login", [(f"{address}/login", None, _nothing)], signs_in=False)
        await _leave_recordings(address, key)
        await _leave_orders(address, key)
        playing = asyncio.create_task(_play(address, key))
        await asyncio.sleep(38.0)  # lines and a card or two
        await _shoot(browser, folder, only, "desk", [(f"{address}/", ".card[data-state=card]", _nothing)])
        await _shoot(browser, folder, only, "desk-wrapup", [(f"{address}/", ".line-row", _pressing("w"))])
        await _shoot(browser, folder, only, "desk-microphone", [(f"{address}/", ".line-row", _pressing("m"))])
        pages: Sequence[tuple[str, str, str, Do]] = (
            ("knowledge", "knowledge#articles", "tbody tr:visible", _open_article),
            ("knowledge-publish", "knowledge#publish", ".kb-box:visible", _nothing),
            ("knowledge-import", "knowledge#import", ".kb-drop", _nothing),
            ("knowledge-gaps", "knowledge#gaps", ".kb-box:visible", _nothing),
            ("recordings", "recordings", ".rec-list tbody tr", _open_job),
            ("orders", "orders#todo", "tbody tr:visible", _dispatch_order),
            ("orders-answered", "orders#answered", "tbody tr:visible", _follow_up_order),
            ("watch", "watch#live", ".live-table tbody tr", _nothing),
            ("watch-lists", "watch#lists", ".list-tabs:visible", _nothing),
            ("watch-quality", "watch#quality", ".list-tabs:visible", _nothing),
            ("system-users", "system#users", "tbody tr:visible", _nothing),
            ("system-words", "system#words", ".view-nav", _nothing),
            ("system-settings", "system#settings", ".view-nav", _nothing),
            ("system-state", "system#state", ".view-nav", _nothing),
            ("system-audit", "system#audit", "tbody tr:visible", _nothing),
            ("password", "password", "form", _nothing),
        )
        for name, path, ready, do in pages:
            await _shoot(browser, folder, only, name, [(f"{address}/{path}", ready, do)])
        playing.cancel()
        await asyncio.wait([playing])
        await browser.close()


async def _shoot(
    browser: Browser,
    folder: Path,
    only: str,
    name: str,
    steps: Sequence[tuple[str, str | None, Do]],
    *,
    signs_in: bool = True,
) -> None:
    """Both sizes in light, and the larger one in dark."""
    for size, theme in (("1366", "light"), ("1920", "light"), ("1920", "dark")):
        file = f"{name}-{size}.png" if theme == "light" else f"{name}-dark.png"
        if only not in file:
            continue
        width, height = _SIZES[size]
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            locale="zh-CN",
        )
        page = await context.new_page()
        address = steps[0][0].split("/", 3)[:3]
        if signs_in:
            await page.goto("/".join([*address, "login"]))
            await page.get_by_label("用户名").fill("admin")
            await page.get_by_label("密码").fill(_PASSWORD)
            await page.keyboard.press("Enter")
            await page.wait_for_selector(".head")
        for where, ready, do in steps:
            await page.goto(where)
            if ready is not None:
                await page.wait_for_selector(ready)
            await do(page)
        await page.wait_for_timeout(1500)
        await page.screenshot(path=folder / file)
        await context.close()


async def _nothing(_page: Page) -> None:
    pass


def _pressing(key: str) -> Do:
    async def press(page: Page) -> None:
        await page.keyboard.press(key)

    return press


async def _open_article(page: Page) -> None:
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")


async def _open_order(page: Page) -> None:
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".ord-past li")


async def _dispatch_order(page: Page) -> None:
    await _open_order(page)
    await page.keyboard.press("d")
    await page.wait_for_selector(".ord-suggestion")


async def _follow_up_order(page: Page) -> None:
    await _open_order(page)
    await page.keyboard.press("f")


async def _open_job(page: Page) -> None:
    await page.locator(".rec-list tbody tr").first.click()
    await page.locator(".rec-file").first.click()
    await page.wait_for_selector(".line-row")


async def _leave_recordings(address: str, key: str) -> None:
    """Bring a job of recordings, so that there is something to be seen."""
    files = [("files", (path.name, path.read_bytes())) for path, _ in demo_calls()]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        answer = await client.post(f"{address}/v1/jobs", data={"name": "质检抽样"}, files=files)
        answer.raise_for_status()


_ORDERS = (
    (
        "求助",
        "普通",
        "环城南路整段路灯不亮，晚上看不清路",
        "定海区",
        "环城南路216号",
        "王女士",
        "13900000001",
        1,
    ),
    (
        "投诉",
        "紧急",
        "滨港路夜宵摊深夜噪音扰民",
        "普陀区",
        "沈家门街道滨港路88号",
        "李先生",
        "13900000002",
        2,
    ),
    (
        "求助",
        "特急",
        "海天大道地下管道漏水，路面塌陷",
        "定海区",
        "临城街道海天大道681号",
        "陈先生",
        "13900000003",
        3,
    ),
    ("投诉", "普通", "25路公交车在东港站甩站不停", "普陀区", "东港街道海洲路", "周女士", "13900000004", 4),
    ("求助", "普通", "小区垃圾三天无人清运", "岱山县", "高亭镇长河路15号", "孙先生", "13900000005", 4),
    ("求助", "普通", "环城南路路灯坏了好几天", "定海区", "环城南路216号", "王女士", "13900000001", 1),
)
"""Type, urgency, summary, district, address, caller, number, and how many steps it has gone."""
_STEPS = (
    {"deed": "accept"},
    {"deed": "dispatch", "department_id": "SZ04"},
    {"deed": "take"},
    {"deed": "answer", "answer": "已到现场处理，问题已经解决，请市民放心。"},
)


async def _leave_orders(address: str, key: str) -> None:
    """Bring work orders, so that there is something to be seen."""
    names = ("type", "urgency", "summary", "district", "address", "caller_name", "caller_phone")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        for *values, steps in _ORDERS:
            body = dict(zip(names, values, strict=True)) | {"author": "zhao"}
            order = (await client.post(f"{address}/v1/orders", json=body)).raise_for_status().json()
            for version, step in enumerate(_STEPS[:steps], 1):
                url = f"{address}/v1/orders/{order['order_id']}/steps"
                headers = {"If-Match": f'"{version}"'}
                answer = await client.post(url, json=step | {"author": "zhao"}, headers=headers)
                answer.raise_for_status()


async def _play(address: str, key: str) -> None:
    path, caller = demo_calls()[0]
    while True:
        options = Replay(server=address, token=key, operator_id="027", caller=caller)
        await replay(read_recording(path), options, lambda _call_id, _media_s: None)


@asynccontextmanager
async def _server() -> AsyncIterator[tuple[str, str]]:
    """A server with people, its address and the key of its machine."""
    with TemporaryDirectory(prefix="zhiting-pictures-") as name:
        data_dir, shared = Path(name), Settings().data_dir.resolve()
        (data_dir / "models").symlink_to(shared / "models")
        environment = os.environ | {"ZHITING_DATA_DIR": name, "ZHITING_PORT": "8391"}
        subprocess.run([sys.executable, "-m", "scripts.cli", "setup"], env=environment, check=True)  # noqa: ASYNC221
        _add_people(data_dir)
        command = [sys.executable, "-m", "scripts.cli", "serve"]
        process = subprocess.Popen(command, env=environment)  # noqa: ASYNC220 - nothing else runs yet
        try:
            while not (data_dir / LOCAL_KEY).exists():  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            await _answers("http://127.0.0.1:8391/readyz")
            yield "http://127.0.0.1:8391", (data_dir / LOCAL_KEY).read_text(encoding="utf-8")
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)


async def _answers(address: str) -> None:
    """Wait until the engines are loaded, however busy the machine is."""
    async with httpx.AsyncClient() as client:
        for _ in range(300):
            try:
                if (await client.get(address)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(1.0)
    raise RuntimeError("the server did not come up")


def _add_people(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    database = open_database(data_dir / "zhiting.db")
    migrate(database)
    gate = Gate.open(database, clock=settings.now, keys={})
    for name, shown, role, seat in _PEOPLE:
        gate.accounts.add(
            name, role=role, password=_PASSWORD, display_name=shown, operator_id=seat, now=settings.now()
        )
    gate.tokens.add(
        "话务交换机", scopes={Scope.AUDIO}, by="sun", now=settings.now(), lasts=timedelta(days=365)
    )
    database.dispose()


if __name__ == "__main__":
    typer.run(main)
