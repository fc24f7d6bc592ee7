"""Ears on other machines that write down which sound they heard, and web processes that have such ears.

In: settings; clips. Out: `Engines` without weights; a mark for each clip, made of its sound alone.
Not known here: which machine this is, who kills whom.

A line is a second of a leg. Its mark was made by an ear, out of the samples that came to it over the network;
where in the call it stands was added by the web process.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from agent_ui.engines import Engines
from agent_ui.figures import EarFigures
from agent_ui.settings import Settings
from agent_ui.tuning import Tuning
from asr.pool_options import PoolOptions
from asr.remote.decoder import RemoteDecoder
from asr.remote.link import ProcessLink
from asr.remote.types import Opened, RemoteOptions
from asr.types import SAMPLE_RATE_HZ, AudioFrame, Hypothesis, Party, Samples, Segment, Utterance
from asr.worker import RecognitionPool
from scripts.kills.ears import mark_of, recognise_by
from scripts.silent_engines import NAME, open_silent_engines

FINGERPRINT = "marking"
_WORKS_S = 0.02
"""What an ear takes for a clip."""


class MarkingTranscriber:
    """What an ear of the trial holds in place of a model."""

    def transcribe(
        self,
        clips: Sequence[Samples],
        *,
        beam_size: int = 1,
        retry: bool = True,
        word_times: bool = False,
    ) -> list[Hypothesis]:
        """A mark for each."""
        time.sleep(_WORKS_S * len(clips))
        return [Hypothesis(text=mark_of(linear(clip)), avg_logprob=0.0, no_speech_prob=0.0) for clip in clips]


def open_marking() -> Opened:
    """What an ear begins with."""
    return Opened(
        transcriber=MarkingTranscriber(), fingerprint=FINGERPRINT, engine="marking", device="cpu", workers=1
    )


def linear(clip: Samples) -> NDArray[np.int16]:
    """The samples as they came over the line."""
    return np.round(clip * 32768.0).astype(np.int16)


def line_of(mark: str, start: int, end: int) -> str:
    """The text of a line between two samples of the call."""
    return f"第{start / SAMPLE_RATE_HZ:.2f}到{end / SAMPLE_RATE_HZ:.2f}秒，记号{mark}"


@asynccontextmanager
async def open_marking_by_ray(settings: Settings, tuning: Callable[[], Tuning]) -> AsyncIterator[Engines]:
    """What a web process of the trial has in place of a speech model: those ears, over Ray."""
    options = RemoteOptions(address=settings.ray_address, fingerprint=FINGERPRINT)
    decoder = RemoteDecoder(ProcessLink(settings.ray_address, silent_s=options.silent_s), options)
    async with (
        open_silent_engines(settings, tuning) as engines,
        RecognitionPool(decoder, PoolOptions(max_calls=settings.calls_at_once)) as pool,
    ):

        def figures() -> EarFigures:
            return EarFigures(
                engine="Ray",
                model=NAME,
                device="remote",
                compute_type=None,
                workers=pool.places,
                refuse_lag_s=5.0,
                stats=pool.stats(),
                remote=decoder.figures(),
            )

        calls = replace(
            engines.calls,
            recognise=partial(recognise_with, pool),
            admit=pool.admit,
            release=pool.release,
            lag_s=pool.lag_s,
            has_ears=lambda: pool.places > 0,
            has_room=lambda: pool.has_room,
        )
        yield replace(
            engines,
            calls=calls,
            insight=replace(engines.insight, ears=figures),
            deaf_s=lambda: decoder.deaf_s,
        )


def recognise_with(
    pool: RecognitionPool, call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
) -> AsyncIterator[Segment]:
    """A line for each second of a leg, heard by the pool."""

    async def hear(call_id: str, party: Party, number: int, samples: NDArray[np.int16], start: int) -> str:
        end = start + len(samples)
        said = Utterance(
            call_id=call_id,
            party=party,
            number=number,
            start_s=start / SAMPLE_RATE_HZ,
            end_s=end / SAMPLE_RATE_HZ,
            samples=(samples / 32768.0).astype(np.float32),
            is_closed=True,
            speech_end_s=end / SAMPLE_RATE_HZ,
            voiced_s=max(1.0, len(samples) / SAMPLE_RATE_HZ),  # else a mark is too much for what is short
        )
        return line_of((await pool.recognise(said)).text, start, end)

    return recognise_by(hear, call_id, frames, numbers)
