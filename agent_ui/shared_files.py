"""Where files lie that must last: the folders of this server, and the store that all servers share.

In: settings. Out: `SharedFiles`, opened and caught up with what others have published.
Not known here: what is in the files, HTTP.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from agent_ui.settings import Settings
from calls.audio.keys import read_keys
from calls.audio.sound import Recordings
from knowledge_base.depot import Depot, catching_up
from knowledge_base.objects.opening import folder_of
from knowledge_base.objects.sending import Sender, keep_sending
from knowledge_base.objects.types import Objects, ObjectsAway, ObjectStats
from knowledge_base.types import KnowledgeError
from knowledge_base.versions import VersionFolder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFigures:
    """How the store fares, and what it does not have yet."""

    stats: ObjectStats
    waiting: tuple[tuple[str, int], ...]
    """Files of this server: what they are, and how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFiles:
    """The sound of calls, and the store where there is one."""

    sounds: Recordings
    objects: Objects | None
    """What all servers of the house share; None where files stay in the data folder."""
    depot: Depot | None
    """Its versions of the knowledge."""
    senders: dict[str, Sender] = field(default_factory=dict)
    """What brings files there, by what they are."""

    def refreshing(self, refresh: Callable[[], str | None]) -> Callable[[], str | None]:
        """`refresh`, once what others have published is here."""
        return catching_up(self.depot, refresh)

    async def keep_sending(self, what: str, sender: Sender | None) -> None:
        """Bring files to the store, without end, and have them counted; nothing where there is none."""
        if sender is not None:
            self.senders[what] = sender
            await keep_sending(sender)

    def figures(self) -> ObjectFigures | None:
        """How it stands at this moment; None where there is no store."""
        if self.objects is None:
            return None
        waiting = tuple((what, sender.waiting) for what, sender in self.senders.items())
        return ObjectFigures(stats=self.objects.stats(), waiting=waiting)


@asynccontextmanager
async def open_files(settings: Settings) -> AsyncIterator[SharedFiles]:
    """Open the folders and the store. Ends the process where the store cannot be opened at all.

    One that does not answer keeps nobody from starting, with what is in the data folder.
    """
    settings.audio_folder.mkdir(exist_ok=True, parents=True)
    _see_apart(settings)
    try:
        objects = settings.open_objects()
    except ObjectsAway as error:
        log.critical("%s", error.message)
        raise SystemExit(error.message) from None
    try:
        files = SharedFiles(
            sounds=Recordings(
                folder=settings.audio_folder, keys=read_keys(settings.audio_keys), objects=objects
            ),
            objects=objects,
            depot=Depot(objects=objects, versions=VersionFolder(settings.data_dir / "kb"))
            if objects is not None
            else None,
        )
        await asyncio.to_thread(_look_into, files)
        yield files
    finally:
        if objects is not None:
            objects.close()


def _see_apart(settings: Settings) -> None:
    """End the process where the store is the data folder by another way: its files would be deleted."""
    shared = folder_of(settings.objects)
    own = {"": settings.data_dir, "audio": settings.audio_folder}
    for name, folder in own.items():
        if shared is not None and (shared / name).exists() and os.path.samefile(shared / name, folder):
            raise SystemExit("ZHITING_OBJECTS 与数据文件夹是同一个地方：请换一个共享文件夹，再启动。")


def _look_into(files: SharedFiles) -> None:
    try:
        files.refreshing(lambda: None)()
    except KnowledgeError as error:
        log.error("the published knowledge cannot be fetched: %s", error.code)
