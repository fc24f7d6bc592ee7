"""A run over many files, with real reading and a scripted engine: each once, whatever breaks."""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from asr.batch.basket import BasketOptions
from asr.batch.manifest import Manifest
from asr.batch.run import Outcome, Run, RunOptions
from asr.batch.types import ListeningOptions, Refusal, Source, Transcript
from asr.types import Hypothesis, Utterance, Word
from tests.batch_files import break_files, speech, wav


class Engine:
    """Writes how long each utterance is, and remembers what it decoded."""

    def __init__(self, fails_on: Iterable[str] = (), stops_after: int | None = None, words: int = 0) -> None:
        self.decoded: list[tuple[str, str]] = []
        self.on_enough: Callable[[], None] = lambda: None
        self._stops_after = stops_after
        self._words = (Word(text="字", start_s=0.0, end_s=0.1, probability=0.5),) * words
        self._fails_on = set(fails_on)
        self._lock = threading.Lock()

    def __call__(self, batch: Sequence[Utterance]) -> list[Hypothesis]:
        if any(one.call_id in self._fails_on for one in batch):
            raise RuntimeError("the engine broke down")
        with self._lock:
            self.decoded += [(one.call_id, one.segment_id) for one in batch]
            if self._stops_after is not None and len(self.decoded) >= self._stops_after:
                self.on_enough()
        return [
            Hypothesis(
                text=f"有{one.end_s - one.start_s:.3f}秒",
                avg_logprob=-0.2,
                no_speech_prob=0.1,
                words=self._words,
            )
            for one in batch
        ]


def a_run(engine: Engine, manifest: Manifest, **changes: object) -> Run:
    options = RunOptions(basket=BasketOptions(max_batch=2, choice=2), **changes)  # type: ignore[arg-type]
    return Run(
        decode=engine, manifest=manifest, fingerprint="v1", listening=ListeningOptions(), options=options
    )


def files(folder: Path, count: int) -> list[Source]:
    sources = []
    for number in range(count):
        path = folder / f"call-{number}.wav"
        path.write_bytes(wav(speech(number * 0.2, 12.4)))
        sources.append(Source(path=path, name=path.name, digest=f"d{number}"))
    return sources


def texts(outcome: Outcome) -> list[str]:
    assert isinstance(outcome.result, Transcript)
    return [piece.hypothesis.text for piece in outcome.result.pieces]


@pytest.fixture
def manifest(tmp_path: Path) -> Iterable[Manifest]:
    book = Manifest(tmp_path / "book.db")
    yield book
    book.close()


def test_many_files_come_out_once_each_and_the_second_run_decodes_nothing(
    tmp_path: Path, manifest: Manifest
) -> None:
    sources = files(tmp_path, 4)
    engine = Engine()
    first = {one.source.name: one for one in a_run(engine, manifest, readers=2).outcomes(sources)}
    assert set(first) == {source.name for source in sources}
    assert all(one.is_new for one in first.values())
    assert len(engine.decoded) == len(set(engine.decoded)) >= 8
    again = Engine()
    second = {one.source.name: one for one in a_run(again, manifest).outcomes(sources)}
    assert again.decoded == []
    assert not any(one.is_new for one in second.values())
    assert {name: texts(one) for name, one in second.items()} == {
        name: texts(one) for name, one in first.items()
    }


def test_the_same_sound_under_two_names_is_decoded_once(tmp_path: Path, manifest: Manifest) -> None:
    one = files(tmp_path, 1)[0]
    twin = Source(path=one.path, name="twin.wav", digest=one.digest)
    engine = Engine()
    found = list(a_run(engine, manifest, readers=2).outcomes([one, twin, one]))
    assert sorted(outcome.source.name for outcome in found) == ["call-0.wav", "call-0.wav", "twin.wav"]
    assert len(engine.decoded) == len(set(engine.decoded))
    assert sum(outcome.is_new for outcome in found) == 1


