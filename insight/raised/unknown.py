"""Finds matters that nobody has a name for: keeps a `ClusterWatch` fed with calls that no article speaks of.

In: what is told, the matters that have names, a function that embeds. Out: warnings.
Not known here: where warnings go, which model embeds. All of it blocks.

- At the first start it learns from what was told within the time that the watch remembers.
- Summaries are read without numbers and names, and are not kept: after a restart they are read again. What is
  deleted is forgotten within minutes.
"""

import json
import logging
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from insight.clusters.saving import restore, save
from insight.clusters.types import Embed, Said
from insight.clusters.watch import ClusterOptions, ClusterWatch
from insight.raised.finders import Standing
from insight.raised.progress import Progress
from insight.raised.reading import NO_DISTRICT, Told
from insight.raised.reports import Change, ReportStore
from insight.raised.saying import Sayings
from insight.raised.types import Layer, RaisedWarning
from insight.types import EarlyWarning, StateRefused

log = logging.getLogger(__name__)

DAYS_NEEDED = 14
"""As for known matters: before that everything is new."""
_MOST_LEARNT = 5_000
"""Of the past, the newest: at the first start all of them are embedded, within a minute or two."""
_AT_ONCE = 50
"""So many are heard before it is asked whether the house closes."""
_RECONCILED_EVERY = timedelta(minutes=5)
_LEAST_CHARS = 4
_HEAD = struct.Struct(">I")
_OPTIONS = ClusterOptions()


class UnknownFinder:
    """Holds the watch."""

    layer = Layer.UNKNOWN

    def __init__(
        self,
        reports: ReportStore,
        sayings: Sayings,
        *,
        embed: Embed,
        matters: Callable[[], Sequence[str]],
        usual: Callable[[], Sequence[str]],
    ) -> None:
        """`matters`: those that have names; `usual`: some hundred lines such as are told every day."""
        self._reports = reports
        self._sayings = sayings
        self._embed = embed
        self._matters = matters
        self._usual = usual
        self._watch: ClusterWatch | None = None
        self._now: datetime | None = None
        self._began: datetime | None = None
        """The first that it has heard of."""
        self._reconciled_at: datetime | None = None

    @property
    def standing(self) -> Standing:
        """How it fares."""
        if self._watch is None:
            return Standing(days_needed=DAYS_NEEDED)
        return Standing(
            days=self._days(),
            days_needed=DAYS_NEEDED,
            looked_at=self._now,
            matters=len(self._watch.groups.clusters),
        )

    def open(self, state: bytes | None, now: datetime) -> None:
        """Go on from a kept state, or learn from all that is known."""
        began = time.monotonic()
        self._now = now
        self._watch = ClusterWatch(self._embed, usual=self._usual(), options=_OPTIONS)
        since = now - timedelta(days=_OPTIONS.kept_days)
        if state is not None:
            try:
                since = self._restored(self._watch, state)
            except (StateRefused, ValueError, KeyError, struct.error) as error:
                log.warning("matters without a name are learnt anew: %s", type(error).__name__)
        known = self._reports.known_between(since, now + timedelta(hours=1))
        fresh = [one for one in known if one.report_id not in self._watch.groups]
        fresh = fresh[-_MOST_LEARNT:]
        heard = 0
        for first in range(0, len(fresh), _AT_ONCE):
            self._reports.go_on()
            heard += self._hear(fresh[first : first + _AT_ONCE])
        log.info("matters without a name: heard %d reports in %.1f s", heard, time.monotonic() - began)

    def hear(self, changes: Sequence[Change]) -> None:
        """Take in what no named matter speaks of, and forget what does no more."""
        gone = [change.before.report_id for change in changes if change.after is None and change.before]
        now = [change.after for change in changes if change.after is not None]
        named = set(self._matters())
        gone += [one.report_id for one in now if one.matter in named]
        self._opened().forget(*gone)
        self._hear(now)

    def advance(self, now: datetime) -> list[EarlyWarning]:
        """Look at what has come."""
        self._now = now
        self._reconcile(now)
        told = self._opened().advance(now)
        return told if self._days() >= DAYS_NEEDED else []

    def progress(self, warning: RaisedWarning) -> Progress:
        """How a matter went on since the warning's `since`."""
        said = self._since(warning)
        return Progress(
            callers=len({one.who for one in said}),
            places=len({one.place for one in said if one.place}),
            latest_at=max((one.at for one in said), default=None),
        )

    def sample_ids(self, warning: RaisedWarning, limit: int) -> tuple[str, ...]:
        """The newest reports of it, one for each caller."""
        newest = {one.who: one.report_id for one in self._since(warning)}
        return tuple(reversed(newest.values()))[:limit]

    def expected_hourly(self, warning: RaisedWarning, hours: Sequence[datetime]) -> list[float] | None:
        """What was expected when it was raised, evenly: of something new no hour is known."""
        return [warning.expected / max(1, warning.window_h)] * len(hours)

    def state(self) -> bytes:
        """What the watch remembers, and up to when it has heard."""
        assert self._now is not None, "it is opened first"
        began = self._began.isoformat() if self._began is not None else None
        head = json.dumps({"until": self._now.isoformat(), "began": began}).encode()
        return _HEAD.pack(len(head)) + head + save(self._opened(), self._embed)

    def _opened(self) -> ClusterWatch:
        assert self._watch is not None, "it is opened first"
        return self._watch

    def _restored(self, watch: ClusterWatch, state: bytes) -> datetime:
        (length,) = _HEAD.unpack_from(state)
        head = json.loads(state[_HEAD.size : _HEAD.size + length])
        until = datetime.fromisoformat(head["until"])
        began = datetime.fromisoformat(head["began"]) if head["began"] else None
        restore(watch, state[_HEAD.size + length :], self._embed, self._recalled)
        self._began = began
        return until

    def _hear(self, told: Iterable[Told]) -> int:
        named = set(self._matters())
        said = self._said([one for one in told if one.matter not in named])
        self._opened().hear(*said)
        if said:
            first = min(one.at for one in said)
            self._began = first if self._began is None else min(self._began, first)
        return len(said)

    def _recalled(self, report_ids: Sequence[str]) -> dict[str, Said]:
        return {one.report_id: one for one in self._said(self._sayings.told(report_ids))}

    def _said(self, told: Sequence[Told]) -> list[Said]:
        """With what they say; those that say nothing are left out."""
        texts = self._sayings.of(told)
        return [
            Said(
                report_id=one.report_id,
                at=self._local(one.at),
                caller=one.caller,
                text=texts[one.report_id],
                place=one.place,
                district="" if one.district == NO_DISTRICT else one.district,
            )
            for one in told
            if len(texts.get(one.report_id, "")) >= _LEAST_CHARS
        ]

    def _since(self, warning: RaisedWarning) -> list[Said]:
        return [one for one in self._opened().messages(warning.matter) if one.at >= warning.since]

    def _reconcile(self, now: datetime) -> None:
        """Forget what was deleted: nobody tells of that."""
        if self._reconciled_at is not None and now - self._reconciled_at < _RECONCILED_EVERY:
            return
        self._reconciled_at = now
        watch = self._opened()
        watch.forget(*self._sayings.gone([kept.said.report_id for kept in watch.groups.kept.values()]))

    def _days(self) -> int:
        return (self._now - self._began).days if self._now and self._began else 0

    def _local(self, at: datetime) -> datetime:
        assert self._now is not None, "it is opened first"
        return at.astimezone(self._now.tzinfo)
