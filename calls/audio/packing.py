"""Puts the sound of a call that is over from its spool into a box, and lets the spool go.

In: a call's spool. Out: a box in its place, which has been read again and compared.
Not known here: which calls are over, when there is time for it.

Whatever happens on the way, the spool is there until the box is: the box is written under another name,
handed to the disk, read from its beginning to its end, and only then given its name. Where a box stands
beside a spool, that was not taken away any more: the two are compared again.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from calls.audio.box import Box, BoxWriter
from calls.audio.codecs import Packer, Pcm, shape_for
from calls.audio.keys import Keys
from calls.audio.sound import Recordings, box_path, of_box, of_spool
from calls.audio.types import AudioDamaged, Codec, Form
from calls.spool import spool_path
from calls.types import AudioFormat, StorageFailed

_COPIED_S = 5.0
_LOUDNESS_LEAST = 100.0
"""Of what is softer than this, of 32,768, a codec for the ear may leave out what it likes."""
_LOUDNESS_OFF = 0.5
"""How far, as a share, a lossy recording's loudness may be off over ten seconds."""


def pack(recordings: Recordings, call_id: str, audio_format: AudioFormat, form: Form) -> int:
    """Pack one call; returns how many bytes the disk has gained by it.

    Raises `AudioDamaged` where what was written cannot be read again as it was, `StorageFailed`; the spool is
    then as it was.
    """
    spool, boxed = spool_path(recordings.folder, call_id), box_path(recordings.folder, call_id)
    part = boxed.with_suffix(".part")
    before = spool.stat().st_size
    try:
        if not boxed.exists():
            try:
                _write(spool, part, audio_format, form, recordings.keys)
                _compare(spool, part, audio_format, recordings.keys)
            except AudioDamaged:
                if form is not Form.OPUS:
                    raise
                # Noise, tones and the like: not what a codec for speech is made for.
                _write(spool, part, audio_format, Form.LOSSLESS, recordings.keys)
                _compare(spool, part, audio_format, recordings.keys)
            part.replace(boxed)
            _hand_over(recordings.folder)
        else:
            _compare(spool, boxed, audio_format, recordings.keys)
    except AudioDamaged:
        boxed.unlink(missing_ok=True)  # the spool is the one to believe
        raise
    except OSError as error:
        raise StorageFailed(f"录音无法压缩保存（{error.strerror}）。") from error
    finally:
        part.unlink(missing_ok=True)
    try:
        spool.unlink()
    except FileNotFoundError:  # somebody deleted the call meanwhile, and may have passed by the box
        boxed.unlink(missing_ok=True)
        raise
    _hand_over(recordings.folder)
    return before - boxed.stat().st_size


def _write(spool: Path, part: Path, audio_format: AudioFormat, form: Form, keys: Keys) -> None:
    packer = Packer(shape=shape_for(form, audio_format))
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        writer = BoxWriter(file, packer.shape, keys)
        frames = 0
        for data in _pieces_of(spool, audio_format):
            frames += len(data) // audio_format.frame_bytes
            for packet in packer.put(data):
                writer.put(packet)
        for packet in packer.end():
            writer.put(packet)
        writer.close(frames=frames)


def _pieces_of(spool: Path, audio_format: AudioFormat) -> Iterator[bytes]:
    with spool.open("rb") as file:
        while data := file.read(audio_format.n_bytes(_COPIED_S)):
            yield data[
                : len(data) - len(data) % audio_format.frame_bytes
            ]  # a crash may have torn the last one


def _compare(spool: Path, boxed: Path, audio_format: AudioFormat, keys: Keys) -> None:
    """Raises `AudioDamaged` where the box does not sound like the spool."""
    box = Box(boxed.open("rb"), keys)
    is_lossy = box.shape.codec is Codec.OPUS
    box.close()
    with of_spool(spool, audio_format) as came, of_box(boxed.open("rb"), keys) as kept:
        if kept.frames != came.frames or kept.channels != came.channels:
            raise AudioDamaged
        pairs = zip(came.pieces(0, came.frames), kept.pieces(0, kept.frames), strict=True)
        for one, other in pairs:
            if one.shape != other.shape or not (
                _sounds_alike(one, other) if is_lossy else (one == other).all()
            ):
                raise AudioDamaged


def _sounds_alike(one: Pcm, other: Pcm) -> bool:
    before, after = (np.sqrt(np.mean(pcm.astype(np.float64) ** 2, axis=0)) for pcm in (one, other))
    is_loud = before > _LOUDNESS_LEAST
    return bool((np.abs(after - before)[is_loud] <= _LOUDNESS_OFF * before[is_loud]).all())


def _hand_over(folder: Path) -> None:
    """Names of files are on the disk when their folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
