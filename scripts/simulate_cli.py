"""The command `zhiting simulate`: days of a city, played into a server of their own in time-lapse.

In: options. Out: a data folder full of calls that are marked as simulated, a server with a clock of its own.
Not known here: what a city calls about (scripts/simulated_calls.py), how they are written (playing_calls.py).

Days before the first one are written at once, so that there is a usual day to compare with. Nothing leaves
the machine: settings of the environment do not hold here, so there are no mails and no single sign-on.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import typer
from pydantic import PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from rich.console import Console
from rich.progress import Progress

from agent_ui.data_folder import claim
from agent_ui.house import House
from agent_ui.listening import listen
from agent_ui.settings import Settings
from calls.arrivals.store import ArrivalStore
from calls.arrivals.tables import arrivals
from calls.forms.keeping import FormStore
from calls.ingest.websocket import MAX_MESSAGE_BYTES
from calls.journal import Journal
from calls.orders.desk import OrderDesk
from calls.orders.tables import orders
from calls.records import Records
from calls.tables import calls as calls_table
from insight.hall.reading import SIMULATED
from insight.types import UnknownStream
from knowledge_base.database import migrate, open_database
from scripts.city_rates import read_city
from scripts.playing_calls import Pace, Player, Todo, play_all
from scripts.silent_engines import NAME, embed, open_silent_engines
from scripts.simulated_calls import Rush, SimulatedCall, calls_of
from server import create_app

ZONE = ZoneInfo("Asia/Shanghai")
_CALLS_A_DAY = 2_200
MOST_OF_A_RUSH = 2_000
_console = Console(stderr=True, highlight=False, soft_wrap=True)


class SimulatedSettings(Settings):
    """Settings whose present is that of a simulation; the environment has no say."""

    _pace: Pace = PrivateAttr()
    _speed: float = PrivateAttr(default=1.0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given is all there is."""
        return (init_settings,)

    @classmethod
    def of(cls, pace: Pace, speed: float, **given: Any) -> "SimulatedSettings":
        """With a clock."""
        settings = cls(**given)
        settings._pace, settings._speed = pace, speed
        return settings

    @property
    def speed(self) -> float:
        """How fast `now` goes."""
        return self._speed

    def now(self) -> datetime:
        """The present of the simulation."""
        return self._pace.now()


class NotEmpty(Exception):
    """The data folder has calls or orders that nobody made up, or the same days already."""


class Past:
    """Of calls in the order of arrival those that are over by a moment; the others are kept for later."""

    def __init__(self, calls: Iterator[SimulatedCall], *, until: datetime, is_all: bool) -> None:
        """With `is_all` all of them are taken, also those that go on over that moment."""
        self._calls = calls
        self._until = until
        self._is_all = is_all
        self._later: list[SimulatedCall] = []
        self.written = 0

    def __iter__(self) -> Iterator[SimulatedCall]:
        for call in self._calls:
            if self._is_all or call.written_at <= self._until:
                self.written += 1
                yield call
            else:
                self._later.append(call)
                if call.arrived_at >= self._until:
                    return

    def rest(self) -> Iterator[SimulatedCall]:
        """What is left, in the order of arrival."""
        return chain(self._later, self._calls)


async def write_past(
    settings: SimulatedSettings,
    past: Iterable[SimulatedCall],
    until: datetime,
    *,
    days: tuple[date, date],
    expected: float,
    force: bool,
) -> list[Todo]:
    """Write what was before; returns what is left to do with its orders. Raises `NotEmpty`.

    `days` are the first and the last that are simulated, `expected` about how many calls were before.
    """
    with claim(settings.data_dir):
        database = open_database(settings.database)
        if database.dialect.name == "sqlite":  # whoever pulls the plug simulates once more
            sa.event.listen(database, "connect", _hurry)
        try:
            migrate(database)
            _see_whether_empty(database, days, force=force)
            journal = Journal(database, lambda entries: None)
            journal.start()
            player = Player(
                journal=journal,
                records=Records(database),
                arrivals=ArrivalStore(database),
                forms=FormStore(database),
                orders=OrderDesk.open(
                    database,
                    settings.data_dir,
                    settings.timezone,
                    embed=embed,
                    model=NAME,
                    lore=lambda: None,
                    clock=settings.now,
                ),
            )
            todos: list[Todo] = []
            with Progress(console=_console, transient=True) as progress:
                bar = progress.add_task("写入之前的通话", total=max(1, round(expected)))
                async for written, left in player.write_past(past, until):
                    todos += left
                    progress.advance(bar, written)
            await journal.stop()
            return todos
        finally:
            database.dispose()


