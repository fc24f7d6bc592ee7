"""The published versions as all servers of a house share them: in the object store, and a copy at each.

In: the folder of this server's versions, the object store, the right to publish.
Out: the same versions and the same pointer in both.
Not known here: how a version is made, who searches in it.

    kb/VERSION/…        whole where `version.json`, which comes last, is there
    kb/current          the name of the version that is to be served

A server works with its own folder alone, and goes on with that while the store is away. Whoever publishes
brings the version to the store before the pointer there; every server looks at that pointer, fetches what it
lacks, holds it against the sums that were noted when it was made, and only then moves its own pointer.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from knowledge_base.json_text import loads
from knowledge_base.objects.types import NoSuchObject, Objects, ObjectsAway
from knowledge_base.types import BadVersion, KnowledgeError
from knowledge_base.versions import DESCRIPTION, SUMS, VersionFolder, check_seal

log = logging.getLogger(__name__)

_TOP, _POINTER = "kb", "kb/current"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


@dataclass(slots=True, kw_only=True)
class Depot:
    """All methods block; all raise `ObjectsAway`."""

    objects: Objects
    versions: VersionFolder
    alone: Callable[[], AbstractContextManager[Callable[[], None]]] = lambda: nullcontext(lambda: None)
    """The right to publish among all servers; what it gives raises where the right was lost."""
    _settled: str | None = field(default=None, init=False)
    """For which pointer all kept versions are here."""

    def catch_up(self) -> None:
        """Have here what the store has; nothing happens where a publish is under way in this folder.

        Raises `BadVersion` where the version that is to be served is not whole; the old one then stays.
        """
        current = self._pointer()
        if current is None or (current == self._settled and current == self.versions.current()):
            return
        try:
            with self.versions.publishing():
                self.fetch_all()
        except KnowledgeError as error:
            if error.code != "kb.publishing":
                raise

    def share(self) -> None:
        """As `catch_up`, and bring to a store that serves nothing yet what is here.

        Raises `KnowledgeError` (`kb.publishing`) where that is to be done and somebody publishes.
        """
        self.catch_up()
        if self._pointer() is None and self.versions.current() is not None:
            with self.versions.publishing(), self.alone():
                if self._pointer() is None and (served := self.versions.current()) is not None:
                    self.offer(served)

    def fetch_all(self) -> None:
        """The same, for whoever holds the folder: first what is to be served, then what else is kept."""
        current = self._pointer()
        if current is None:
            return
        self._settled = None
        self.fetch(current)
        if current != self.versions.current():
            self.versions.point_to(current)
        kept = self._whole()
        for name in reversed(kept):
            try:
                self.fetch(name)
            except BadVersion as error:  # nobody needs it now
                log.warning("an older version of the knowledge cannot be fetched: %s", error.code)
        self.versions.keep_only({current, *kept})
        self._settled = current

    def fetch(self, version: str) -> None:
        """Have one version here, whole or not at all. Raises `BadVersion`."""
        if version in self.versions.names():
            return
        if not _NAME.fullmatch(version):
            raise BadVersion("对象存储里的知识库指针不是版本名，请重新发布。")
        with self.versions.building(version) as aside:
            self._fetch_into(aside, version)
            check_seal(aside)
        log.info("version %s of the knowledge was fetched from the object store", version)

    def send(self, version: str, folder: Path) -> None:
        """Bring a version to the store; it counts as there once its last file is."""
        files = sorted(folder.iterdir(), key=lambda file: (file.name == DESCRIPTION, file.name))
        for file in files:
            self.objects.put(f"{_TOP}/{version}/{file.name}", file)

    def point_to(self, version: str) -> None:
        """Have all servers serve that version, which the store must have."""
        if self.objects.size(f"{_TOP}/{version}/{DESCRIPTION}") is None:
            self.send(version, self.versions.path(version))
        self.objects.set_text(_POINTER, version + "\n")

    def offer(self, version: str) -> None:
        """Bring what is served here to a store that does not serve it, with all else that is kept here."""
        if self._pointer() == version:
            return
        there = self._whole()
        for name in self.versions.names():
            if name not in there:
                self.send(name, self.versions.path(name))
        self.point_to(version)

    def prune(self, keep: int) -> None:
        """Remove from the store all but the newest `keep` and what is served, and what was never whole."""
        current, whole = self._pointer(), self._whole()
        stays = {*whole[-keep:], current}
        for one in list(self.objects.under(f"{_TOP}/")):
            parts = one.name.split("/")
            if len(parts) == 3 and parts[1] not in stays:
                self.objects.delete(one.name)

    def _pointer(self) -> str | None:
        text = self.objects.text(_POINTER)
        return text.strip() or None if text is not None else None

    def _whole(self) -> list[str]:
        """Versions that are whole in the store, oldest first."""
        return sorted(self._names())

    def _names(self) -> Iterator[str]:
        for one in self.objects.under(f"{_TOP}/"):
            match one.name.split("/"):
                case [_, name, file] if file == DESCRIPTION and _NAME.fullmatch(name):
                    yield name

    def _fetch_into(self, folder: Path, version: str) -> None:
        try:
            self.objects.fetch(f"{_TOP}/{version}/{SUMS}", folder / SUMS)
            names = list(loads((folder / SUMS).read_text(encoding="utf-8")))
            if not all(_FILE.fullmatch(name) for name in names):
                raise BadVersion(f"知识库版本 {version} 的校验文件不能用。")
            for name in (*names, DESCRIPTION):
                self.objects.fetch(f"{_TOP}/{version}/{name}", folder / name)
        except (NoSuchObject, ValueError) as error:
            raise BadVersion(f"知识库版本 {version} 在对象存储里不完整，请重新发布。") from error


def catching_up(depot: Depot | None, refresh: Callable[[], str | None]) -> Callable[[], str | None]:
    """`refresh`, after a look into the store; where that is away, what is here is refreshed all the same."""
    if depot is None:
        return refresh

    def refresh_all() -> str | None:
        trouble: KnowledgeError | None = None
        try:
            depot.catch_up()
        except ObjectsAway:  # told by whoever watches the store
            pass
        except KnowledgeError as error:
            trouble = error
        except OSError as error:
            trouble = KnowledgeError(
                f"新版本的知识库取不到本机（{error.strerror}），原来的版本继续使用；请清理磁盘。",
                code="kb.disk_full",
            )
        taken_up = refresh()
        if taken_up is None and trouble is not None:
            raise trouble
        return taken_up

    return refresh_all
