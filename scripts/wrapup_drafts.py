"""Drafts of wrap-ups for known calls, over the served knowledge base or the sample.

In: calls as segments, the settings. Out: a draft for each call, and how long the drafts took.
Not known here: what is right, how calls were heard.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console

from agent_ui.settings import Settings
from asr.numbers import with_digits
from asr.types import Segment
from calls.wrapup.draft import Lore, drafted
from calls.wrapup.lore import LoreKeeper
from calls.wrapup.topics import Embed
from calls.wrapup.types import Draft
from retrieval.serving import articles_with_vectors
from retrieval.snapshot import Snapshot
from scripts.call_data import ReferenceCall
from scripts.evaluate_retrieval import as_segments
from scripts.matching import open_matching
from scripts.weights import weights_of

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """What was drafted for calls."""

    by_form: Mapping[str, Mapping[str, Draft]]
    """By form of the text, then by call."""
    took_ms: tuple[float, ...]
    """For each draft of a whole call, once its sentences were embedded."""
    told: Mapping[str, Any]
    """What was searched, in JSON form."""
    lore: Lore
    """What was known beforehand."""


def lore_of(snapshot: Snapshot, embed: Embed) -> Lore:
    """All that a draft needs to know."""
    keeper = LoreKeeper(embed)
    keeper.renew(*articles_with_vectors(snapshot))
    assert keeper.now is not None
    return keeper.now


def reference_texts(calls: Sequence[ReferenceCall]) -> dict[str, tuple[Segment, ...]]:
    """What was really said, with numbers written as the ears write them."""
    return {
        call.call_id: tuple(replace(each, text=with_digits(each.text)) for each in as_segments(call))
        for call in calls
    }


async def draft_calls(forms: Mapping[str, Mapping[str, Sequence[Segment]]], settings: Settings) -> Drafts:
    """Draft every call in every form. Raises `WeightsError` and `BadVersion`."""
    embedding = weights_of(settings, settings.embedding_model)
    async with open_matching(
        settings.data_dir, embedding, now=settings.now(), tell=_console.print
    ) as matching:
        embed = matching.embedder.embed_query
        lore = lore_of(matching.snapshot, embed)
        by_form: dict[str, dict[str, Draft]] = {}
        took_ms = []
        for form, texts in forms.items():
            by_form[form] = {}
            for call_id, segments in texts.items():
                by_form[form][call_id] = drafted(segments, lore=lore, embed=embed)
                began = time.perf_counter()
                drafted(segments, lore=lore, embed=embed)  # embeds nothing any more
                took_ms.append(1_000 * (time.perf_counter() - began))
        return Drafts(by_form=by_form, took_ms=tuple(took_ms), told=matching.told(frozenset()), lore=lore)
