"""How fast files are transcribed here, and how well, beside faster-whisper's own batched pipeline.

In: reference calls with recordings, a beam. Out: `Measured` for either way: time, memory, errors.
Not known here: tables, JSON. Each way runs in a process of its own, one after the other.
"""

import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import psutil

from asr.batch.ears import EarOptions, Ears
from asr.batch.manifest import Manifest
from asr.batch.papers.types import paper_of
from asr.batch.run import Run
from asr.batch.types import Source, Transcript
from asr.footprint import limit_footprint
from asr.lexicon import Lexicon
from asr.recordings import decode_file
from asr.types import Party
from scripts.call_data import ReferenceCall, with_recordings
from scripts.text_scores import TextErrors, compare

_BATCH_SIZES = (4, 8, 16)
_FEW = 4
"""Calls on which the batch size is chosen."""
_SAMPLE_S = 0.1
Texts: TypeAlias = dict[str, dict[Party, str]]
"""By call and party, what was recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One way, measured."""

    took_s: float
    """From the first file to the last result; loading the model is left out."""
    peak_mb: float
    """Memory of the process and its children, the model included."""
    errors: TextErrors
    plain_errors: TextErrors | None = None
    """The same before words were put right."""
    batch_size: int | None = None
    """Of faster-whisper, the quickest of those tried."""


def measure_ours(
    files: Sequence[tuple[ReferenceCall, int]], options: EarOptions, lexicon: Lexicon | None
) -> Measured:
    """Transcribe files, named by call and copy, as one run; the same sound counts as so many files."""
    calls = {call.call_id: call for call, _ in files}
    paths = _paths(list(calls.values()))
    sources = [
        Source(path=paths[call.call_id][0], name=call.call_id, digest=f"{call.call_id} {copy}")
        for call, copy in files
    ]
    found, took_s, peak_mb = _apart(_ours, sources, options)
    return Measured(
        took_s=took_s,
        peak_mb=peak_mb,
        errors=_score(list(calls.values()), _written(found, lexicon)),
        plain_errors=_score(list(calls.values()), _written(found, None)),
    )


def measure_theirs(calls: Sequence[ReferenceCall], options: EarOptions) -> Measured:
    """Transcribe leg by leg with `BatchedInferencePipeline`, its batch size the quickest on a few calls."""
    few = _paths(calls[:_FEW])
    size = min(_BATCH_SIZES, key=lambda size: _apart(_theirs, few, options, size)[1])
    texts, took_s, peak_mb = _apart(_theirs, _paths(calls), options, size)
    return Measured(took_s=took_s, peak_mb=peak_mb, errors=_score(calls, texts), batch_size=size)


def _paths(calls: Sequence[ReferenceCall]) -> dict[str, tuple[Path, tuple[Party, ...]]]:
    return {call.call_id: (path, tuple(call.parties)) for call, path in with_recordings(calls)}


def _ours(sources: Sequence[Source], options: EarOptions) -> tuple[dict[str, Transcript], float]:
    limit_footprint()
    ears = Ears(options)
    found: dict[str, Transcript] = {}
    with tempfile.TemporaryDirectory() as folder:
        manifest = Manifest(Path(folder) / "book.db")
        run = Run(
            decode=ears.decode,
            manifest=manifest,
            fingerprint="bench",
            listening=options.listening,
            options=ears.run_options(),
        )
        began = time.monotonic()
        for outcome in run.outcomes(sources):
            if isinstance(outcome.result, Transcript):
                found[outcome.source.name] = outcome.result
        took_s = time.monotonic() - began
        manifest.close()
    return found, took_s


def _theirs(
    paths: Mapping[str, tuple[Path, tuple[Party, ...]]], options: EarOptions, batch_size: int
) -> tuple[Texts, float]:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    cores = len(os.sched_getaffinity(0))
    model = WhisperModel(str(options.folder), device="cpu", compute_type="int8", cpu_threads=cores)
    pipeline = BatchedInferencePipeline(model)
    found: Texts = {}
    began = time.monotonic()
    for call_id, (path, parties) in paths.items():
        found[call_id] = {}
        for party, samples in decode_file(path, parties).items():
            segments, _ = pipeline.transcribe(
                samples, language="zh", beam_size=options.beam_size, batch_size=batch_size
            )
            found[call_id][party] = " ".join(segment.text for segment in segments)
    return found, time.monotonic() - began


def _written(found: Mapping[str, Transcript], lexicon: Lexicon | None) -> Texts:
    texts: Texts = {}
    for call_id, transcript in found.items():
        paper = paper_of(transcript, name=call_id, call_id=call_id, lexicon=lexicon)
        by_party = texts.setdefault(call_id, dict.fromkeys(paper.parties, ""))
        for segment in paper.segments:
            by_party[segment.party] += f" {segment.text}"
    return texts


def _score(calls: Sequence[ReferenceCall], texts: Texts) -> TextErrors:
    return sum(
        (
            compare(call.text_of(party), _of(texts.get(call.call_id, {}), party))
            for call in calls
            for party in call.parties
        ),
        TextErrors(),
    )


def _of(by_party: Mapping[Party, str], party: Party) -> str:
    """What was heard of a party; a mono file is one mixed leg, whoever speaks in it."""
    return by_party.get(party) or by_party.get(Party.MIXED, "")


def _apart(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float, float]:
    """Do it in a fresh process; returns what it found, how long it took, and the most memory in MB."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_serve, args=(theirs, work, arguments))
    child.start()
    theirs.close()
    peak = 0
    is_over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_over.wait(_SAMPLE_S):
            peak = max(peak, _memory(child.pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        found, took_s = ours.recv()
    finally:
        is_over.set()
        watching.join()
        child.join()
    return found, took_s, peak / 1e6


def _serve(pipe: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send(work(*arguments))
    pipe.close()


def _memory(pid: int | None) -> int:
    """Resident bytes of a process and its children."""
    try:
        process = psutil.Process(pid)
        return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0
