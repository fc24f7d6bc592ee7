"""RTP that FFmpeg sends: what is kept is what FFmpeg was given, to within a step of the codec."""

import asyncio
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from asr.decode import linear_pcm
from tests.line_parts import spooled, until_ended, until_received
from tests.test_ari import ask, end, rtp_house

SAMPLES = np.random.default_rng(9).integers(-20_000, 20_000, 9_600).astype(np.int16)
"""1.2 s."""


def send_by_ffmpeg(url: str, codec: str, options: dict[str, str] | None = None) -> None:
    """Send the samples, 20 ms in a packet."""
    packet = 12 + 160 * (2 if "s16" in codec else 1)
    with av.open(f"{url}?pkt_size={packet}", "w", format="rtp", options=options or {}) as out:
        stream = out.add_stream(codec, rate=8_000)
        stream.layout = "mono"
        for at in range(0, len(SAMPLES), 160):
            frame = av.AudioFrame.from_ndarray(SAMPLES[None, at : at + 160], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8_000, at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def steps_apart(encoding: str, kept: bytes, sent: NDArray[np.int16]) -> int:
    """By how many steps of the codec the kept samples are away from those that were sent, at most."""
    levels = np.unique(np.frombuffer(linear_pcm(encoding, bytes(range(256))), "<i2").astype(np.int32))
    samples = np.frombuffer(linear_pcm(encoding, kept), "<i2")
    above = np.searchsorted(levels, sent)  # the level next above a sample, or its own
    return int(np.abs(np.searchsorted(levels, samples) - above).max())


@pytest.mark.parametrize(
    ("codec", "wish"),
    [
        ("pcm_alaw", {"format": "alaw"}),
        ("pcm_mulaw", {"format": "ulaw"}),
        ("pcm_s16be", {"format": "slin"}),
        ("pcm_s16le", {"format": "slin", "byte_order": "little"}),
    ],
)
async def test_what_ffmpeg_sends_is_kept(tmp_path: Path, codec: str, wish: dict[str, Any]) -> None:
    async with rtp_house(tmp_path) as house:
        answer = await ask(house, parties=["citizen"], **wish)
        await asyncio.to_thread(send_by_ffmpeg, f"rtp://{answer['legs'][0]['external_host']}", codec)
        await until_received(house, "c-1")
        assert await end(house) == 204
        await until_ended(house, "c-1")
    kept = spooled(tmp_path, "c-1")
    if wish["format"] == "slin":
        assert kept == SAMPLES.astype("<i2").tobytes()
    else:
        assert len(kept) == len(SAMPLES)
        assert steps_apart({"alaw": "alaw", "ulaw": "mulaw"}[wish["format"]], kept, SAMPLES) <= 1
