"""Ears that hear sentences of a hotline in any loud sound, and all the rest of the engines for real.

In: settings. Out: `Engines` without weights: recognition's queues and streams, the lexicon, search, cards and
drafts are the server's own; only the models are replaced, which write and embed.
Not known here: who calls, what is measured.
"""

import random
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from agent_ui.engines import Engines
from agent_ui.settings import Settings
from agent_ui.tuning import Tuning
from asr.hearing import Hearing
from asr.pool_options import PoolOptions
from asr.stream import StreamOptions
from asr.types import Hypothesis, Samples
from asr.vad import WINDOW, Probabilities
from asr.wording import Wording
from asr.worker import RecognitionPool
from calls.wrapup.lore import LoreKeeper
from knowledge_base.importer import load_sample
from knowledge_base.versions import VersionFolder
from retrieval.publishing import publish
from retrieval.searcher import Searcher
from retrieval.serving import articles_with_vectors, take_up
from retrieval.types import Findings, Query
from retrieval.vectors import Vector, Vectors
from scripts.measure_search import line_maker
from scripts.silent_engines import embed, open_silent_engines

_LOUD = 0.05


class _LoudnessDetector:
    """Loud sound is speech. It has no memory, so that one serves all legs."""

    def new_leg(self) -> "_LoudnessDetector":
        return self

    def detect(self, samples: Samples) -> Probabilities:
        is_loud: Probabilities = (np.abs(samples).reshape(-1, WINDOW).mean(axis=1) > _LOUD).astype(np.float32)
        return is_loud

    def reset(self) -> None:
        """Nothing to forget."""


@dataclass(slots=True)
class _Talker:
    """Hears something that somebody could have said, hardly ever the same twice."""

    say: Callable[[], str]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def transcribe(
        self,
        clips: Sequence[Samples],
        *,
        beam_size: int = 1,
        retry: bool = True,
        word_times: bool = False,
    ) -> list[Hypothesis]:
        with self.lock:
            return [Hypothesis(text=self.say(), avg_logprob=-0.3, no_speech_prob=0.1) for _ in clips]


@dataclass(slots=True)
class _Pairs:
    """The embedder of texts that share pairs of characters."""

    name: str = "pairs"
    dimension: int = len(embed(""))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.array([self.embed_query(text) for text in texts], np.float32).reshape(-1, self.dimension)

    def embed_query(self, text: str) -> Vector:
        vector = embed(text)
        vector[0] += 1e-3  # of length 0 is nothing
        return vector / float(np.linalg.norm(vector))


@asynccontextmanager
async def open_talking_engines(settings: Settings, tuning: Callable[[], Tuning]) -> AsyncIterator[Engines]:
    """Open them over the sample knowledge, which is published if nothing is yet."""
    pairs, folder = _Pairs(), settings.data_dir / "kb"
    folder.mkdir(parents=True, exist_ok=True)
    publish(load_sample(), embedder=pairs, folder=folder, now=datetime.now(UTC))
    searcher, versions = Searcher(pairs), VersionFolder(folder)
    wording, lore = Wording(settings.lexicon_path), LoreKeeper(pairs.embed_query)

    def refresh() -> str | None:
        taken_up = take_up(searcher, versions, pairs)
        if taken_up is not None and searcher.snapshot is not None:
            wording.keep_up(taken_up, searcher.snapshot.articles)
            lore.renew(*articles_with_vectors(searcher.snapshot))
        return taken_up

    async def search(query: Query) -> Findings:
        return await searcher.find(query, day=settings.now().date())

    async def find(text: str, k: int) -> Findings:
        return await searcher.find(text, day=settings.now().date(), k=k)

    refresh()
    talker = _Talker(line_maker(random.Random(7)))  # noqa: S311 - the same lines every time
    async with (
        open_silent_engines(settings, tuning) as engines,
        RecognitionPool(talker, PoolOptions(workers=2, max_calls=100)) as pool,
    ):
        hearing = Hearing(pool, detector=_LoudnessDetector(), wording=wording, options=StreamOptions)
        try:
            yield replace(
                engines,
                calls=replace(
                    engines.calls,
                    recognise=hearing.recognise,
                    admit=pool.admit,
                    release=pool.release,
                    lag_s=pool.lag_s,
                    search=search,
                ),
                embed=pairs.embed_query,
                find=find,
                lore=lambda: lore.now,
                refresh=refresh,
            )
        finally:
            searcher.close()
