"""From a file to utterances: legs, odd channels, containers, and files that are no recordings."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from asr.batch.listening import utterances_of
from asr.batch.reader import Reader, ReaderLimits
from asr.batch.types import FileFacts, ListeningOptions
from asr.sound_file import FileRefused, SoundFile
from asr.types import Party, Utterance
from asr.vad import SileroDetector
from tests.asr_parts import SPEECH
from tests.batch_files import CONTAINERS, break_files, encode, speech, wav


def listen(path: Path, options: ListeningOptions | None = None) -> tuple[list[Utterance], FileFacts]:
    found: list[Utterance] = []
    with SoundFile(path) as file:
        utterances = utterances_of(file, options or ListeningOptions(), SileroDetector(), call_id="f")
        while True:
            try:
                found.append(next(utterances))
            except StopIteration as end:
                return found, end.value


def test_two_channels_are_two_legs_and_the_size_of_blocks_decides_nothing() -> None:
    found, facts = listen(SPEECH)
    assert facts.parties == (Party.CITIZEN, Party.OPERATOR)
    assert (round(facts.seconds, 1), facts.utterances) == (12.4, len(found))
    assert {one.party for one in found} == {Party.CITIZEN, Party.OPERATOR}
    again, _ = listen(SPEECH, ListeningOptions(block_s=0.5, left=Party.OPERATOR))
    swapped = {Party.CITIZEN: Party.OPERATOR, Party.OPERATOR: Party.CITIZEN}
    places = {(one.party, one.number, one.start_s, one.end_s) for one in found}
    assert {(swapped[one.party], one.number, one.start_s, one.end_s) for one in again} == places


@pytest.mark.parametrize(("ending", "how"), CONTAINERS.items())
def test_every_container_is_read(tmp_path: Path, ending: str, how: tuple[str, int]) -> None:
    path = tmp_path / f"call.{ending}"
    encode(path, speech(), *how)
    found, facts = listen(path)
    assert facts.parties == (Party.CITIZEN, Party.OPERATOR)
    assert facts.seconds == pytest.approx(12.4, abs=0.2)
    assert len(found) >= 2


def test_one_sound_on_both_channels_is_one_leg(tmp_path: Path) -> None:
    path = tmp_path / "alike.wav"
    path.write_bytes(wav(np.repeat(speech()[:, :1], 2, axis=1)))
    _, facts = listen(path)
    assert (facts.parties, facts.is_alike) == ((Party.MIXED,), True)
    _, forced = listen(path, ListeningOptions(channels="stereo"))
    assert forced.parties == (Party.CITIZEN, Party.OPERATOR)


def test_a_mixdown_hears_both(tmp_path: Path) -> None:
    stereo, _ = listen(SPEECH)
    mixed, facts = listen(SPEECH, ListeningOptions(channels="mono"))
    assert facts.parties == (Party.MIXED,)
    assert max(one.end_s for one in mixed) == pytest.approx(max(one.end_s for one in stereo), abs=0.5)


def test_a_silent_channel_is_not_taken_for_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "half.wav"
    samples = speech().copy()
    samples[:, 1] = 0
    path.write_bytes(wav(samples))
    _, facts = listen(path)
    assert (facts.parties, facts.is_alike) == ((Party.CITIZEN, Party.OPERATOR), False)


def told_of(reader: Reader, path: Path) -> str:
    """The code of a refusal, or of what is odd."""
    count = 0
    utterances = reader.read(path, digest=path.name)
    try:
        while True:
            next(utterances)
            count += 1
    except FileRefused as refused:
        return str(refused)
    except StopIteration as end:
        facts: FileFacts = end.value
    if facts.is_truncated:
        return "asr.file_truncated"
    if facts.source_channels > 2:
        return "asr.file_mixed_down"
    return "" if count else "asr.no_speech"


def test_broken_files_get_their_code_and_the_reader_goes_on(tmp_path: Path) -> None:
    codes = break_files(tmp_path, long_s=1800)
    reader = Reader(ListeningOptions())
    try:
        assert {name: told_of(reader, tmp_path / name) for name in codes} == codes
        assert told_of(reader, SPEECH) == ""
    finally:
        reader.close()


def test_a_child_that_dies_costs_its_file_alone(tmp_path: Path) -> None:
    reader = Reader(ListeningOptions(block_s=0.5))
    try:
        utterances = reader.read(SPEECH, digest="first")
        next(utterances)
        assert reader._child is not None
        reader._child.kill()
        with pytest.raises(FileRefused, match=r"asr\.file_unreadable"):
            list(utterances)
        assert list(reader.read(SPEECH, digest="second"))
    finally:
        reader.close()


def test_a_child_that_hangs_is_given_up() -> None:
    reader = Reader(ListeningOptions(), ReaderLimits(silent_s=4.0))
    try:
        list(reader.read(SPEECH, digest="first"))
        assert reader._child is not None
        assert reader._child.pid is not None
        os.kill(reader._child.pid, signal.SIGSTOP)
        with pytest.raises(FileRefused, match=r"asr\.file_too_costly"):
            list(reader.read(SPEECH, digest="second"))
    finally:
        reader.close()


def test_a_file_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"asr\.file_too_long"):
        listen(SPEECH, ListeningOptions(max_s=5.0))
