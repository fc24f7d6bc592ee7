"""How much smaller the sound of calls is kept, in each form, and how long that takes.

In: a folder of recordings. Out: a table on standard output, one row for each form.
Not known here: how sound is packed.

    python -m scripts.measure_audio_keeping ../shared/data/calls
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import av
import numpy as np
import typer

from calls.audio.keys import keys_of, new_key_line
from calls.audio.packing import pack
from calls.audio.sound import Recordings
from calls.audio.types import Form
from calls.spool import spool_path
from calls.types import AudioFormat

_AS = ("as it is", "linear")


def main(folder: Annotated[Path, typer.Argument(help="Recordings, in any common format.")]) -> None:
    """Pack every recording in each form, sealed, and add up."""
    found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in (".wav", ".mp3", ".flac")]
    print("samples  | form     | sound s | came MB | kept MB | share | packing s")
    for way in _AS:
        for form in Form:
            came, kept, sound_s, took_s = 0, 0, 0.0, 0.0
            for path in found:
                audio_format, data = _read(path, is_linear=way == "linear")
                with TemporaryDirectory() as place:
                    recordings = Recordings(folder=Path(place), keys=keys_of(new_key_line("k")))
                    spool_path(recordings.folder, "c").write_bytes(data)
                    began = time.perf_counter()
                    pack(recordings, "c", audio_format, form)
                    took_s += time.perf_counter() - began
                    kept += recordings.n_bytes("c")
                came += len(data)
                sound_s += audio_format.seconds(len(data))
            print(
                f"{way:8} | {form:8} | {sound_s:7.0f} | {came / 1e6:7.2f} | {kept / 1e6:7.2f} "
                f"| {kept / came:5.1%} | {took_s:6.2f}"
            )


def _read(path: Path, *, is_linear: bool) -> tuple[AudioFormat, bytes]:
    """A recording as a telephone line would bring it: codes of G.711 as such, or as linear samples."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        legs = ("citizen", "operator")[: stream.channels] if stream.channels > 1 else ("mixed",)
        is_coded = stream.codec_context.name in ("pcm_mulaw", "pcm_alaw") and not is_linear
        encoding = stream.codec_context.name.removeprefix("pcm_") if is_coded else "pcm_s16le"
        audio_format = AudioFormat(encoding=encoding, sample_rate_hz=stream.rate, channels=legs)
        if is_coded:
            return audio_format, b"".join(bytes(packet) for packet in file.demux(stream))
        frames = []
        resampler = av.AudioResampler(format="s16", layout=stream.layout.name, rate=stream.rate)
        for frame in file.decode(stream):
            frames += [one.to_ndarray() for one in resampler.resample(frame)]
    return audio_format, np.concatenate(frames, axis=1).astype("<i2").tobytes()


if __name__ == "__main__":
    typer.run(main)
