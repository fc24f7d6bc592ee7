"""What an admin looks at and sets: the settings that may change, and the figures of the whole house.

In: the parts of the house that can be asked. Out: `SystemDesk`, which gives `Figures` and holds the settings.
Not known here: HTTP, what is much and what is little.
"""

import asyncio
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import version

from agent_ui.figures import (
    CallFigures,
    EarFigures,
    Figures,
    SearchFigures,
    ServerFigures,
    WeightFigures,
    WordFigures,
)
from agent_ui.gauges import DiskGauge, MachineGauge, WordGauge
from agent_ui.hub import Hub
from agent_ui.lexicon_rest import Try
from agent_ui.settings import Settings
from agent_ui.tuning_file import TuningFile
from asr.term_file import TermFile
from asr.terms import Term, sample_terms
from calls.journal import Journal
from calls.switchboard import Switchboard
from knowledge_base.types import Version
from knowledge_base.versions import VersionFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """What the engines tell of themselves."""

    ears: Callable[[], EarFigures]
    """To be asked on the event loop."""
    served: Callable[[], Version | None]
    """The version of the knowledge base that answers now."""
    words_in_use: Callable[[], int]
    """How many names and words the ears know."""
    try_words: Try
    """What the ears would put right in a text. Blocks."""
    weights: tuple[WeightFigures, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDesk:
    """The parts that are asked. `figures` belongs on the event loop and leaves to threads what blocks."""

    settings: Settings
    tuning: TuningFile
    terms: TermFile
    """The admin's own words."""
    switchboard: Switchboard
    hub: Hub
    journal: Journal
    versions: VersionFolder
    insight: Insight
    clock: Callable[[], datetime]
    started_at: datetime
    machine: MachineGauge = field(default_factory=MachineGauge)
    disk: DiskGauge
    words: WordGauge

    async def figures(self, *, port: int | None) -> Figures:
        """Everything at this moment; `port` is the one that was asked, which the settings may not know."""
        tuning, served = self.tuning.now, self.insight.served()
        calls = CallFigures(
            running=self.switchboard.running,
            max_calls=tuning.max_calls,
            min_free_bytes=tuning.of_calls(self.settings).min_free_bytes,
            refusal=self.switchboard.refusal(),
            screens=self.hub.screens,
        )
        ears, journal = self.insight.ears(), self.journal.stats()
        machine, disk, words, published = await asyncio.to_thread(
            lambda: (self.machine.read(), self.disk.read(), self._words(), self.versions.current())
        )
        return Figures(
            at=self.clock(),
            server=self._server(port),
            machine=machine,
            disk=disk,
            calls=calls,
            ears=ears,
            search=SearchFigures(
                served=served,
                published=published,
                model=self.settings.embedding_model,
                reranker=self.settings.reranker_model,
            ),
            journal=journal,
            words=words,
            weights=self.insight.weights,
        )

    def _server(self, port: int | None) -> ServerFigures:
        settings = self.settings
        scheme = "https" if settings.tls_cert else "http"
        return ServerFigures(
            version=version("zhiting"),
            python=platform.python_version(),
            started_at=self.started_at,
            address=f"{scheme}://{settings.host}:{port or settings.port}",
            is_guarded=settings.is_guarded,
            is_open=settings.open,
            is_settings_file_readable=self.tuning.is_readable,
        )

    def _words(self) -> WordFigures:
        own, problem = self.words.read()
        return WordFigures(
            own=own,
            problem=problem,
            file=self.terms.path,
            shipped=len(shipped_terms()),
            in_use=self.insight.words_in_use(),
        )


@cache
def shipped_terms() -> tuple[Term, ...]:
    """The names and words that come with the product."""
    return tuple(sample_terms())
