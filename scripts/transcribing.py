"""Transcribes named files into a folder, or one to standard output, and counts what became of them.

In: files, ears, words, where results go. Out: a `Tally`; progress where a person looks.
Not known here: options of a command, exit codes.
"""

import hashlib
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from asr.batch.cluster.types import ClusterOptions
from asr.batch.ears import EarOptions, Ears
from asr.batch.manifest import Manifest
from asr.batch.papers.formats import Format, put_on_paper
from asr.batch.papers.types import NOTES, Paper, paper_of
from asr.batch.run import Outcome, Run
from asr.batch.run import Progress as Done
from asr.batch.shelf import Shelf, mark_of
from asr.batch.sources import Named, result_names
from asr.batch.types import Refusal, Source, Transcript
from asr.lexicon import Lexicon
from asr.refusals import sentence_of
from scripts.storing import NotStored, Sender, Sent, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done."""

    files: tuple[Named, ...]
    folder: Path | None
    """None: text goes to standard output, or with `store` nowhere else."""
    book: Path
    """The manifest."""
    formats: tuple[Format, ...]
    keep_fillers: bool = True
    wording: str = ""
    """Names what decides how text is written."""
    readers: int = 0
    retry_refused: bool = False
    cluster: ClusterOptions | None = None
    """None: this machine does it alone."""
    store: Store | None = None
    """The server that puts transcripts on record as calls; None: none."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file that was refused, or of which something is to be said."""

    name: str
    code: str
    message: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the files."""

    files: int = 0
    done: int = 0
    """Have a transcript, from this run or an earlier one."""
    known: int = 0
    """Of these, from an earlier one."""
    seconds: float = 0.0
    """Length of the recordings that were transcribed now."""
    took_s: float = 0.0
    decoded_s: float = 0.0
    """Speech that was decoded."""
    remembered: int = 0
    """Utterances that an earlier run, cut short, had decoded."""
    refused: list[Trouble] = field(default_factory=list)
    odd: list[Trouble] = field(default_factory=list)
    stored: int = 0
    """Put on record as calls by this run."""
    stored_before: int = 0
    """On record already."""
    waiting: int = 0
    """Not sent as the server was away; a later run sends them."""
    store_trouble: str = ""
    """Why."""
    unstored: list[Trouble] = field(default_factory=list)
    """Transcripts that the server will not take as they are."""

    @property
    def x_realtime(self) -> float | None:
        """Seconds of recording per second, listening and decoding; None where all was known."""
        return self.seconds / self.took_s if self.seconds and self.took_s else None


def transcribe_files(
    job: Job, options: EarOptions, lexicon: Lexicon, console: Console | None, *, tell: Callable[[str], None]
) -> Tally:
    """Do it; `console` None says nothing on the way, but `tell` is told what goes wrong with a cluster.

    Raises `OSError`, what the manifest raises, and `ClusterError`.
    """
    fingerprint = options.fingerprint()
    manifest = Manifest(job.book)
    sender = Sender(job.store, manifest, now=lambda: datetime.now(UTC)) if job.store else None
    try:
        tally = Tally(files=len(job.files))
        outcomes, progress = _begin(job, options, fingerprint, manifest, tally, tell)
        style = f"{fingerprint} {job.wording} {job.keep_fillers}"
        put = _putter(job, manifest, style, lexicon, tally, sender)
        began = time.monotonic()
        with closing(outcomes), _progress(console, tally) as advance:
            for outcome in outcomes:
                if isinstance(outcome.result, Refusal):
                    message = sentence_of(outcome.result.code, max_s=options.listening.max_s)
                    tally.refused.append(Trouble(outcome.source.name, outcome.result.code, message))
                else:
                    _count(tally, outcome, outcome.result)
                    put(outcome.source, outcome.result)
                advance()
        tally.took_s = time.monotonic() - began
        tally.decoded_s, tally.remembered = progress().decoded_s, progress().remembered
        return tally
    finally:
        if sender is not None:
            sender.close()
        manifest.close()


def _begin(
    job: Job,
    options: EarOptions,
    fingerprint: str,
    manifest: Manifest,
    tally: Tally,
    tell: Callable[[str], None],
) -> tuple[Generator[Outcome, None, None], Callable[[], Done]]:
    """Open the ears, or reach the cluster when the first outcome is asked for; also how far it has come."""
    if job.cluster is not None:
        from asr.batch.cluster.engine import ClusterRun

        cluster = ClusterRun(
            ears=options,
            fingerprint=fingerprint,
            manifest=manifest,
            options=job.cluster,
            tell=tell,
            readers=job.readers,
            retry_refused=job.retry_refused,
        )
        return cluster.outcomes(job.files), lambda: cluster.progress
    ears = Ears(options)
    run = Run(
        decode=ears.decode,
        manifest=manifest,
        fingerprint=fingerprint,
        listening=options.listening,
        options=ears.run_options(readers=job.readers, retry_refused=job.retry_refused),
    )
    return run.outcomes(_sources(job.files, manifest, tally)), lambda: run.progress


def _count(tally: Tally, outcome: Outcome, transcript: Transcript) -> None:
    tally.done += 1
    if outcome.is_new:
        tally.seconds += transcript.facts.seconds
    else:
        tally.known += 1


def _putter(
    job: Job, manifest: Manifest, style: str, lexicon: Lexicon, tally: Tally, sender: Sender | None
) -> Callable[[Source, Transcript], None]:
    """What is done with a transcript: written where it is not there as it should be."""
    name_of = result_names(job.files)
    shelf = Shelf(job.folder, job.formats, manifest) if job.folder else None

    def put(source: Source, transcript: Transcript) -> None:
        name = name_of[source.path]
        mark = mark_of(source.digest, source.name, style)
        is_there = shelf is not None and shelf.is_up_to_date(name, mark)
        paper = paper_of(
            transcript, name=source.name, call_id=name.name, lexicon=lexicon, keep_fillers=job.keep_fillers
        )
        tally.odd += [Trouble(source.name, code, NOTES[code]) for code in paper.notes]
        if shelf is None:
            if sender is None:
                sys.stdout.buffer.write(put_on_paper(paper, job.formats[0]))
        elif not is_there:
            shelf.put(name, paper, mark)
        if sender is not None:
            _send(sender, source, paper, tally)

    return put


def _send(sender: Sender, source: Source, paper: Paper, tally: Tally) -> None:
    try:
        sent = sender.send(source, paper)
    except NotStored as error:
        tally.unstored.append(Trouble(source.name, error.code, error.message))
        return
    tally.stored += sent is Sent.STORED
    tally.stored_before += sent is Sent.KNOWN
    tally.waiting += sent is Sent.WAITING
    tally.store_trouble = sender.trouble if tally.waiting else ""


def _sources(files: tuple[Named, ...], manifest: Manifest, tally: Tally) -> Iterator[Source]:
    """Name each file by its content, which is read only where it was not seen before."""
    for one in files:
        try:
            digest = manifest.digest_of(one.path)
            if digest is None:
                with one.path.open("rb") as content:
                    digest = hashlib.file_digest(content, "sha256").hexdigest()
                manifest.note_digest(one.path, digest)
        except OSError:
            code = "asr.file_unopened"
            tally.refused.append(Trouble(one.name, code, sentence_of(code, max_s=0)))
            continue
        yield Source(path=one.path, name=one.name, digest=digest)


@contextmanager
def _progress(console: Console | None, tally: Tally) -> Iterator[Callable[[], None]]:
    """Files, speech so far, how many times faster than it was spoken, and how long it will take."""
    if console is None:
        yield lambda: None
        return
    began = time.monotonic()
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("个文件"),
        TextColumn("{task.fields[sound]}"),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=console, refresh_per_second=2) as shown:
        task = shown.add_task("", total=tally.files, sound="", left="")

        def advance() -> None:
            took_s = time.monotonic() - began
            finished = tally.done + len(tally.refused)
            speed = tally.seconds / took_s if took_s else 0.0
            left_s = took_s / finished * (tally.files - finished) if finished else 0.0
            shown.update(
                task,
                completed=finished,
                sound=f"录音 {tally.seconds / 60:.1f} 分钟 · {speed:.0f} 倍速",
                left=f"还需约 {_duration(left_s)}" if finished < tally.files else "",
            )

        yield advance


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} 秒"
    return f"{seconds / 60:.0f} 分钟" if seconds < 5400 else f"{seconds / 3600:.1f} 小时"
