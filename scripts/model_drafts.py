"""Drafts of known calls made better by the language model of the settings, one call after the other.

In: calls as segments, the embedded engine's drafts, what is known beforehand, which model is asked.
Out: a draft for each call, and how the model fared.
Not known here: what is right.
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asr.types import Segment
from calls.wrapup.draft import Lore
from calls.wrapup.llm.endpoint import open_endpoint
from calls.wrapup.llm.engine import ModelEngine
from calls.wrapup.llm.options import EndpointOptions
from calls.wrapup.llm.types import ModelFailed
from calls.wrapup.types import Draft


@dataclass(slots=True, kw_only=True)
class Fared:
    """What came of asking."""

    asked: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """By code; the embedded draft stood."""
    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    """Fields that were answered without support in the call."""
    seconds: list[float] = field(default_factory=list)

    def told(self, model: str) -> dict[str, Any]:
        """The same in JSON form."""
        return {
            "model": model,
            "asked": self.asked,
            "failures": dict(self.failures),
            "fields_kept": dict(self.kept),
            "fields_dropped": dict(self.dropped),
            "seconds_median": statistics.median(self.seconds) if self.seconds else None,
            "seconds_max": max(self.seconds, default=None),
        }


async def redraft(
    texts: Mapping[str, Sequence[Segment]],
    drafts: Mapping[str, Draft],
    lore: Lore,
    options: EndpointOptions,
    on_done: Callable[[str], None],
) -> tuple[dict[str, Draft], Fared]:
    """Ask for every call; where the model fails, the embedded draft stands and the failure is counted."""
    fared = Fared()
    found = dict(drafts)
    async with open_endpoint(options) as endpoint:
        engine = ModelEngine(endpoint=endpoint, lore=lambda: lore)
        for call_id, segments in texts.items():
            began = time.perf_counter()
            fared.asked += 1
            try:
                grounded = await engine.grounded(segments, embedded=drafts[call_id])
            except ModelFailed as error:
                fared.failures[error.code] += 1
            else:
                if grounded is not None:
                    found[call_id] = grounded.draft
                    fared.kept.update(grounded.kept)
                    fared.dropped.update(grounded.dropped)
            fared.seconds.append(time.perf_counter() - began)
            on_done(call_id)
    return found, fared
