"""The way of a final from sound to screens, and of the cards that it brings, as one trace.

In: when finals were decoded, when facts were durable and told; the engines of calls. Out: spans.
Not known here: OpenTelemetry beyond `Tracing`, what is said.

A final is a trace of its own, since a call is long: `final`, and within it `final.queue`, `final.decode`,
`final.text`, `final.commit`, `final.tell`; then `cards.search`, `cards.advise`, `cards.commit`, `cards.tell`.
It is linked to the span of the line that brought the call. Told means: lies in the queue of every screen.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from opentelemetry.trace import SpanContext

from agent_ui.engines import Engines
from agent_ui.tracing import Tracing, here
from asr.timing import FinalHeard
from asr.types import Segment
from calls.session import Assistant
from calls.types import Entry, SegmentShown, Stream, SuggestionShown
from calls.watching import WriteTimes
from retrieval.types import Findings, Mark, Query, Suggestion

_MOST_KEPT = 2_000
"""Finals on their way, and finals that may still bring cards; beyond that the oldest is forgotten."""

Key: TypeAlias = tuple[str, str]
T = TypeVar("T")


class FinalTraces:
    """Belongs on the event loop."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._heard: OrderedDict[Key, tuple[FinalHeard, SpanContext]] = OrderedDict()
        self._shown: OrderedDict[Key, SpanContext] = OrderedDict()

    def heard(self, final: FinalHeard) -> None:
        """Remember how a final was decoded; called by the task of its call."""
        _keep(self._heard, (final.call_id, final.segment_id), (final, here()))

    def written(self, entries: list[Entry], times: WriteTimes) -> None:
        """Trace what was told just now."""
        told_s = time.monotonic()
        for entry in entries:
            if entry.call_id is None or entry.stream != Stream.call(entry.call_id):
                continue
            match entry.fact:
                case SegmentShown(segment=segment) if segment.is_final:
                    self._trace_final(segment, times, told_s)
                case SuggestionShown(suggestion=suggestion):
                    self._trace_cards(suggestion, times, told_s)

    def _trace_final(self, segment: Segment, times: WriteTimes, told_s: float) -> None:
        key = (segment.call_id, segment.segment_id)
        final, line = self._heard.pop(key, (None, None))
        decoding = final.decoding if final is not None else None
        root = self._tracing.write(
            "final",
            final.closed_s if final is not None else times.asked_s,
            told_s,
            link=line,
            call_id=segment.call_id,
            segment_id=segment.segment_id,
            party=segment.party.value,
            sound_s=segment.end_s - segment.start_s,
        )
        _keep(self._shown, key, root)
        write = self._tracing.write
        if final is not None and decoding is not None:
            begun_s = max(decoding.began_s, final.closed_s)  # it may have begun while the speaker paused
            ended_s = max(decoding.ended_s, final.closed_s)
            write("final.queue", final.closed_s, begun_s, parent=root)
            write(
                "final.decode",
                begun_s,
                ended_s,
                parent=root,
                together=decoding.together,
                ear=decoding.ear,
            )
            write("final.text", ended_s, times.asked_s, parent=root)
        self._trace_writing("final", root, times, told_s)

    def _trace_cards(self, suggestion: Suggestion, times: WriteTimes, told_s: float) -> None:
        root = self._shown.get((suggestion.call_id, suggestion.segment_id))
        if root is not None:
            self._trace_writing("cards", root, times, told_s)

    def _trace_writing(self, of: str, root: SpanContext, times: WriteTimes, told_s: float) -> None:
        write = self._tracing.write
        write(f"{of}.commit", times.asked_s, times.durable_s, parent=root, together=times.together)
        write(f"{of}.tell", times.durable_s, told_s, parent=root)

    def looking_at(self, engines: Engines) -> Engines:
        """The same engines, whose finals, searches and advice are looked at."""
        engines.watch_finals(self.heard)
        return replace(
            engines,
            calls=replace(engines.calls, search=self.searching(engines.calls.search)),
            open_assistant=lambda call_id: _Watched(engines.open_assistant(call_id), self),
        )

    def searching(
        self, search: Callable[[Query], Awaitable[Findings]]
    ) -> Callable[[Query], Awaitable[Findings]]:
        """The same search, looked at where it is for a final that was traced."""

        async def traced(query: Query) -> Findings:
            root = self._shown.get((query.call_id, query.segment_id))
            if root is None:
                return await search(query)
            with self._tracing.within(root, "cards.search") as step:
                findings = await search(query)
                step.note(matches=len(findings.matches), kb_version=findings.kb_version)
                return findings

        return traced

    def advise(
        self, assistant: Assistant, segment: Segment, query: Query | None, findings: Findings | None
    ) -> Suggestion | None:
        """Let the assistant advise, and look how long that takes."""
        root = self._shown.get((segment.call_id, segment.segment_id)) if query is not None else None
        if root is None:
            return assistant.advise(segment, query, findings)
        with self._tracing.within(root, "cards.advise") as step:
            suggestion = assistant.advise(segment, query, findings)
            if suggestion is not None:
                step.note(cards=len(suggestion.cards))
            return suggestion


class _Watched:
    """An assistant whose advice is looked at."""

    def __init__(self, assistant: Assistant, traces: FinalTraces) -> None:
        self._assistant = assistant
        self._traces = traces
        self.ask = assistant.ask
        self.mark = assistant.mark

    def advise(self, segment: Segment, query: Query | None, findings: Findings | None) -> Suggestion | None:
        """Advise."""
        return self._traces.advise(self._assistant, segment, query, findings)

    def recall(
        self,
        segments: Sequence[Segment],
        suggestion: Suggestion | None,
        marks: Sequence[tuple[str, Mark]],
    ) -> None:
        """Take up a call again."""
        self._assistant.recall(segments, suggestion, marks)


def _keep(kept: OrderedDict[Key, T], key: Key, value: T) -> None:
    kept[key] = value
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
