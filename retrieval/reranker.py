"""Puts what was found for a typed question in a better order, where there is time for it.

In: a question and its matches; a folder that sentence-transformers loads as a cross-encoder.
Out: the same matches, best first by the cross-encoder, whose probability becomes their score.
Not known here: how the matches were found, how busy the machine is otherwise.

Cards of a call do not pass here: the model that judges them was trained on the channels' own order.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder

from retrieval.types import Findings, Match


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankerOptions:
    """How much a cross-encoder reads, and what it may cost."""

    passage_chars: int = 300
    """Of a longer passage the beginning is read: time grows with length."""
    batch: int = 8
    patience_s: float = 0.4
    """A typed question is answered in the channels' order when this has passed."""

    def __post_init__(self) -> None:
        if min(self.passage_chars, self.batch) < 1 or self.patience_s <= 0:
            raise ValueError("passage_chars, batch and patience_s must be positive")


class Reranker:
    """A cross-encoder on the CPU, never asking the network; one question at a time."""

    def __init__(self, folder: Path, options: RerankerOptions = RerankerOptions()):
        self._options = options
        self._model = CrossEncoder(str(folder), device="cpu", local_files_only=True, num_labels=1)
        self._lock = threading.Lock()

    async def rerank(self, question: str, findings: Findings, *, is_loaded: Callable[[], bool]) -> Findings:
        """Order the matches anew; they stay as they are under load, beside another question, or when late."""
        if len(findings.matches) < 2 or is_loaded() or not self._lock.acquire(blocking=False):
            return findings
        # The thread lets go of the lock: it may still compute when nobody waits for it any more.
        scoring = asyncio.get_running_loop().run_in_executor(None, self._score, question, findings.matches)
        try:
            scores = await asyncio.wait_for(asyncio.shield(scoring), self._options.patience_s)
        except TimeoutError:
            return findings
        return replace(findings, matches=_ordered(findings.matches, scores))

    def _score(self, question: str, matches: Sequence[Match]) -> NDArray[np.float32]:
        """How probably each passage answers the question, (matches,), in [0, 1]."""
        try:
            pairs = [
                (question, f"{match.article.title} {match.passage.text}"[: self._options.passage_chars])
                for match in matches
            ]
            scores: NDArray[np.float32] = self._model.predict(
                pairs,
                batch_size=self._options.batch,
                activation_fn=torch.nn.Sigmoid(),
                show_progress_bar=False,
            )
            return scores
        finally:
            self._lock.release()


def _ordered(matches: Sequence[Match], scores: NDArray[np.float32]) -> tuple[Match, ...]:
    """Best first; of equal ones the earlier first."""
    order = np.argsort(-scores, kind="stable")
    return tuple(replace(matches[place], score=float(scores[place])) for place in order)
