"""Sound files for the tests of batch transcription: good ones in many containers, and ten that are broken.

In: a folder. Out: files. The speech is the 12.4 s of `SPEECH`, whole or a slice.
"""

import io
import wave
import zipfile
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from asr.recordings import file_to_pcm
from tests.asr_parts import SPEECH

CONTAINERS: dict[str, tuple[str, int]] = {
    "wav": ("pcm_s16le", 16_000),
    "mp3": ("mp3", 16_000),
    "m4a": ("aac", 16_000),
    "flac": ("flac", 8_000),
    "ogg": ("libopus", 16_000),
    "mka": ("pcm_mulaw", 8_000),
}


def speech(start_s: float = 0.0, end_s: float = 12.4) -> NDArray[np.int16]:
    """A slice of the recording, shape (n, 2), 8 kHz."""
    pcm = file_to_pcm(SPEECH)
    return pcm.samples[round(start_s * 8000) : round(end_s * 8000)]


def wav(samples: NDArray[np.int16], rate_hz: int = 8000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((samples.shape[1], 2, rate_hz, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


def encode(path: Path, samples: NDArray[np.int16], codec: str, rate_hz: int) -> None:
    """Write samples of 8 kHz in the container that the path's ending names."""
    layout = "stereo" if samples.shape[1] == 2 else "mono"
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.rate = 8000
        for shaped in av.AudioResampler(format=stream.format, layout=layout, rate=rate_hz).resample(frame):
            for packet in stream.encode(shaped):
                file.mux(packet)
        for packet in stream.encode(None):
            file.mux(packet)


def silent_video(path: Path) -> None:
    """A second of pictures without sound."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                file.mux(packet)
        for packet in stream.encode(None):
            file.mux(packet)


def break_files(folder: Path, *, long_s: float = 6 * 3600.0) -> dict[str, str]:
    """Ten files that are not as they should be; gives for each name the code of what is said of it."""
    good = wav(speech())
    silence = np.zeros((8000 * 5, 2), np.int16)
    six = np.repeat(np.repeat(speech(0, 4), 12, axis=0), 3, axis=1)  # 96 kHz, 6 channels
    protected = io.BytesIO()
    with zipfile.ZipFile(protected, "w") as archive:
        archive.writestr("call.wav", good)
    locked = bytearray(protected.getvalue())
    locked[6] |= 1  # the flag of encryption
    contents = {
        "truncated.wav": good[: len(good) // 2],
        "zero.wav": b"",
        "zeros.wav": bytes(100_000),
        "picture.wav": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50,
        "text.mp3": "这不是录音。".encode() * 500,
        "encrypted.m4a": bytes(locked),
        "silence.wav": wav(silence),
        "six.wav": wav(six, 96_000),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    silent_video(folder / "video.mp4")
    _write_long(folder / "long.wav", long_s)
    return {
        "truncated.wav": "asr.file_truncated",
        "zero.wav": "asr.file_empty",
        "zeros.wav": "asr.file_unreadable",
        "picture.wav": "asr.file_no_sound",
        "text.mp3": "asr.file_unreadable",
        "encrypted.m4a": "asr.file_unreadable",
        "silence.wav": "asr.no_speech",
        "six.wav": "asr.file_mixed_down",
        "video.mp4": "asr.file_no_sound",
        "long.wav": "asr.no_speech",
    }


def _write_long(path: Path, seconds: float) -> None:
    """Hours of nothing, at 8 kHz; the file has holes and takes no room."""
    length = round(seconds * 8000) * 2
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.setnframes(length // 2)
        file.writeframes(b"\0\0")
    with path.open("r+b") as raw:
        raw.seek(4)
        raw.write((36 + length).to_bytes(4, "little"))
        raw.seek(40)
        raw.write(length.to_bytes(4, "little"))
        raw.truncate(44 + length)
