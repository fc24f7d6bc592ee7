"""The tape: takes the sound of a call at once, and has it written to the call's spool by a thread.

In: bytes and silence, in their order. Out: the position up to which they are on disk, told as it moves.
Not known here: media time, frames, who brings sound and who hears it.

What waits on all the tapes of a process is written in rounds, one after the other and not more often than
every `rest_s`: one hop to the thread and back serves every line. So a disk that makes the thread wait makes
nobody else wait. Opening, closing and reading what is not in memory any more have threads of their own.
Bound: what a line lets wait (`LineOptions.max_unwritten_s`); its carrier then waits too.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from calls.spool import Spool, spool_path
from calls.types import AudioFormat, StorageFailed

log = logging.getLogger(__name__)

_THREADS = 8
"""Files that are opened, read and closed at the same time."""
_LETS_GO_WITHIN_S = 10.0
"""So long a call that is taken up again waits for its old tape, and whoever stops for all of them."""

_Piece = bytes | int
"""Sound, or that many bytes of silence."""
_T = TypeVar("_T")


class Tape:
    """The sound of one call. Used on the event loop alone."""

    def __init__(self, spool: Spool, tapes: "Tapes"):
        self.end = self.taken = spool.end
        """Positions in bytes: what is on disk, and what was taken in."""
        self.found = spool.found
        """How much was on disk before it was opened; what follows and was taken earlier lies elsewhere."""
        self.on_moved: Callable[[], None] = lambda: None
        """Called when `end` has moved, or what waited could not be written."""
        self._spool = spool
        self._tapes = tapes
        self._waiting: list[_Piece] = []
        self._is_written = asyncio.Event()
        self._is_written.set()
        self._waits_since_s: float | None = None
        self._failure: StorageFailed | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def is_written(self) -> bool:
        """Whether nothing waits for the disk."""
        return self._is_written.is_set()

    @property
    def behind_s(self) -> float:
        """For how long the oldest of what waits has been waiting, in seconds."""
        since_s = self._waits_since_s
        return 0.0 if since_s is None else asyncio.get_running_loop().time() - since_s

    def put(self, data: bytes) -> None:
        """Take whole sample frames.

        Raises `StorageFailed`, once, where what was taken before could not be written and is forgotten:
        `taken` has gone back to `end`, and this is not taken either.
        """
        self._put(data, len(data))

    def put_silence(self, n_bytes: int) -> None:
        """Take silence in place of sound that never came. Raises what `put` raises."""
        self._put(n_bytes, n_bytes)

    def _put(self, piece: _Piece, n_bytes: int) -> None:
        self.check()
        if self._closing is not None:
            raise StorageFailed("录音文件已经关闭，不再写入。")
        if n_bytes:
            self._waiting.append(piece)
            self.taken += n_bytes
            self._is_written.clear()
            if self._waits_since_s is None:
                self._waits_since_s = asyncio.get_running_loop().time()
            self._tapes.stir(self)

    def check(self) -> None:
        """Raise `StorageFailed`, once, where what was taken could not be written."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def written(self) -> None:
        """Return as soon as nothing waits for the disk. Raises what `check` raises."""
        await self._is_written.wait()
        self.check()

    async def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`, which are on disk."""
        data = self._spool.read_at_once(start, end)
        return data if data is not None else await self._tapes.do(lambda: self._spool.read(start, end))

    async def close(self) -> None:
        """Write what waits, hand the file to the disk and let it go. Raises `StorageFailed`.

        Goes on by itself where nobody waits for it any longer.
        """
        if self._closing is None:
            self._closing = self._tapes.let_go(self._spool.path, self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._is_written.wait()
        await self._tapes.do(self._spool.close)

    def take_out(self) -> "_Part":
        """What waits, for the round that begins now."""
        pieces, self._waiting = self._waiting, []
        return _Part(self, self._spool, pieces)

    def settle(self, failure: StorageFailed | None, began_s: float) -> None:
        """The round is over that began at that moment; after a failure all that waits is forgotten."""
        self.end = self._spool.end
        if failure is not None:
            self._waiting.clear()
            self.taken = self.end
            self._failure = failure
        self._waits_since_s = began_s if self._waiting else None
        if self._waiting:
            self._tapes.stir(self)
        else:
            self._is_written.set()
        self.on_moved()


class _Part:
    """What a round writes of one tape."""

    def __init__(self, tape: Tape, spool: Spool, pieces: Sequence[_Piece]):
        self.tape = tape
        self.failure: StorageFailed | None = None
        self._spool = spool
        self._pieces = pieces

    def write(self) -> None:
        """On the thread: sound that lies side by side at one blow."""
        try:
            side_by_side: list[bytes] = []
            for piece in self._pieces:
                if isinstance(piece, bytes):
                    side_by_side.append(piece)
                    continue
                self._append(side_by_side)
                self._spool.append_silence(piece)
            self._append(side_by_side)
        except StorageFailed as error:
            self.failure = error
        except Exception as error:  # the round's edge: other calls go on
            log.error("sound of call %s broke on its way to the disk", self._spool.path.stem, exc_info=error)
            self.failure = StorageFailed(f"录音无法写入磁盘（{type(error).__name__}）。")

    def _append(self, some: list[bytes]) -> None:
        if some:
            self._spool.append(b"".join(some))
            some.clear()


class Tapes:
    """The tapes of all calls that run in this process, and the threads that write them. `aclose` on stop."""

    def __init__(
        self,
        folder: Path,
        *,
        rest_s: float = 0.02,
        open_spool: Callable[[Path, AudioFormat], Spool] = Spool,
    ):
        self.folder = folder
        self._rest_s = rest_s
        self._open_spool = open_spool
        self._stirred: dict[Tape, None] = {}
        self._rounds: asyncio.Task[None] | None = None
        self._closing: dict[Path, asyncio.Task[None]] = {}
        self._writer = ThreadPoolExecutor(1, "tapes")
        self._others = ThreadPoolExecutor(_THREADS, "spools")

    async def open(self, call_id: str, audio_format: AudioFormat, *, at_least: int = 0) -> Tape:
        """Begin or go on with the sound of a call; what is missing up to `at_least` bytes is silence.

        Raises `StorageFailed`, also where an older tape of the call does not come to its end.
        """
        path = spool_path(self.folder, call_id)
        if (older := self._closing.get(path)) is not None:
            await asyncio.wait({older}, timeout=_LETS_GO_WITHIN_S)
            if not older.done():
                raise StorageFailed("磁盘写入太慢，这通电话先前的声音还没有写完，请稍后重试。")

        def open_spool() -> Spool:
            spool = self._open_spool(path, audio_format)
            try:
                spool.append_silence(at_least - spool.end)
            except StorageFailed:
                spool.close()
                raise
            return spool

        opening = asyncio.ensure_future(self.do(open_spool))
        try:
            return Tape(await asyncio.shield(opening), self)
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_unwanted)
            raise

    async def do(self, work: Callable[[], _T]) -> _T:
        """Have something done that waits for the disk."""
        return await asyncio.get_running_loop().run_in_executor(self._others, work)

    def _close_unwanted(self, opening: "asyncio.Future[Spool]") -> None:
        if not opening.cancelled() and opening.exception() is None:
            self._others.submit(opening.result().close)

    def stir(self, tape: Tape) -> None:
        """Something waits on that tape."""
        self._stirred[tape] = None
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._write(), name="tapes")

    async def _write(self) -> None:
        """Round after round, as long as something waits."""
        loop = asyncio.get_running_loop()
        while self._stirred:
            began_s = loop.time()
            parts = [tape.take_out() for tape in self._stirred]
            self._stirred.clear()
            await loop.run_in_executor(self._writer, _write_all, parts)
            for part in parts:
                part.tape.settle(part.failure, began_s)
            await asyncio.sleep(began_s + self._rest_s - loop.time())

    def let_go(self, path: Path, closing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Close a tape, whoever waits for that."""
        task = asyncio.get_running_loop().create_task(closing, name=f"close {path.stem}")
        self._closing[path] = task

        def gone(done: asyncio.Task[None]) -> None:
            if self._closing.get(path) is done:
                del self._closing[path]
            if not done.cancelled() and (error := done.exception()) is not None:
                log.error("the sound of call %s may be missing on the disk: %s", path.stem, error)

        task.add_done_callback(gone)
        return task

    async def aclose(self) -> None:
        """Wait for tapes that are on their way to the disk, for a while, and end the threads."""
        if self._closing:
            await asyncio.wait(list(self._closing.values()), timeout=_LETS_GO_WITHIN_S)
        self._writer.shutdown(wait=False)
        self._others.shutdown(wait=False)


def _write_all(parts: Sequence[_Part]) -> None:
    for part in parts:
        part.write()
