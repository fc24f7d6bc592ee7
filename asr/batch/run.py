"""Transcribes many files at once: readers look for speech ahead, decoders take what is alike in length.

In: sources, a function that decodes a batch, a manifest.
Out: one `Outcome` per source, in the order in which they end; progress on the way.
Not known here: which engine decodes, what results look like on paper.

Queue: the basket between readers and decoders is bounded in seconds; when it is full, readers wait. A file
that another process works on is waited for at the end.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import TypeAlias

from asr.batch.basket import Basket, BasketOptions
from asr.batch.reader import Reader, ReaderLimits, ReadingStopped
from asr.batch.records import Records
from asr.batch.types import FileFacts, ListeningOptions, Piece, Refusal, Source, Transcript
from asr.guard import is_invented
from asr.sound_file import FileRefused
from asr.types import Hypothesis, Party, Utterance

Decode: TypeAlias = Callable[[Sequence[Utterance]], list[Hypothesis]]
"""Blocks; called from several threads at once. What it raises costs its culprit's file, not the batch; raises
`DecodingStopped` to end the run."""

_FAILED = "asr.recognition_failed"
_WORTH_ANOTHER_TRY = ("asr.file_too_costly", "asr.file_unopened")
_PATIENCE_S = 0.2  # a decoder waits so long for a better choice
_LOOK_AGAIN_S = 1.0  # at files that others work on


class DecodingStopped(Exception):
    """Nothing is decoded any more: the batch is no file's fault and remains to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run is shared out. Raises `ValueError` for values out of range."""

    readers: int = 1
    """Processes that read; one feeds some six decoding threads."""
    workers: int = 2
    """Batches decoded at the same time."""
    attempts: int = 2
    """How often a file is tried where trying again may help."""
    retry_refused: bool = False
    """Whether files that were refused in an earlier run are tried again."""
    basket: BasketOptions = field(default_factory=BasketOptions)

    def __post_init__(self) -> None:
        if not 1 <= self.readers <= 64 or not 1 <= self.workers <= 64 or self.attempts < 1:
            raise ValueError("readers and workers must lie between 1 and 64, attempts above 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a source."""

    source: Source
    result: Transcript | Refusal
    is_new: bool
    """It was not known before this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come."""

    read_s: float = 0.0
    """Sound searched for speech."""
    decoded_s: float = 0.0
    """Speech decoded in this run."""
    remembered: int = 0
    """Utterances that an earlier run had decoded."""


@dataclass(slots=True, eq=False)
class _File:
    """A file that is read or decoded."""

    source: Source
    pieces: dict[tuple[Party, int], Piece] = field(default_factory=dict)
    facts: FileFacts | None = None
    """Known when it was read to its end."""
    is_over: bool = False
    read_s: float = 0.0
    """Sound searched for speech."""

    @property
    def transcript(self) -> Transcript | None:
        """All of it, where all of it is there."""
        if self.facts is None or len(self.pieces) < self.facts.utterances:
            return None
        ordered = sorted(self.pieces.values(), key=lambda piece: (piece.start_s, piece.party))
        return Transcript(facts=self.facts, pieces=tuple(ordered))


class Run:
    """One run over many files; `outcomes` is called once."""

    def __init__(
        self,
        *,
        decode: Decode,
        manifest: Records,
        fingerprint: str,
        listening: ListeningOptions,
        options: RunOptions,
        limits: ReaderLimits | None = None,
    ) -> None:
        self._decode = decode
        self._manifest = manifest
        self._fingerprint = fingerprint
        self._listening = listening
        self._options = options
        self._limits = limits
        self._basket = Basket(options.basket)
        self._changed = threading.Condition()
        self._sources: Iterator[Source] = iter(())
        self._sources_lock = threading.Lock()
        self._files: dict[str, _File] = {}
        self._twins: dict[str, list[Source]] = {}  # by digest, sources of the same content as one under way
        self._reading = 0
        self._stopping = False
        self._outcomes: SimpleQueue[Outcome | BaseException | None] = SimpleQueue()
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        """How far it has come; any thread may look."""
        return self._progress

    @property
    def under_way(self) -> dict[str, float]:
        """Sources that are read or decoded, by name, with the seconds read; any thread may look."""
        with self._changed:
            return {file.source.name: file.read_s for file in self._files.values()}

    def stop(self) -> None:
        """Finish the batches in flight and no more; what was decoded is on record."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def outcomes(self, sources: Iterable[Source]) -> Generator[Outcome, None, None]:
        """Work, and yield each outcome. Raises what the manifest raises, e.g. on a full disk."""
        self._sources = iter(sources)
        self._reading = self._options.readers
        threads = [
            *(
                threading.Thread(target=self._guarded, args=(self._read,))
                for _ in range(self._options.readers)
            ),
            *(
                threading.Thread(target=self._guarded, args=(self._work,))
                for _ in range(self._options.workers)
            ),
        ]
        for thread in threads:
            thread.start()
        running = len(threads)
        try:
            while running:
                told = self._outcomes.get()
                if isinstance(told, BaseException):
                    raise told
                if told is None:
                    running -= 1
                else:
                    yield told
        finally:
            self.stop()
            for thread in threads:
                thread.join()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Whatever breaks a thread ends the run and is raised where the outcomes are taken."""
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            self.stop()
            self._outcomes.put(error)
        self._outcomes.put(None)

    def _read(self) -> None:
        reader = Reader(self._listening, self._limits)
        waiting: list[Source] = []  # for other processes
        try:
            while not self._stopping and (source := self._next()) is not None:
                waiting += self._take_up(source, reader)
            while waiting and not self._stopping:
                waiting = [late for source in waiting for late in self._take_up(source, reader)]
                if waiting:
                    time.sleep(_LOOK_AGAIN_S)
        finally:
            reader.close()
            with self._changed:
                self._reading -= 1
                self._changed.notify_all()

    def _next(self) -> Source | None:
        with self._sources_lock:
            return next(self._sources, None)

    def _take_up(self, source: Source, reader: Reader) -> list[Source]:
        """See a source through to the basket; gives back what another process has, to be looked at later."""
        with self._changed:
            if source.digest in self._files:
                self._twins.setdefault(source.digest, []).append(source)
                return []
            file = self._files[source.digest] = _File(source)
        known = self._known(source)
        if known is None:
            if not self._manifest.claim(source.digest, self._fingerprint):
                with self._changed:
                    del self._files[source.digest]
                    return [source, *self._twins.pop(source.digest, [])]
            # another process may have finished it between the look and the claim
            known = self._known(source)
            if known is not None:
                self._manifest.release(source.digest, self._fingerprint)
        if known is not None:
            self._tell(file, known, is_new=False)
        else:
            self._try(file, reader)
        return []

    def _try(self, file: _File, reader: Reader) -> None:
        for attempt in range(1, self._options.attempts + 1):
            code = self._listen(file, reader)
            if code is None:
                return
            if code not in _WORTH_ANOTHER_TRY or attempt == self._options.attempts:
                self._refuse(file, Refusal(code=code, attempts=attempt))
                return

    def _known(self, source: Source) -> Transcript | Refusal | None:
        transcript = self._manifest.transcript(source.digest, self._fingerprint)
        if transcript is not None or self._options.retry_refused:
            return transcript
        return self._manifest.refusal(source.digest, self._fingerprint)

    def _listen(self, file: _File, reader: Reader) -> str | None:
        """Bring a file's utterances into the basket; returns the code of a refusal."""
        source = file.source
        remembered = self._manifest.pieces(source.digest, self._fingerprint)
        before_s = 0.0

        def on_read(seconds: float) -> None:
            nonlocal before_s
            self._count(read_s=seconds - before_s)
            before_s = file.read_s = seconds

        utterances = reader.read(
            source.path,
            digest=source.digest,
            on_read=on_read,
            is_wanted=lambda: not (file.is_over or self._stopping),
        )
        while True:
            try:
                utterance = next(utterances)
            except StopIteration as end:
                file.facts = end.value
                self._finish_if_whole(file)
                return None
            except FileRefused as refused:
                return str(refused)
            except ReadingStopped:
                return None
            piece = remembered.get((utterance.party, utterance.number))
            if piece is not None and piece.start_s == utterance.start_s:
                self._count(remembered=1)
                self._add(file, piece)
            else:
                self._put(utterance)

    def _put(self, utterance: Utterance) -> None:
        with self._changed:
            while self._basket.is_full and not self._stopping:
                self._changed.wait()
            self._basket.add(utterance)
            self._changed.notify_all()

    def _work(self) -> None:
        while batch := self._batch():
            try:
                answers = self._answers(batch)
            except DecodingStopped:
                self.stop()
                return
            pieces = [
                (utterance.call_id, Piece.of(utterance, answer))
                for utterance, answer in zip(batch, answers, strict=True)
                if answer is not None
            ]
            self._manifest.keep(self._fingerprint, pieces)
            self._count(decoded_s=sum(piece.end_s - piece.start_s for _, piece in pieces))
            for digest, piece in pieces:
                if (file := self._files.get(digest)) is not None:  # else it was refused meanwhile
                    self._add(file, piece)
            for utterance, answer in zip(batch, answers, strict=True):
                if answer is None and (file := self._files.get(utterance.call_id)) is not None:
                    self._refuse(file, Refusal(code=_FAILED, attempts=self._options.attempts))

    def _batch(self) -> list[Utterance]:
        """Wait for the next batch; empty at the end."""
        with self._changed:
            while not self._stopping:
                if self._basket.has_choice or (self._reading == 0 and len(self._basket)):
                    break
                if self._reading == 0:
                    return []
                if not self._changed.wait(_PATIENCE_S) and len(self._basket):
                    break  # better some batch than none
            if self._stopping:
                return []
            batch = self._basket.take()
            self._changed.notify_all()
            return batch

    def _answers(self, batch: Sequence[Utterance]) -> list[Hypothesis | None]:
        """Decode; None for an utterance that the engine fails on by itself, each time."""
        for _ in range(1 if len(batch) > 1 else self._options.attempts):
            try:
                found = self._decode(batch)
            except DecodingStopped:
                raise
            except Exception:  # noqa: BLE001, S112 - whatever the engine raises; the culprit is found below
                continue
            return [
                replace(hypothesis, text="", is_rejected=True)
                if is_invented(hypothesis, utterance)
                else hypothesis
                for utterance, hypothesis in zip(batch, found, strict=True)
            ]
        return [None] if len(batch) == 1 else [self._answers([utterance])[0] for utterance in batch]

    def _add(self, file: _File, piece: Piece) -> None:
        with self._changed:
            file.pieces[piece.party, piece.number] = piece
        self._finish_if_whole(file)

    def _finish_if_whole(self, file: _File) -> None:
        with self._changed:
            transcript = None if file.is_over else file.transcript
            if transcript is None:
                return
            file.is_over = True
        self._manifest.finish(file.source.digest, self._fingerprint, transcript)
        self._tell(file, transcript, is_new=True)

    def _refuse(self, file: _File, refusal: Refusal) -> None:
        with self._changed:
            if file.is_over:
                return
            file.is_over = True
        self._manifest.refuse(file.source.digest, self._fingerprint, refusal)
        self._tell(file, refusal, is_new=True)

    def _tell(self, file: _File, result: Transcript | Refusal, *, is_new: bool) -> None:
        with self._changed:
            digest = file.source.digest
            del self._files[digest]
            sources = [file.source, *self._twins.pop(digest, [])]
        for number, source in enumerate(sources):
            self._outcomes.put(Outcome(source=source, result=result, is_new=is_new and number == 0))

    def _count(self, *, read_s: float = 0.0, decoded_s: float = 0.0, remembered: int = 0) -> None:
        with self._changed:
            done = self._progress
            self._progress = Progress(
                read_s=done.read_s + read_s,
                decoded_s=done.decoded_s + decoded_s,
                remembered=done.remembered + remembered,
            )