def _hurry(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _see_whether_empty(database: sa.Engine, days: tuple[date, date], *, force: bool) -> None:
    made_up = calls_table.c.meta["来源"].as_string() == SIMULATED
    real_call = (
        sa.select(calls_table.c.call_id).where(sa.func.coalesce(made_up, sa.false()).is_(False)).limit(1)
    )
    real_order = sa.select(orders.c.order_id).where(orders.c.created_by.not_like(f"{SIMULATED}%")).limit(1)
    ids = [f"sim-{day:%Y%m%d}" for day in days]
    same_days = sa.select(arrivals.c.call_id).where(arrivals.c.call_id.between(ids[0], f"{ids[1]}~")).limit(1)
    with database.connect() as connection:
        if not force and (connection.scalar(real_call) or connection.scalar(real_order)):
            raise NotEmpty(
                "这个数据目录里有真实的通话或工单，没有写入任何内容。请换一个 --data-dir；"
                "确实要混在一起（模拟的通话会标明“模拟”）时加 --force。"
            )
        if connection.scalar(same_days):
            raise NotEmpty(
                "这个数据目录里已有这几天的模拟通话，没有写入任何内容。请换一个 --data-dir 或删除它；"
                "要接着模拟，请用更晚的 --day 和 --history 0。"
            )


def simulate(
    data_dir: Annotated[Path, typer.Option(help="Folder for the data; it is made.")] = Path("var/simulation"),
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day to be played; else today.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days are played.")] = 1,
    at: Annotated[str, typer.Option(help="Hour at which the first day is entered, as 07:00.")] = "07:00",
    history: Annotated[
        int, typer.Option(min=0, max=366, help="Days before, which are written at once.")
    ] = 10,
    speed: Annotated[float, typer.Option(min=1, max=1000, help="How many times as fast as a clock.")] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Another number is another city.")] = 7,
    factor: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Part of a city of 2,200 calls a day.")
    ] = 1.0,
    rush: Annotated[
        list[str] | None,
        typer.Option(
            help="Callers more on the first day: MATTER,DISTRICT,CALLERS,HH:MM; as often as wanted."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on: of this machine alone.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8310,
    serve: Annotated[bool, typer.Option(help="Play the days and serve; else write all at once.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Also into a folder with real calls.")] = False,
) -> None:
    """Play a city's days in time-lapse into a server of their own, or write them at once."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        enters = time.fromisoformat(at)
    except ValueError:
        _console.print("--at 应为钟点，例如 07:00。")
        raise typer.Exit(2) from None
    first = day.date() if day else datetime.now(ZONE).date()
    start = datetime.combine(first, enters if serve else time(), ZONE)
    end = datetime.combine(first + timedelta(days=days), time(), ZONE)
    try:
        rushes = [_rush(text, first) for text in rush or ()]
    except (ValueError, UnknownStream) as wrong:
        _console.print(f"--rush 应为“事项,区县,人数,钟点”，例如 停水,普陀区,40,09:00：{wrong}")
        raise typer.Exit(2) from None
    calls = calls_of(
        read_city(),
        first=first - timedelta(days=history),
        days=history + days,
        seed=seed,
        zone=ZONE,
        factor=factor,
        rushes=rushes,
    )
    pace = Pace(start, speed)
    try:
        settings = SimulatedSettings.of(pace, speed, data_dir=data_dir, host=host, port=port, open=True)
    except ValidationError as error:
        _console.print(error.errors(include_url=False)[0]["msg"])
        raise typer.Exit(2) from None
    until = start if serve else end
    past = Past(calls, until=until, is_all=not serve)
    try:
        todos = asyncio.run(
            write_past(
                settings,
                past,
                until,
                days=(first - timedelta(days=history), end.date() - timedelta(days=1)),
                expected=((until - start).days + history) * factor * _CALLS_A_DAY,
                force=force,
            )
        )
    except NotEmpty as refused:
        _console.print(str(refused))
        raise typer.Exit(1) from None
    _console.print(f"已写入 {past.written} 通模拟通话：{data_dir}")
    if serve:
        _serve(settings, pace, past.rest(), todos, end)


def _rush(text: str, day: date) -> Rush:
    """Raises `ValueError`, `UnknownStream`."""
    matter, district, callers, at = text.split(",")
    read_city().streams.leaf(matter, district)
    if not 1 <= int(callers) <= MOST_OF_A_RUSH:
        raise ValueError(f"人数应在 1 到 {MOST_OF_A_RUSH} 之间")
    starts_at = datetime.combine(day, time.fromisoformat(at), ZONE)
    return Rush(matter=matter, district=district, callers=int(callers), starts_at=starts_at)


def _serve(
    settings: SimulatedSettings, pace: Pace, calls: Iterator[SimulatedCall], todos: list[Todo], end: datetime
) -> None:
    async def play(house: House) -> None:
        pace.begin()
        await play_all(player_of(house), calls, pace, todos)

    def on_ready(address: str) -> None:
        _console.print(f"\n  模拟城市已开始（{settings.speed:g} 倍速，全部通话均为模拟）：")
        _console.print(f"  大屏 [bold]{address}/hall[/bold]   通话 [bold]{address}/[/bold]")
        _console.print(f"  到 {end:%Y-%m-%d %H:%M} 为止；按 Ctrl-C 结束。\n")

    listen(
        create_app(settings, open_silent_engines, beside=play),
        host=settings.host,
        port=settings.port,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_ready=on_ready,
    )


def player_of(house: House) -> Player:
    """A player for the parts of a house that is open."""
    return Player(
        journal=house.journal,
        records=house.records,
        arrivals=house.arrivals,
        forms=house.form_store,
        orders=house.orders,
    )