def test_broken_files_are_explained_and_the_rest_goes_on(tmp_path: Path, manifest: Manifest) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    codes = break_files(bad, long_s=600)
    broken = [Source(path=bad / name, name=name, digest=name) for name in codes]
    sources = [*broken[:5], *files(tmp_path, 2), *broken[5:]]
    found = {one.source.name: one.result for one in a_run(Engine(), manifest).outcomes(sources)}
    refused = {name: result.code for name, result in found.items() if isinstance(result, Refusal)}
    odd = ("truncated.wav", "silence.wav", "six.wav", "long.wav")
    assert refused == {name: code for name, code in codes.items() if name not in odd}
    assert all(isinstance(found[name], Transcript) for name in (*odd, "call-0.wav", "call-1.wav"))
    calm = found["silence.wav"]
    assert isinstance(calm, Transcript)
    assert calm.is_speechless


def test_a_file_that_the_engine_fails_on_costs_itself_alone(tmp_path: Path, manifest: Manifest) -> None:
    sources = files(tmp_path, 3)
    found = {one.source.digest: one.result for one in a_run(Engine(["d1"]), manifest).outcomes(sources)}
    assert found["d1"] == Refusal(code="asr.recognition_failed", attempts=2)
    assert isinstance(found["d0"], Transcript)
    assert isinstance(found["d2"], Transcript)
    later = list(a_run(Engine(), manifest, retry_refused=True).outcomes(sources))
    assert all(isinstance(one.result, Transcript) for one in later)


def test_a_stopped_run_is_gone_on_with_and_nothing_is_decoded_twice(
    tmp_path: Path, manifest: Manifest
) -> None:
    sources = files(tmp_path, 4)
    whole = {one.source.name: texts(one) for one in a_run(Engine(), manifest).outcomes(sources)}
    other = Manifest(tmp_path / "other.db")
    decoded: list[tuple[str, str]] = []
    found: dict[str, list[str]] = {}
    for _ in range(20):
        engine = Engine(stops_after=3)
        run = a_run(engine, other)
        engine.on_enough = run.stop
        found |= {one.source.name: texts(one) for one in run.outcomes(sources)}
        decoded += engine.decoded
        if len(found) == 4:
            break
    other.close()
    assert found == whole
    assert len(decoded) == len(set(decoded))


def test_two_runs_at_once_share_the_work(tmp_path: Path, manifest: Manifest) -> None:
    sources = files(tmp_path, 4)
    second = Manifest(tmp_path / "book.db")
    engines = Engine(), Engine()
    found: list[list[Outcome]] = [[], []]

    def work(number: int, book: Manifest, order: list[Source]) -> None:
        found[number] = list(a_run(engines[number], book).outcomes(order))

    threads = [
        threading.Thread(target=work, args=(0, manifest, sources)),
        threading.Thread(target=work, args=(1, second, sources[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert [len(outcomes) for outcomes in found] == [4, 4]
    decoded = engines[0].decoded + engines[1].decoded
    assert len(decoded) == len(set(decoded))


def test_a_full_disk_ends_the_run_and_what_was_decoded_stays(tmp_path: Path, manifest: Manifest) -> None:
    sources = files(tmp_path, 8)
    whole = next(iter(a_run(Engine(), manifest).outcomes(sources[:1])))

    def no_more_pages(connection: object, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

    event.listen(manifest._engine, "checkout", no_more_pages)
    run = a_run(Engine(words=400), manifest)
    with pytest.raises(OperationalError, match="full"):
        list(run.outcomes(sources))
    event.remove(manifest._engine, "checkout", no_more_pages)
    assert manifest.transcript("d0", "v1") == whole.result
    kept = {source.digest: dict(manifest.pieces(source.digest, "v1")) for source in sources}
    engine = Engine()
    list(a_run(engine, manifest).outcomes(sources))
    again = [key for key in engine.decoded if key[1] in {f"{p}-{n}" for p, n in kept[key[0]]}]
    assert again == []
