"""What the house needs of the engines that have weights.

In: nothing. Out: `Engines`, and how they are opened.
Not known here: which engine stands behind a function.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

from agent_ui.kb_try_rest import Explain
from agent_ui.settings import Settings
from agent_ui.system_desk import Insight
from agent_ui.tuning import Tuning
from asr.batch.recorded import RecordedEars
from asr.timing import Listener
from calls.forms.engines import LateEngine
from calls.session import Assistant
from calls.session import Engines as CallEngines
from calls.wrapup.draft import Lore
from retrieval.types import Findings
from retrieval.vectors import Vector, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """The engines that need weights, as the house uses them."""

    calls: CallEngines
    open_assistant: Callable[[str], Assistant]
    embed: Callable[[str], Vector]
    """The vector of a question. Blocks."""
    embed_texts: Callable[[Sequence[str]], Vectors] | None
    """Vectors of what is not asked but told, comparable with each other. Blocks. None: there is no model."""
    find: Callable[[str, int], Awaitable[Findings]]
    """Search for a typed question: (text, at most so many) → matches."""
    explain: Explain
    """What a call would see after some turns, and why."""
    recorded: RecordedEars
    """How recordings are heard beside the calls."""
    lore: Callable[[], Lore | None]
    """What drafts of wrap-ups need to know beforehand; None as long as no knowledge is published."""
    refresh: Callable[[], str | None]
    """Take up a version published meanwhile and return its name; None where there is none. Blocks."""
    insight: Insight
    deaf_s: Callable[[], float] = lambda: 0.0
    """For how long nothing has been there to recognise calls."""
    watch_finals: Callable[[Listener], None] = lambda listener: None
    """Let somebody hear when finals were decoded."""
    late: LateEngine | None = None
    """Drafts wrap-ups once more after the end of a call."""


OpenEngines: TypeAlias = Callable[[Settings, Callable[[], Tuning]], AbstractAsyncContextManager[Engines]]
"""The settings, and those of them that may change while calls run → the engines."""
