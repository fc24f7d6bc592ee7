"""Names everything that decides what is recognised in a file, so that another setting is another result.

In: weights, settings, libraries, our own code that decides it. Out: a short name.
Not known here: files of sound; what is done to the text afterwards (script, numbers, words put right), which
is done anew each time.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

import asr
from asr.batch.types import ListeningOptions
from asr.transcriber import WhisperOptions

_LIBRARIES = ("av", "ctranslate2", "faster-whisper", "numpy", "onnxruntime", "soxr")
_DECIDING = (
    "crosstalk.py",
    "decode.py",
    "guard.py",
    "leg.py",
    "segmenter.py",
    "sound_file.py",
    "transcriber.py",
    "trimming.py",
    "vad.py",
    "batch/basket.py",
    "batch/listening.py",
)
_TELLING_APART = ("batch/dividing.py", "batch/speakers.py", "batch/turns.py", "batch/voices.py")
_JSON = TypeAdapter(dict[str, Any])


def fingerprint(
    folder: Path,
    *,
    whisper: WhisperOptions,
    listening: ListeningOptions,
    beam_size: int,
    word_times: bool,
) -> str:
    """Hash it; reads the weights once."""
    deciding, folders, libraries = [*_DECIDING], [folder], [*_LIBRARIES]
    heard = {name: value for name, value in asdict(listening).items() if name != "voices"}  # not their place
    if listening.voices is not None:
        deciding += _TELLING_APART
        libraries.append("torch")
        folders.append(listening.voices)
    # how the work is shared out decides nothing
    engine = {name: value for name, value in asdict(whisper).items() if name not in ("workers", "threads")}
    settings: Mapping[str, Any] = {
        "whisper": engine,
        "listening": heard,
        "beam_size": beam_size,
        "word_times": word_times,
    }
    digest = hashlib.sha256(_JSON.dump_json(dict(settings)))
    sources = Path(asr.__file__).parent
    weights = (file for each in folders for file in sorted(each.rglob("*")))
    for file in [*(sources / name for name in deciding), *weights]:
        if file.is_file():
            with file.open("rb") as content:
                digest.update(file.name.encode() + hashlib.file_digest(content, "sha256").digest())
    for library in libraries:
        digest.update(f"{library}=={version(library)}".encode())
    return digest.hexdigest()[:32]


def wording_mark(*sources: str) -> str:
    """Name what decides how recognised text is written: our code and its data, and `sources` of words."""
    digest = hashlib.sha256("\0".join(sources).encode())
    folder = Path(asr.__file__).parent
    for file in [*sorted(folder.glob("*.py")), *sorted((folder / "data").glob("*")), *_papers(folder)]:
        with file.open("rb") as content:
            digest.update(file.name.encode() + hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:32]


def _papers(folder: Path) -> list[Path]:
    return sorted((folder / "batch" / "papers").glob("*.py"))
