"""The one place that knows OpenTelemetry: steps become spans, spans go to a collector.

In: steps of work. Out: spans over OTLP (HTTP, protobuf), sent by a thread of the SDK's.
Not known here: what the steps are.

Bound: 2,048 spans that wait for the collector or are on their way to it; when full, later ones are lost and
counted (`zhiting_traces_lost_total`). Nobody waits for the collector but, for 3 s, the end of the house.

Only details on the list below get into a span, and no words: text, names, telephone numbers and values of
queries have no place there.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from types import MappingProxyType

import requests
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agent_ui.logs import code_of
from agent_ui.traces import TraceFigures
from agent_ui.watch_settings import TraceOptions
from calls import current
from calls.watching import Detail

log = logging.getLogger(__name__)

MOST_WAITING = 2048
_LAST_WORD_S = 3.0
_LONGEST_DETAIL = 200
_PATH = "/v1/traces"
_STEP_NS = 50_000_000  # by so much the clock may be corrected without our following it
_NOWHERE = Context()
_OWN = "zhiting."
_NAMES = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "error": "error.type",
}
"""What OpenTelemetry has a name for."""
DETAILS = frozenset(_NAMES) | {
    *("call_id", "segment_id", "party", "job_id", "number", "receiver_id", "event_id", "event_type"),
    *(
        "kb_version",
        "ear",
        "sound_s",
        "lag_s",
        "together",
        "attempts",
        "finals",
        "matches",
        "cards",
        "is_last",
    ),
}
"""All that a span may hold beside its times."""


class Gate(SpanProcessor):
    """Lets so many spans through to the exporter that none waits without bound, and counts them all."""

    def __init__(self, exporter: SpanExporter, *, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting = self._sent = self._lost = 0
        self._lock = threading.Lock()
        self._batches = BatchSpanProcessor(
            _Counted(exporter, self), max_queue_size=most, max_export_batch_size=min(512, most)
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Let it wait, or lose it."""
        if not (span.context and span.context.trace_flags.sampled):
            return
        with self._lock:
            if self._waiting >= self._most:
                self._lost += 1
                return
            self._waiting += 1
        self._batches.on_end(span)

    def settle(self, count: int, *, is_sent: bool) -> None:
        """So many no longer wait."""
        with self._lock:
            self._waiting -= count
            if is_sent:
                self._sent += count
            else:
                self._lost += count

    def figures(self) -> TraceFigures:
        """What became of them."""
        with self._lock:
            return TraceFigures(sent=self._sent, lost=self._lost)

    def shutdown(self) -> None:
        """Send what waits. Blocks as long as the collector takes."""
        self._batches.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits. Blocks."""
        return self._batches.force_flush(timeout_millis)


class _Counted(SpanExporter):
    """Tells the gate, and once the log, what came of each batch."""

    def __init__(self, exporter: SpanExporter, gate: Gate) -> None:
        self._exporter = exporter
        self._gate = gate
        self._is_well = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch, on the SDK's thread."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            is_well = result is SpanExportResult.SUCCESS
            self._gate.settle(len(spans), is_sent=is_well)
            if is_well is not self._is_well:
                self._is_well = is_well
                log.warning("traces are %s", "taken again" if is_well else "not taken by the collector")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class SpanStep:
    """A step that is a span. Implements `calls.watching.Step`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def headers(self) -> Mapping[str, str]:
        """The trace context, in W3C's header."""
        carried: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carried, trace.set_span_in_context(self._span, _NOWHERE))
        return carried

    def note(self, **details: Detail) -> None:
        """Add what came of it."""
        if self._span.is_recording():
            self._span.set_attributes(attributes(details))

    def fail(self, why: str) -> None:
        """Mark it as failed."""
        self.note(error=why)
        self._span.set_status(Status(StatusCode.ERROR))

    def name(self, name: str) -> None:
        """Give it the name that it turned out to have."""
        self._span.update_name(name)


