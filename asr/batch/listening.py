"""Finds the speech of one file: a path becomes utterances, one after the other, and what the file is.

In: an opened sound file and how to listen to it.
Out: closed `Utterance`s of all legs as their speech ends; at last the `FileFacts`.
Not known here: processes, models of speech to text, where the file came from.
"""

from collections.abc import Callable, Generator, Iterator
from itertools import chain

import numpy as np

from asr.batch.types import FileFacts, ListeningOptions
from asr.decode import Encoding, FrameDecoder
from asr.leg import Heard, Leg, listen_together
from asr.sound_file import Block, FileRefused, Likeness, SoundFile
from asr.types import AudioFrame, Party, Utterance
from asr.vad import SpeechDetector


def utterances_of(
    file: SoundFile,
    options: ListeningOptions,
    detector: SpeechDetector,
    *,
    call_id: str,
    on_read: Callable[[float], None] = lambda _: None,
) -> Generator[Utterance, None, FileFacts]:
    """Yield the utterances; the facts are the generator's value. `on_read` is told the seconds read so far.

    Raises `FileRefused`.
    """
    if file.said_s > options.max_s * 1.5:  # a little more may be a guess of the container
        raise FileRefused("asr.file_too_long")
    blocks = file.blocks()
    beginning, is_alike = _beginning(file, blocks, options)
    is_mixed = file.channels == 1 or options.channels == "mono" or (options.channels == "auto" and is_alike)
    parties = (Party.MIXED,) if is_mixed else _parties(options.left)
    legs = {
        party: Leg(call_id=call_id, party=party, detector=detector.new_leg(), options=options.segmenter)
        for party in parties
    }
    given = 0
    for frames in _together(chain(beginning, blocks), file, parties, options, call_id=call_id):
        heard = [Heard(leg=leg, frames=frames[party]) for party, leg in legs.items()]
        for utterance in chain.from_iterable(listen_together(heard)):
            if utterance.is_closed:
                given += 1
                yield utterance
        on_read(file.seconds)
    for leg in legs.values():
        for utterance in leg.finish():
            given += 1
            yield utterance
    return FileFacts(
        seconds=file.seconds,
        parties=parties,
        source_channels=file.source_channels,
        is_alike=is_alike,
        is_truncated=file.is_truncated,
        utterances=given,
    )


def _parties(left: Party) -> tuple[Party, ...]:
    return (left, Party.OPERATOR if left is Party.CITIZEN else Party.CITIZEN)


def _beginning(
    file: SoundFile, blocks: Iterator[Block], options: ListeningOptions
) -> tuple[list[Block], bool]:
    """Take some sound, and say whether two channels carry the same: a silent one tells nothing."""
    if file.channels == 1 or options.channels != "auto":
        return [], False
    taken: list[Block] = []
    likeness = Likeness()
    for block in blocks:
        taken.append(block)
        likeness.add(block)
        if file.seconds >= options.look_s and not likeness.is_silent:
            break
        if file.seconds >= 4 * options.look_s:
            break
    return taken, not likeness.is_silent and likeness.is_alike


def _together(
    blocks: Iterator[Block],
    file: SoundFile,
    parties: tuple[Party, ...],
    options: ListeningOptions,
    *,
    call_id: str,
) -> Iterator[dict[Party, list[AudioFrame]]]:
    """Frames of all legs at 16 kHz, as much of each as is searched at once."""
    decoder = FrameDecoder(
        call_id=call_id, encoding=Encoding.PCM_S16LE, sample_rate_hz=file.rate_hz, parties=parties
    )
    waiting: dict[Party, list[AudioFrame]] = {party: [] for party in parties}
    until_s = options.block_s
    for block in blocks:
        if file.seconds > options.max_s:
            raise FileRefused("asr.file_too_long")
        for frame in decoder.decode(_laid(block, len(parties)).astype("<i2", copy=False).tobytes()):
            waiting[frame.party].append(frame)
        if decoder.received_s >= until_s:
            yield waiting
            waiting = {party: [] for party in parties}
            until_s = decoder.received_s + options.block_s
    for frame in decoder.flush():
        waiting[frame.party].append(frame)
    yield waiting


def _laid(block: Block, channels: int) -> Block:
    """Lay two channels together where one is wanted."""
    if block.shape[1] == channels:
        return block
    mixed: Block = np.round(block.mean(axis=1)).astype(np.int16).reshape(-1, 1)
    return mixed
