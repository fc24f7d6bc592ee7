"""A run that is stopped leaves nothing undone that it called done, and blames no file for it."""

import hashlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from asr.batch.manifest import Manifest
from asr.batch.reader import Reader, ReadingStopped
from asr.batch.run import Decode, DecodingStopped, Outcome, Run, RunOptions
from asr.batch.types import ListeningOptions, Refusal, Source, Transcript
from asr.types import Hypothesis, Utterance
from tests.asr_parts import SPEECH

LISTENING = ListeningOptions()


def hear(batch: Sequence[Utterance]) -> list[Hypothesis]:
    return [Hypothesis(text="好。", avg_logprob=-0.1, no_speech_prob=0.1) for _ in batch]


def run(manifest: Manifest, decode: Decode) -> list[Outcome]:
    digest = hashlib.sha256(SPEECH.read_bytes()).hexdigest()
    options = RunOptions(readers=1, workers=1)
    work = Run(decode=decode, manifest=manifest, fingerprint="f", listening=LISTENING, options=options)
    return list(work.outcomes([Source(path=SPEECH, name="a", digest=digest)]))


def test_a_run_that_may_not_decode_any_more_ends_and_another_goes_on(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "book.db")
    calls: list[int] = []

    def one_only(batch: Sequence[Utterance]) -> list[Hypothesis]:
        calls.append(len(batch))
        raise DecodingStopped

    assert run(manifest, one_only) == []
    assert len(calls) == 1
    (outcome,) = run(manifest, hear)
    assert isinstance(outcome.result, Transcript)
    manifest.close()


def test_an_engine_that_always_fails_costs_the_file_and_not_the_run(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "book.db")

    def fail(batch: Sequence[Utterance]) -> list[Hypothesis]:
        raise RuntimeError("the engine broke down")

    (outcome,) = run(manifest, fail)
    assert outcome.result == Refusal(code="asr.recognition_failed", attempts=2)
    manifest.close()


def test_what_is_heard_at_the_second_attempt_is_judged_as_any_other(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "book.db")
    failed: list[str] = []

    def invent(batch: Sequence[Utterance]) -> list[Hypothesis]:
        if batch[0].segment_id not in failed or len(batch) > 1:
            failed.append(batch[0].segment_id)
            raise RuntimeError("the engine broke down")
        return [Hypothesis(text="字" * 500, avg_logprob=-0.1, no_speech_prob=0.1) for _ in batch]

    (outcome,) = run(manifest, invent)
    assert isinstance(outcome.result, Transcript)
    assert outcome.result.is_speechless
    assert all(piece.hypothesis.is_rejected for piece in outcome.result.pieces)
    manifest.close()


def test_a_reader_soon_notices_that_its_file_is_no_longer_wanted() -> None:
    reader, wanted = Reader(LISTENING), threading.Event()
    wanted.set()
    utterances = reader.read(SPEECH, digest="d", is_wanted=wanted.is_set)
    next(utterances)
    wanted.clear()
    began = time.monotonic()
    with pytest.raises(ReadingStopped):
        next(utterances)
    assert time.monotonic() - began < 20.0
