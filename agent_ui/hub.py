"""The hub: fans events out to the screens that follow a stream, and catches each of them up.

In: entries in the order of writing, and partials. Out: JSON text per screen, gapless per stream.
Not known here: sockets, how a page looks, how facts come about.

Bound: 256 events waiting per screen. When full, its backlog is forgotten and one snapshot takes its place;
the screen notices by the snapshot, nobody else is disturbed.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent_ui.wire import (
    call_snapshot_text,
    entry_text,
    knowledge_text,
    lag_text,
    line_text,
    list_snapshot_text,
    partial_text,
)
from asr.types import Segment
from calls.alarms import Alarm
from calls.records import Records
from calls.types import (
    Call,
    CallEnded,
    CallInterrupted,
    CallReconnected,
    CallStarted,
    CallTransferred,
    Entry,
    KbPublished,
    SegmentShown,
    Stream,
)

MAX_WAITING = 256
MAX_REPLAY = 2000
"""A screen that missed more gets a snapshot: it is smaller, and quicker to draw."""
LAG_WORTH_SAYING_S = 3.0
"""From here on the list of calls shows that a call's text is behind."""
_LISTED_CALLS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """One event for one screen. Durable ones carry their entry."""

    text: str
    entry: Entry | None = None
    newest: int = 0
    """Instead of a text: the stream has come so far, and the screen may have missed some of it."""


class _Screen:
    """What one screen still has to be sent."""

    def __init__(self) -> None:
        self.waiting: list[_Waiting] = []
        self.is_behind = False
        self.arrived = asyncio.Event()

    def put(self, waiting: _Waiting) -> None:
        if len(self.waiting) >= MAX_WAITING:
            self.waiting.clear()
            self.is_behind = True
        if not self.is_behind:
            self.waiting.append(waiting)
        self.arrived.set()

    def start_over(self) -> None:
        """Something came into the stream that only a snapshot can show."""
        self.waiting.clear()
        self.is_behind = True
        self.arrived.set()

    def take(self) -> list[_Waiting]:
        taken, self.waiting = self.waiting, []
        self.is_behind = False
        self.arrived.clear()
        return taken


