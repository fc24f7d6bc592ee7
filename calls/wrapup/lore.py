"""Keeps what drafts need to know beforehand, and renews it when another version of the knowledge answers.

In: the articles of a version with the vectors of their passages, a function that embeds.
Out: the `Lore` of the moment.
Not known here: where versions are kept, who drafts.
"""

from collections.abc import Sequence
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from calls.wrapup.draft import Lore
from calls.wrapup.files import read_cues, read_directory, read_examples
from calls.wrapup.gazetteer import Gazetteer
from calls.wrapup.topics import Embed, Topics
from knowledge_base.types import Article


def sample_gazetteer() -> Gazetteer:
    """The places that come with the product."""
    text = (files("asr") / "data" / "gazetteer.csv").read_text(encoding="utf-8")
    return Gazetteer(text.splitlines())


class LoreKeeper:
    """The lists are read and the examples embedded once; only the articles change with a version."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._now: Lore | None = None

    @property
    def now(self) -> Lore | None:
        """What is known now; None as long as no knowledge is published. Any thread may ask."""
        return self._now

    def renew(self, articles: Sequence[Article], vectors: NDArray[np.float32], owners: Sequence[int]) -> None:
        """Take up another version; row i of `vectors` belongs to `articles[owners[i]]`. Blocks.

        Drafts that run meanwhile end with the old one.
        """
        topics = Topics(articles, vectors, owners)
        old = self._now
        if old is not None:
            self._now = Lore(
                topics=topics,
                gazetteer=old.gazetteer,
                directory=old.directory,
                cues=old.cues,
                examples=old.examples,
            )
            return
        self._now = Lore(
            topics=topics,
            gazetteer=sample_gazetteer(),
            directory=read_directory(),
            cues=read_cues(),
            examples=read_examples(self._embed),
        )
