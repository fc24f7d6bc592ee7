"""Typed messages in figures, by the embedding model of the settings.

In: messages, settings. Out: their features.
Not known here: categories, training.
"""

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.progress import track

from agent_ui.settings import Settings
from calls.wrapup.message_kinds import Features, Floats, Message, features_of
from retrieval.embedder import SentenceEmbedder
from scripts.weights import weights_of

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
_BATCH = 32


def embed_messages(messages: Sequence[Message], settings: Settings) -> list[Features]:
    """Embed titles and bodies; some minutes for a thousand. Raises `WeightsError`."""
    embedder = SentenceEmbedder(weights_of(settings, settings.embedding_model))

    def embed(texts: Sequence[str]) -> Floats:
        batches = range(0, len(texts), _BATCH)
        steps = track(batches, description="embedding", console=_console, transient=True)
        return np.concatenate([embedder.embed_passages(texts[i : i + _BATCH]) for i in steps])

    return features_of(messages, embed)