class Tracing:
    """Makes spans. Any thread may call."""

    def __init__(self, provider: TracerProvider, gate: Gate) -> None:
        self._tracer = provider.get_tracer("zhiting", version("zhiting"))
        self._ahead_ns = 0
        self.figures = gate.figures

    @contextmanager
    def watch(self, name: str, /, *, since_s: float | None = None, **details: Detail) -> Iterator[SpanStep]:
        """Implements `calls.watching.Watch`: a trace of its own, linked to what brought it about."""
        began = self._wall_ns(since_s) if since_s is not None else None
        with self._step(name, _NOWHERE, details=details, began_ns=began, link=here()) as step:
            yield step

    @contextmanager
    def within(self, parent: SpanContext, name: str, **details: Detail) -> Iterator[SpanStep]:
        """A span within another one, which may be over."""
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent), _NOWHERE)
        with self._step(name, context, details=details) as step:
            yield step

    @contextmanager
    def take_request(self, traceparent: str) -> Iterator[SpanStep]:
        """Implements `agent_ui.traces.TakeRequest`. Of what a caller brings only the trace is taken over."""
        context = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, _NOWHERE)
        with self._step("HTTP", context, kind=SpanKind.SERVER) as step:
            yield step

    def write(
        self,
        name: str,
        began_s: float,
        ended_s: float,
        *,
        parent: SpanContext | None = None,
        link: SpanContext | None = None,
        **details: Detail,
    ) -> SpanContext:
        """A span that is over, in monotonic seconds; returns what others may stand within."""
        context = _NOWHERE
        if parent is not None:
            if not parent.trace_flags.sampled:
                return parent
            context = trace.set_span_in_context(trace.NonRecordingSpan(parent), _NOWHERE)
        span = self._tracer.start_span(
            name,
            context,
            attributes=attributes(details),
            links=_links(link),
            start_time=self._wall_ns(began_s),
        )
        span.end(self._wall_ns(ended_s))
        return span.get_span_context()

    def _wall_ns(self, monotonic_s: float) -> int:
        """The time of day at a moment of the monotonic clock."""
        ahead_ns = time.time_ns() - time.monotonic_ns()
        if abs(ahead_ns - self._ahead_ns) > _STEP_NS:  # else spans of one final would not meet
            self._ahead_ns = ahead_ns
        return self._ahead_ns + round(monotonic_s * 1e9)

    @contextmanager
    def _step(
        self,
        name: str,
        context: Context,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        details: Mapping[str, Detail] = MappingProxyType({}),
        began_ns: int | None = None,
        link: SpanContext | None = None,
    ) -> Iterator[SpanStep]:
        span = self._tracer.start_span(
            name, context, kind, attributes(details), links=_links(link), start_time=began_ns
        )
        token = contexts.attach(trace.set_span_in_context(span, contexts.get_current()))
        named = current.trace_id.set(trace.format_trace_id(span.get_span_context().trace_id))
        step = SpanStep(span)
        try:
            yield step
        except BaseException as error:
            step.fail(code_of(error) or type(error).__name__)
            raise
        finally:
            current.trace_id.reset(named)
            contexts.detach(token)
            span.end()


@asynccontextmanager
async def open_tracing(
    options: TraceOptions, *, process_id: str, most: int = MOST_WAITING
) -> AsyncIterator[Tracing]:
    """Trace for as long as the house is open; `most` spans may wait."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it would tell of every batch
    session = requests.Session()
    session.trust_env = False  # no proxy of the environment
    address = options.address.rstrip("/").removesuffix(_PATH)
    exporter = OTLPSpanExporter(endpoint=address + _PATH, session=session)
    gate = Gate(exporter, most=most)
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(options.share)),
        resource=Resource.create(
            {
                "service.name": "zhiting",
                "service.version": version("zhiting"),
                "service.instance.id": process_id,
            }
        ),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(gate)
    try:
        yield Tracing(provider, gate)
    finally:
        await asyncio.to_thread(_end, gate, exporter)


def _end(gate: Gate, exporter: SpanExporter) -> None:
    """Send what waits, as long as the collector does not keep us waiting."""
    ending = threading.Thread(target=gate.shutdown, name="traces", daemon=True)
    ending.start()
    ending.join(_LAST_WORD_S)
    if ending.is_alive():
        exporter.shutdown()  # no further attempt; the thread ends by itself


def here() -> SpanContext:
    """The span that the present task works within; not a valid one where there is none."""
    return trace.get_current_span().get_span_context()


def _links(link: SpanContext | None) -> list[Link] | None:
    return [Link(link)] if link is not None and link.is_valid else None


def attributes(details: Mapping[str, Detail]) -> dict[str, Detail]:
    """Details under the names that they have in spans, without empty ones.

    Raises `KeyError` for one that is not on the list.
    """
    if unknown := set(details) - DETAILS:
        raise KeyError(f"{sorted(unknown)} may not be in a span")
    return {
        _NAMES.get(name, _OWN + name): value[:_LONGEST_DETAIL] if isinstance(value, str) else value
        for name, value in details.items()
        if value != ""
    }
