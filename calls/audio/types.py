"""What a kept recording is: its form, how it stands on the disk, and what can go wrong with it.

In: the errors of calls. Out: `Form`, `Shape`, `AudioError`.
Not known here: codecs, ciphers, files.
"""

from dataclasses import dataclass
from enum import StrEnum

from calls.types import AudioFormat, CallError


class Form(StrEnum):
    """How the sound of an ended call is kept."""

    RAW = "raw"
    """As it came."""
    LOSSLESS = "lossless"
    """Bit for bit: FLAC for linear samples, XZ for the codes of G.711, which FLAC hardly makes smaller."""
    OPUS = "opus"
    """A fifth of it, for the ear: what was heard cannot be heard again by a model quite the same way."""


class Codec(StrEnum):
    """What the packets of a kept recording are."""

    RAW = "raw"
    XZ = "xz"
    FLAC = "flac"
    OPUS = "opus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the packets of a recording are to be read."""

    codec: Codec
    audio_format: AudioFormat
    rate_hz: int
    """In which places of packets are counted."""
    setup: bytes = b""
    """What a decoder has to know beforehand."""
    lead: int = 0
    """Samples at the beginning that are no sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """Compressed samples of all channels."""

    data: bytes
    samples: int


class AudioError(CallError):
    """What can go wrong with a kept recording.

    AudioError
    ├── KeyMissing    it is sealed, and nobody has the key
    ├── AudioAway     it lies in the object store, which does not answer
    └── AudioDamaged  it is not what was written
    """

    code = "audio.error"


class KeyMissing(AudioError):
    """The key by which the recording was sealed is not there."""

    code = "audio.key_missing"

    def __init__(self, key_id: str):
        super().__init__(f"录音已加密，服务器上没有编号为 {key_id} 的密钥，请管理员放回密钥后再听。")
        self.key_id = key_id


class AudioAway(AudioError):
    """The recording lies in the object store, which does not answer; it is there all the same."""

    code = "audio.away"
    recoverable = True

    def __init__(self) -> None:
        super().__init__("录音存放在对象存储里，暂时连不上，请稍后再试。")


class AudioDamaged(AudioError):
    """The file was changed, cut off, or sealed by another key of the same name."""

    code = "audio.damaged"

    def __init__(self, message: str = "录音文件已损坏，或密钥与加密时的不一致，无法播放。"):
        super().__init__(message)