class Hub:
    """Knows who follows what. All methods run on the event loop."""

    def __init__(
        self,
        *,
        records: Records,
        clock: Callable[[], datetime],
        received_s: Callable[[str], float | None] = lambda call_id: None,
        alarms: Callable[[str | None], Sequence[Alarm]] = lambda seat: (),
    ):
        """`received_s` knows how much sound a running call has brought so far.

        `alarms` reads what is to be seen of them, of all seats (None) or of one.
        """
        self._alarms = alarms
        self._records = records
        self._received_s = received_s
        self._clock = clock
        self._screens: defaultdict[str, set[_Screen]] = defaultdict(set)
        self._partials: defaultdict[str, dict[str, Segment]] = defaultdict(dict)
        self._lines: dict[str, Segment | None] = {}
        """What was last said in each call that is on the list and not over."""
        self._late: set[str] = set()
        """Running calls whose text is so far behind that the list was told."""
        self._newest: dict[str, int] = {}
        """How far screens have been told, or sent to look, by stream."""

    @property
    def screens(self) -> int:
        """How many screens are connected."""
        return sum(map(len, self._screens.values()))

    def tell(self, entries: list[Entry]) -> None:
        """Show one fact that has just become durable, in every stream that it belongs to."""
        for entry in entries:
            self._forget_partials(entry)
            self._tell_line(entry)
            if isinstance(entry.fact, KbPublished) and entry.stream == Stream.CALLS:
                self._tell_desks(knowledge_text(entry.fact.version, entry.at))
            if screens := self._screens.get(entry.stream):
                self._newest[entry.stream] = max(entry.seq, self._newest.get(entry.stream, 0))
                waiting = _Waiting(text=entry_text(entry), entry=entry)
                for screen in screens:
                    if _brings_a_call(entry):
                        screen.start_over()
                    else:
                        screen.put(waiting)

    @property
    def streams(self) -> list[str]:
        """Those that screens follow."""
        return list(self._screens)

    def look(self, newest: Mapping[str, int]) -> None:
        """See how far streams have come on record: what nobody has told is read there."""
        for stream, seq in newest.items():
            screens = self._screens.get(stream)
            if screens and seq > self._newest.get(stream, 0):
                self._newest[stream] = seq
                for screen in screens:
                    screen.put(_Waiting(text="", newest=seq))

    def expect(self, call_ids: Iterable[str]) -> None:
        """These calls are on the list, also where their beginning was not told here."""
        for call_id in call_ids:
            self._lines.setdefault(call_id, None)

    def forget_partials(self) -> None:
        """Nobody tells any more what may still change."""
        self._partials.clear()

    def tell_partial(self, segment: Segment, operator_id: str | None) -> None:
        """Show text that may still change."""
        self._partials[segment.call_id][segment.segment_id] = segment
        self._tell_passing(segment.call_id, operator_id, lambda now: partial_text(segment, now))

    def tell_lag(self, call_id: str, operator_id: str | None, lag_s: float) -> None:
        """Show how far the text is behind; the list is told only where that matters, and when it is over."""
        was_late = call_id in self._late
        if lag_s > LAG_WORTH_SAYING_S:
            self._late.add(call_id)
        else:
            self._late.discard(call_id)
        others = (Stream.CALLS,) if was_late or call_id in self._late else ()
        self._tell_passing(call_id, operator_id, lambda now: lag_text(call_id, lag_s, now), others)

    def _tell_desks(self, text: str) -> None:
        """Tell every screen of a call or an operator."""
        for stream, screens in self._screens.items():
            if stream != Stream.CALLS:
                for screen in screens:
                    screen.put(_Waiting(text=text))

    def _tell_passing(
        self,
        call_id: str,
        operator_id: str | None,
        write: Callable[[datetime], str],
        others: tuple[str, ...] = (),
    ) -> None:
        streams = [Stream.call(call_id), *others]
        if operator_id:
            streams.append(Stream.operator(operator_id))
        screens = [screen for stream in streams for screen in self._screens.get(stream, ())]
        if screens:
            waiting = _Waiting(text=write(self._clock()))
            for screen in screens:
                screen.put(waiting)

    def _tell_line(self, entry: Entry) -> None:
        """Show on the list of calls what was last said in one of them."""
        match entry.fact:
            case CallStarted() | CallReconnected() if entry.call_id and entry.stream == Stream.CALLS:
                self._lines.setdefault(entry.call_id, None)
            case CallEnded() if entry.call_id:
                self._lines.pop(entry.call_id, None)
            case SegmentShown(segment=segment) if entry.stream == Stream.call(segment.call_id):
                # Transcribed recordings are not on the list.
                if segment.text and segment.call_id in self._lines:
                    self._lines[segment.call_id] = segment
                    for screen in self._screens.get(Stream.CALLS, ()):
                        screen.put(_Waiting(text=line_text(segment, entry.at)))

    def _put_last_lines(self, screen: _Screen) -> None:
        now = self._clock()
        for line in self._lines.values():
            if line is not None:
                screen.put(_Waiting(text=line_text(line, now)))

    def _forget_partials(self, entry: Entry) -> None:
        if entry.call_id is None:
            return
        fact = entry.fact
        if isinstance(fact, SegmentShown):
            self._partials.get(entry.call_id, {}).pop(fact.segment.segment_id, None)
        elif isinstance(fact, CallEnded | CallInterrupted):
            self._partials.pop(entry.call_id, None)
            self._late.discard(entry.call_id)

    async def follow(
        self, stream: str, since: int | None, *, seat: str | None = None
    ) -> AsyncGenerator[str, None]:
        """What a screen of that stream is to be sent, without end.

        With a valid `since` the missed events and then the live ones; else a snapshot first. With `seat` the
        snapshot is the list of the calls of that seat, whose stream this then is.
        """
        screen = _Screen()
        self._screens[stream].add(screen)
        try:
            position = since
            missed = await asyncio.to_thread(self._missed, stream, since)
            if missed is None:
                text, position = await self._snapshot(stream, screen, seat)
                yield text
            else:
                for entry in missed:
                    yield entry_text(entry)
                position = missed[-1].seq if missed else since
                for text in await self._open_partials(stream, screen, seat):
                    yield text
            while True:
                await screen.arrived.wait()
                if screen.is_behind:
                    text, position = await self._snapshot(stream, screen, seat)
                    yield text
                    continue  # it may have fallen behind again meanwhile
                for waiting in screen.take():
                    steps = await self._steps(stream, waiting, position or 0)
                    if steps is None:
                        screen.start_over()
                        break
                    for seq, text in steps:
                        position = seq
                        yield text
        finally:
            self._screens[stream].discard(screen)
            if not self._screens[stream]:
                del self._screens[stream]
                self._newest.pop(stream, None)

    async def _steps(self, stream: str, waiting: _Waiting, position: int) -> list[tuple[int, str]] | None:
        """What a screen that has come to `position` is sent, each with how far it is then.

        None where only a snapshot can serve. What another process wrote and nobody told comes first.
        """
        if waiting.entry is None and waiting.newest == 0:
            return [(position, waiting.text)]
        seq = waiting.entry.seq if waiting.entry else waiting.newest
        if seq <= position:
            return []
        if waiting.entry is not None and seq == position + 1:
            return [(seq, waiting.text)]
        missed = await asyncio.to_thread(self._after, stream, position)
        return None if missed is None else [(entry.seq, entry_text(entry)) for entry in missed]

    def _missed(self, stream: str, since: int | None) -> list[Entry] | None:
        """The entries after `since`; None where only a snapshot can serve."""
        if since is None or not 0 < since <= self._records.last_seq(stream):
            return None
        return self._after(stream, since)

    def _after(self, stream: str, since: int) -> list[Entry] | None:
        missed = self._records.read(stream, since=since, limit=MAX_REPLAY + 1)
        if len(missed) > MAX_REPLAY or any(map(_brings_a_call, missed)):
            return None
        return missed

    async def _open_partials(self, stream: str, screen: _Screen, seat: str | None) -> list[str]:
        """Partials of a stream that was replayed; those that waited meanwhile are among them."""
        call_id = await asyncio.to_thread(self._records.current_call, stream)
        screen.waiting = [one for one in screen.waiting if one.entry is not None or one.newest]
        now = self._clock()
        partials = {} if stream == Stream.CALLS or seat is not None else self._partials.get(call_id or "", {})
        return [partial_text(segment, now) for segment in partials.values()]

    async def _snapshot(self, stream: str, screen: _Screen, seat: str | None) -> tuple[str, int]:
        """The stream as it stands; everything that waited for the screen is in it."""
        screen.take()
        if stream == Stream.CALLS or seat is not None:
            seq = await asyncio.to_thread(self._records.last_seq, stream)
            calls = await asyncio.to_thread(self._records.calls, operator_id=seat, limit=_LISTED_CALLS)
            calls = [self._with_seconds(call) for call in calls]
            if stream == Stream.CALLS and seat is None:
                self._put_last_lines(screen)
            # What waits with a higher seq may be in `calls` already; applying it again changes nothing.
            alarms = await asyncio.to_thread(self._alarms, seat)
            return list_snapshot_text(calls, alarms, seq, self._clock()), seq
        view = await asyncio.to_thread(self._records.view, stream)
        later = [waiting for waiting in screen.waiting if waiting.entry or waiting.newest]
        while later and (entry := later[0].entry) is not None and entry.seq <= view.seq + 1:
            view.apply(entry)
            later.pop(0)
        screen.waiting = later  # before these, something was not told here
        open_ones = self._partials.get(view.call.call_id, {}) if view.call else {}
        partials = [one for one in open_ones.values() if one.segment_id not in view.segments]
        view.call = self._with_seconds(view.call) if view.call else None
        return call_snapshot_text(view, partials, self._clock()), view.seq

    def _with_seconds(self, call: Call) -> Call:
        received_s = self._received_s(call.call_id)
        return call if received_s is None else replace(call, seconds=received_s)


def _brings_a_call(entry: Entry) -> bool:
    """Whether a running call comes into an operator's stream: what was said before is not in that stream."""
    fact = entry.fact
    return isinstance(fact, CallTransferred) and entry.stream == Stream.operator(fact.to_operator)
