"""Sound as packets and back: FLAC and Opus by FFmpeg, XZ for the codes of G.711.

In: samples of a call as they came, in order; packets. Out: packets; 16-bit linear samples by channels.
Not known here: files, seals, which packets somebody wants to hear.
"""

import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from asr.decode import linear_pcm
from calls.audio.types import AudioDamaged, Codec, Form, Packet, Shape
from calls.types import AudioFormat

Pcm = NDArray[np.int16]
"""Samples by channels."""

OPUS_RATE_HZ = 48_000
"""At which Opus always counts."""
PRE_ROLL = OPUS_RATE_HZ // 10
"""Samples that an Opus decoder needs before it is right where it begins in the middle (RFC 7845, 4.6)."""
_OPUS_TAKES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
_OPUS_BITS_PER_LEG = 24_000
_LAYOUTS = {1: "mono", 2: "stereo"}
_XZ = [{"id": lzma.FILTER_LZMA2, "preset": 6}]


def shape_for(form: Form, audio_format: AudioFormat) -> Shape:
    """How sound of that format is kept in that form; as it came, where no codec takes it."""
    is_linear = audio_format.encoding == "pcm_s16le"
    codec, rate_hz = Codec.RAW, audio_format.sample_rate_hz
    if form is Form.LOSSLESS:
        codec = Codec.FLAC if is_linear else Codec.XZ
    elif form is Form.OPUS:
        codec, rate_hz = Codec.OPUS, OPUS_RATE_HZ
    if codec in (Codec.FLAC, Codec.OPUS) and len(audio_format.channels) not in _LAYOUTS:
        codec, rate_hz = Codec.RAW, audio_format.sample_rate_hz
    return Shape(codec=codec, audio_format=audio_format, rate_hz=rate_hz)


@dataclass(slots=True, kw_only=True)
class Packer:
    """Makes packets of the sound that is put in. Ask for `shape` after the last one."""

    shape: Shape
    _encoder: Any = field(init=False, default=None)
    _put: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if self.shape.codec in (Codec.FLAC, Codec.OPUS):
            self._encoder = _encoder_of(self.shape)
            # Known once the encoder is open.
            self.shape = Shape(
                codec=self.shape.codec,
                audio_format=self.shape.audio_format,
                rate_hz=self.shape.rate_hz,
                setup=bytes(self._encoder.extradata or b""),
                lead=_lead_of(self._encoder) if self.shape.codec is Codec.OPUS else 0,
            )

    def put(self, data: bytes) -> Iterator[Packet]:
        """Whole sample frames as they came."""
        audio_format = self.shape.audio_format
        if self._encoder is None:
            samples = len(data) // audio_format.frame_bytes
            yield Packet(data=_packed(data, self.shape), samples=samples)
            return
        pcm = linear_samples(audio_format, data)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(pcm.reshape(1, -1)), format="s16", layout=_LAYOUTS[pcm.shape[1]]
        )
        frame.sample_rate, frame.pts = audio_format.sample_rate_hz, self._put
        self._put += len(pcm)
        yield from self._packets(frame)

    def end(self) -> Iterator[Packet]:
        """What the encoder still holds."""
        if self._encoder is not None:
            yield from self._packets(None)

    def _packets(self, frame: Any) -> Iterator[Packet]:
        for packet in self._encoder.encode(frame):
            scale = self.shape.rate_hz * packet.time_base
            if packet.size:  # FLAC ends with an empty one
                yield Packet(data=bytes(packet), samples=round(packet.duration * scale))


def samples_of(shape: Shape, packets: Iterable[bytes]) -> Pcm:
    """The samples of packets that follow one another, at the shape's rate. Raises `AudioDamaged`."""
    n_channels = len(shape.audio_format.channels)
    try:
        if shape.codec in (Codec.RAW, Codec.XZ):
            unpacked = [linear_samples(shape.audio_format, _unpacked(data, shape)) for data in packets]
        else:
            decoder = _decoder_of(shape)
            frames = [frame for data in packets for frame in decoder.decode(av.Packet(data))]
            frames += decoder.decode(None)
            # A decoder of Opus leaves out the lead by itself, wherever it begins.
            unpacked = [np.zeros((shape.lead, n_channels), np.int16)]
            unpacked += [_interleaved(frame, n_channels) for frame in frames]
    except (av.FFmpegError, lzma.LZMAError, ValueError) as error:
        raise AudioDamaged from error
    return np.concatenate(unpacked) if unpacked else np.zeros((0, n_channels), np.int16)


def at_rate(pcm: Pcm, from_hz: int, to_hz: int) -> Pcm:
    """The same sound at another rate."""
    return pcm if from_hz == to_hz else soxr.resample(pcm, from_hz, to_hz).astype(np.int16)


def linear_samples(audio_format: AudioFormat, data: bytes) -> Pcm:
    """Sample frames as they came, as 16-bit linear samples by channels."""
    linear = np.frombuffer(linear_pcm(audio_format.encoding, data), dtype="<i2")
    return linear.astype(np.int16).reshape(-1, len(audio_format.channels))


def _encoder_of(shape: Shape) -> Any:
    n_channels, rate_hz = len(shape.audio_format.channels), shape.audio_format.sample_rate_hz
    options: dict[str, str] = {}
    if shape.codec is Codec.OPUS:
        # Each leg by itself: coded as stereo, what one says would be heard softly on the other.
        options = {"application": "voip", "mapping_family": "255"}
        rate_hz = rate_hz if rate_hz in _OPUS_TAKES_HZ else OPUS_RATE_HZ
    encoder: Any = av.CodecContext.create("flac" if shape.codec is Codec.FLAC else "libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate_hz, _LAYOUTS[n_channels], "s16"
    encoder.options = options
    if shape.codec is Codec.OPUS:
        encoder.bit_rate = _OPUS_BITS_PER_LEG * n_channels
    encoder.open()
    return encoder


def _decoder_of(shape: Shape) -> Any:
    decoder: Any = av.CodecContext.create("flac" if shape.codec is Codec.FLAC else "libopus", "r")
    decoder.extradata = shape.setup
    decoder.sample_rate, decoder.layout = shape.rate_hz, _LAYOUTS[len(shape.audio_format.channels)]
    return decoder


def _lead_of(encoder: Any) -> int:
    """Pre-skip, as the header of Opus says it (RFC 7845, 5.1)."""
    return int.from_bytes(bytes(encoder.extradata)[10:12], "little")


def _interleaved(frame: Any, n_channels: int) -> Pcm:
    samples = frame.to_ndarray()
    if samples.dtype != np.int16:
        samples = np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)
    pcm: Pcm = samples.T if frame.format.is_planar else samples.reshape(-1, n_channels)
    return pcm


def _packed(data: bytes, shape: Shape) -> bytes:
    if shape.codec is Codec.RAW:
        return data
    by_channel = np.frombuffer(data, np.uint8).reshape(-1, len(shape.audio_format.channels)).T
    return lzma.compress(by_channel.tobytes(), lzma.FORMAT_RAW, filters=_XZ)


def _unpacked(data: bytes, shape: Shape) -> bytes:
    if shape.codec is Codec.RAW:
        return data
    codes = np.frombuffer(lzma.decompress(data, lzma.FORMAT_RAW, filters=_XZ), np.uint8)
    return codes.reshape(len(shape.audio_format.channels), -1).T.tobytes()
