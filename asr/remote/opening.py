"""Opens recognition on other machines: at a server, and at an ear.

In: a folder of weights, how a model is run, where Ray is. Out: `RemoteEars`; what an ear opens.
Not known here: settings, where the weights come from.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import asr
from asr.batch.fingerprint import fingerprint
from asr.batch.types import ListeningOptions
from asr.decoder import Decoder, ThreadDecoder
from asr.engines import open_engine
from asr.remote.decoder import RemoteDecoder
from asr.remote.link import ProcessLink
from asr.remote.types import Opened, RemoteOptions
from asr.transcriber import WhisperOptions

_WIRE = ("decoder.py", "sherpa.py", "types.py", "remote/ear.py", "remote/types.py")
_RECORDED_AT_ONCE = 8


class RemoteEars:
    """What a server has in place of an engine. Implements `asr.engines.Described`."""

    name = "Ray"
    device = "remote"
    compute_type: str | None = None
    workers = _RECORDED_AT_ONCE
    """Batches of one recording that may be under way together."""

    def __init__(self, decoder: RemoteDecoder) -> None:
        self.decoder = decoder


def open_remote(
    folder: Path,
    whisper: WhisperOptions,
    *,
    address: str,
    calls_here: int | None = None,
    prepare: Callable[[], None] | None = None,
) -> RemoteEars:
    """Get ready; the pool begins. Reads the weights once.

    With `calls_here` the model is loaded here, too, and carries so many calls while no ear is there; this
    raises what `open_engine` raises. `prepare` is called in the process that holds Ray.
    """
    options = RemoteOptions(address=address, fingerprint=fingerprint_of(folder, whisper))
    home: Decoder | None = None
    if calls_here is not None:
        engine = open_engine(folder, whisper)
        home = ThreadDecoder(engine, engine.workers, calls=calls_here)
    link = ProcessLink(address, silent_s=options.silent_s, prepare=prepare)
    return RemoteEars(RemoteDecoder(link, options, home=home))


def open_here(folder: Path, whisper: WhisperOptions) -> Opened:
    """Load the model of an ear, on its machine."""
    engine = open_engine(folder, whisper)
    return Opened(
        transcriber=engine,
        fingerprint=fingerprint_of(folder, whisper),
        engine=engine.name,
        device=engine.device,
        workers=engine.workers,
    )


def fingerprint_of(folder: Path, whisper: WhisperOptions) -> str:
    """Name what must be the same at a server and its ears; each machine may compute in its own way."""
    anywhere = replace(whisper, device="auto", compute_type="auto")
    heard = fingerprint(folder, whisper=anywhere, listening=ListeningOptions(), beam_size=1, word_times=False)
    digest = hashlib.sha256(heard.encode())
    for name in _WIRE:
        digest.update((Path(asr.__file__).parent / name).read_bytes())
    return digest.hexdigest()[:32]
