"""Engines that hear nothing and find nothing, for a server whose calls are made up.

In: settings. Out: `Engines` that need no weights.
Not known here: what the server is for.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from agent_ui.engines import Engines
from agent_ui.figures import EarFigures
from agent_ui.lexicon_rest import Tried
from agent_ui.settings import Settings
from agent_ui.system_desk import Insight
from agent_ui.tuning import Tuning
from asr.batch.recorded import HearingOptions, RecordedEars
from asr.batch.run import RunOptions
from asr.pool_options import PoolOptions
from asr.types import AudioFrame, Hypothesis, Party, Samples, Segment
from asr.worker import RecognitionPool
from calls.session import Engines as CallEngines
from retrieval.assistant import CallAssistant
from retrieval.explaining import explain
from retrieval.judge import shipped_judge
from retrieval.types import Findings, Query
from retrieval.vectors import Vector

_DIMENSIONS = 256
NAME = "simulated"


class _Deaf:
    """Hears nothing in any clip."""

    def transcribe(
        self,
        clips: Sequence[Samples],
        *,
        beam_size: int = 1,
        retry: bool = True,
        word_times: bool = False,
    ) -> list[Hypothesis]:
        return [Hypothesis(text="", avg_logprob=0.0, no_speech_prob=1.0) for _ in clips]


@asynccontextmanager
async def open_silent_engines(settings: Settings, tuning: Callable[[], Tuning]) -> AsyncIterator[Engines]:
    """Open them."""
    nothing = Findings(kb_version="", matches=())

    async def recognise(
        call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
    ) -> AsyncIterator[Segment]:
        async for _ in frames:
            pass
        heard: tuple[Segment, ...] = ()
        for segment in heard:
            yield segment

    async def search(query: Query) -> Findings:
        return nothing

    async def find(text: str, k: int) -> Findings:
        return nothing

    def fingerprint(hearing: HearingOptions) -> str:
        return f"{NAME} {hearing}"

    async with RecognitionPool(_Deaf(), PoolOptions(workers=1)) as pool:

        def ears() -> EarFigures:
            return EarFigures(
                engine=NAME,
                model=NAME,
                device="cpu",
                compute_type=None,
                workers=1,
                refuse_lag_s=5.0,
                stats=pool.stats(),
            )

        yield Engines(
            calls=CallEngines(
                recognise=recognise,
                admit=lambda call_id: None,
                release=lambda call_id: None,
                search=search,
                lag_s=lambda call_id: 0.0,
            ),
            open_assistant=lambda call_id: CallAssistant(call_id, advisor_options=tuning().of_cards),
            embed=embed,
            embed_texts=lambda texts: np.array([embed(text) for text in texts], np.float32),
            find=find,
            explain=lambda turns: explain(
                turns, search=search, judge=shipped_judge(), advisor_options=tuning().of_cards
            ),
            recorded=RecordedEars(
                model=NAME,
                transcribe=pool.recorded.transcribe,
                lexicon=lambda: None,
                fingerprint=fingerprint,
                sharing=RunOptions(workers=1),
            ),
            lore=lambda: None,
            refresh=lambda: None,
            insight=Insight(
                ears=ears,
                served=lambda: None,
                words_in_use=lambda: 0,
                try_words=lambda text: Tried(text=text, corrections=(), is_current=True),
                weights=(),
            ),
        )


def embed(text: str) -> Vector:
    """A vector of a text's pairs of characters: alike where the words are."""
    vector = np.zeros(_DIMENSIONS, dtype=np.float32)
    for pair in pairwise(text):
        vector[_place(*pair)] += 1.0
    return vector / max(float(np.linalg.norm(vector)), 1.0)


@lru_cache(maxsize=65_536)
def _place(first: str, second: str) -> int:
    return int.from_bytes(blake2b(f"{first}{second}".encode(), digest_size=4).digest()) % _DIMENSIONS
