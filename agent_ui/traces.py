"""Traces by setting: who looks at the work of the house, or that nobody does.

In: where traces go, if anywhere. Out: `Traces`, for as long as the house is open.
Not known here: OpenTelemetry, which is imported only where traces are on (agent_ui/tracing.py).
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from agent_ui.engines import Engines
from agent_ui.watch_settings import TraceOptions
from calls.fanout import tell_all
from calls.types import Entry
from calls.watching import Step, Watch, WriteTimes, unwatched


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFigures:
    """What became of the spans since the start."""

    sent: int = 0
    lost: int = 0
    """The collector did not take them, or too many waited for it."""


class RequestStep(Step, Protocol):
    """A request that is being answered."""

    def name(self, name: str) -> None:
        """What it turned out to be."""


TakeRequest: TypeAlias = Callable[[str], AbstractContextManager[RequestStep]]
"""Looks at a request; takes its `traceparent`, empty where it brought none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Who looks at what; as it stands here, nobody at anything."""

    watch: Watch = unwatched
    take_request: TakeRequest | None = None
    on_written: Callable[[list[Entry], WriteTimes], None] | None = None
    """Hears of facts that are durable and told."""
    figures: Callable[[], TraceFigures] = TraceFigures

    @contextmanager
    def around(self, name: str) -> Iterator[Mapping[str, str]]:
        """Look at a command in a child process; gives what tells the child which trace it belongs to."""
        with self.watch(f"kb.{name}") as step:
            yield {header.upper(): value for header, value in step.headers.items()}


@asynccontextmanager
async def open_traces(
    options: TraceOptions | None, engines: Engines, *, process_id: str
) -> AsyncIterator[tuple[Traces, Engines]]:
    """Who looks while the house is open, and the same engines, looked at; sends the last before it ends."""
    if options is None:
        yield Traces(), engines
        return
    from agent_ui.traced_finals import FinalTraces
    from agent_ui.tracing import open_tracing

    async with open_tracing(options, process_id=process_id) as tracing:
        finals = FinalTraces(tracing)
        traces = Traces(
            watch=tracing.watch,
            take_request=tracing.take_request,
            on_written=tell_all(finals.written),
            figures=tracing.figures,
        )
        yield traces, finals.looking_at(engines)
