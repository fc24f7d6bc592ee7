"""How long recordings may be, and which may be the same: a look at a few bytes of each, not their sound.

In: paths. Out: seconds, right for WAV and a guess by size for the rest; a word that alike files share.
Not known here: what is done with either. A wrong guess costs balance, never a result.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from asr.batch.cluster.types import Task
from asr.batch.sources import Named

_AT_ONCE = 16  # waiting for shared storage is most of it
_MIDDLE_BYTES = 4096
_USUAL_BYTES_PER_S = {
    ".mp3": 8_000, ".m4a": 8_000, ".aac": 8_000, ".wma": 8_000, ".mka": 8_000, ".flac": 12_000,
    ".ogg": 6_000, ".oga": 6_000, ".opus": 4_000, ".spx": 2_500, ".amr": 1_500, ".awb": 2_500,
    ".gsm": 1_650, ".3gp": 2_000, ".mp4": 60_000, ".m4v": 60_000, ".mov": 60_000, ".mkv": 60_000,
    ".webm": 60_000, ".avi": 60_000, ".ts": 60_000,
}  # fmt: skip
_TELEPHONE_BYTES_PER_S = 16_000.0  # two legs of G.711, or one of 16-bit PCM, at 8 kHz


def look_at(files: Iterable[Named]) -> Iterator[Task]:
    """Make a task of each; one that cannot be read gets no length, and whoever has to open it will say so."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(_look, files)


def likely_seconds(ending: str, size: int, head: bytes) -> float:
    """Guess by the first bytes of a file, or by what files that end so mostly need for a second."""
    rate = _wav_bytes_per_s(head) or _USUAL_BYTES_PER_S.get(ending.lower(), _TELEPHONE_BYTES_PER_S)
    return size / rate


def _look(one: Named) -> Task:
    try:
        with one.path.open("rb") as file:
            head = file.read(64)
            size = file.seek(0, 2)
            file.seek(size // 2)
            middle = file.read(_MIDDLE_BYTES)
    except OSError:
        return Task(path=one.path.absolute(), name=one.name, likely_s=0.0)
    digest = hashlib.sha256(head + middle).hexdigest()[:16]
    return Task(
        path=one.path.absolute(),
        name=one.name,
        likely_s=likely_seconds(one.path.suffix, size, head),
        likeness=f"{size} {digest}",
    )


def _wav_bytes_per_s(head: bytes) -> float:
    """Of a WAV file whose format comes first, as nearly all are written."""
    if len(head) < 32 or head[:4] not in (b"RIFF", b"RF64") or head[8:16] != b"WAVEfmt ":
        return 0.0
    (rate,) = struct.unpack_from("<I", head, 28)
    return float(rate)
