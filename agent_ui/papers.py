"""The small files that admins edit, and whoever reads them, kept up while the server runs.

In: settings, the opened database. Out: a `Home` for each file; readers that look again within seconds.
Not known here: what is in a file, what carries messages.

Alone, a file is kept here and nowhere else. Several servers share them (`calls/papers`): each has copies.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent_ui.cluster import Cluster
from agent_ui.settings import Settings
from agent_ui.tuning import Tuning, defaults_of
from agent_ui.tuning_file import FILE_NAME as TUNING
from agent_ui.tuning_file import TuningFile, fault_of
from asr.terms import BadTerms, parse_terms
from calls.orders.directory import read_directory
from calls.orders.directory_file import FILE_NAME as DEPARTMENTS
from calls.papers.copies import NOTES, Copies, SharedFile
from calls.papers.own_file import OwnFile
from calls.papers.store import PaperStore
from calls.papers.types import Home, Kind
from calls.quality.rules import FILE_NAME as QUALITY
from calls.quality.rules import read_rules as read_quality
from calls.quality.types import BadQualityRules
from calls.safety.rules import read_rules as read_alarm_words
from calls.safety.types import BadAlarmWords
from calls.safety.word_files import FILE_NAME as ALARM_WORDS

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
LEXICON = "lexicon.csv"


class Papers:
    """All methods run on the event loop; `keep_up` is the body of a task."""

    def __init__(self, kinds: Sequence[Kind], copies: Copies | None, *, tell: Callable[[], None]) -> None:
        """Without `copies` this server is alone; `tell` is called when the others should look at once."""
        self._tell = tell
        self._paths = {kind.name: kind.path for kind in kinds}
        self._copies = copies
        self._soon = asyncio.Event()

    def home(self, name: str) -> Home:
        """Where that file is kept."""
        if self._copies is None:
            return OwnFile(self._paths[name])
        return SharedFile(self._copies, name)

    async def begin(self) -> None:
        """Bring the files in step before anybody reads them. Raises `SQLAlchemyError`."""
        if self._copies is not None:
            await asyncio.to_thread(self._copies.look, is_first=True)
            loop = asyncio.get_running_loop()

            def told() -> None:
                loop.call_soon_threadsafe(self._tell)

            self._copies.told = told

    def wake(self) -> None:
        """Another server has changed something."""
        self._soon.set()

    async def keep_up(self, readers: Sequence[Callable[[], None]]) -> None:
        """Bring the files in step and have readers look, every few seconds, without end."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._soon.wait()
            except TimeoutError:
                pass
            self._soon.clear()
            await asyncio.to_thread(self._look, readers)

    def _look(self, readers: Sequence[Callable[[], None]]) -> None:
        if self._copies is not None:
            try:
                self._copies.look()
            except SQLAlchemyError as error:
                log.error("shared files could not be looked at (%s)", type(error).__name__)
        for look in readers:
            look()


async def open_papers(
    settings: Settings, database: Engine, cluster: Callable[[], Cluster]
) -> tuple[Papers, TuningFile]:
    """All of them, in step, and the one that is read before all else. Of changes the `cluster` is told."""
    defaults = defaults_of(settings)
    kinds = _kinds(settings, defaults)
    copies = None
    if settings.bus:
        notes = settings.data_dir / NOTES
        copies = Copies(PaperStore(database), kinds, notes=notes, clock=settings.now)
    papers = Papers(kinds, copies, tell=lambda: cluster().tell_papers())
    await papers.begin()
    return papers, TuningFile(settings.data_dir / TUNING, defaults, papers.home(TUNING))


def _kinds(settings: Settings, defaults: Tuning) -> Sequence[Kind]:
    folder = settings.data_dir
    return (
        Kind(name=TUNING, path=folder / TUNING, fault_of=lambda text: fault_of(text, defaults)),
        Kind(name=LEXICON, path=settings.lexicon_path, fault_of=_fault_of_terms),
        Kind(name=ALARM_WORDS, path=folder / ALARM_WORDS, fault_of=_fault_of_alarm_words),
        Kind(name=QUALITY, path=folder / QUALITY, fault_of=_fault_of_quality),
        Kind(name=DEPARTMENTS, path=folder / DEPARTMENTS, fault_of=_fault_of_directory),
    )


def _fault_of_terms(text: str) -> str | None:
    try:
        parse_terms(text.removeprefix("\ufeff"), name=LEXICON)
    except BadTerms as error:
        return str(error)
    return None


def _fault_of_alarm_words(text: str) -> str | None:
    try:
        read_alarm_words(text.removeprefix("\ufeff").splitlines())
    except BadAlarmWords as error:
        return error.message
    return None


def _fault_of_quality(text: str) -> str | None:
    try:
        read_quality(text)
    except BadQualityRules as error:
        return error.message
    return None


def _fault_of_directory(text: str) -> str | None:
    wrong = read_directory(text).errors
    return f"名录有 {len(wrong)} 处不对。" if wrong else None
