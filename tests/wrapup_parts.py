"""Dialogues for the tests of drafts, and the parts that a draft needs, with vectors made of characters."""

from collections.abc import Sequence
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from asr.types import Party, Segment
from calls.wrapup.draft import Lore
from calls.wrapup.files import read_cues, read_directory, read_examples
from calls.wrapup.gazetteer import Gazetteer
from calls.wrapup.pieces import Piece, pieces_of
from calls.wrapup.topics import Topics
from calls.wrapup.types import Field
from knowledge_base.importer import load_sample

_PLACES = (files("asr") / "data" / "gazetteer.csv").read_text(encoding="utf-8")
GAZETTEER = Gazetteer(_PLACES.splitlines())
_DIMENSION = 256


def said(*turns: str) -> tuple[Segment, ...]:
    """Finals of a call: `坐席` or `市民`, a colon, the text; one after the other."""
    segments = []
    for number, turn in enumerate(turns, 1):
        who, text = turn.split(":", 1)
        party = Party.OPERATOR if who == "坐席" else Party.CITIZEN
        segments.append(
            Segment(
                call_id="C1",
                segment_id=f"{party}-{number}",
                party=party,
                start_s=float(number),
                end_s=number + 0.9,
                text=text,
                raw_text=text,
                is_final=True,
            )
        )
    return tuple(segments)


def pieces(*turns: str) -> tuple[Piece, ...]:
    """The same, cut."""
    return pieces_of(said(*turns))


def embed(text: str) -> NDArray[np.float32]:
    """Characters and their pairs, counted: texts with the same words are near to each other."""
    vector = np.full(_DIMENSION, 0.01, np.float32)
    for part in (*text, *(text[i : i + 2] for i in range(len(text) - 1))):
        vector[sum(ord(sign) * 31**i for i, sign in enumerate(part)) % _DIMENSION] += 1.0
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def sample_lore() -> Lore:
    """The sample knowledge base by titles and questions, and the lists of the product."""
    articles = load_sample()
    rows = [(i, text) for i, each in enumerate(articles) for text in (each.title, *each.questions)]
    vectors = np.array([embed(text) for _, text in rows], np.float32)
    return Lore(
        topics=Topics(articles, vectors, [i for i, _ in rows]),
        gazetteer=GAZETTEER,
        directory=read_directory(),
        cues=read_cues(),
        examples=read_examples(embed),
    )


def words_of(field: Field, segments: Sequence[Segment]) -> list[str]:
    """The words that a field's spans point at."""
    text = {segment.segment_id: segment.text for segment in segments}
    return [text[span.segment_id][span.start : span.end] for span in field.spans]
