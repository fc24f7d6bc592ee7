"""Scores calls after they have ended, beside the calls, and keeps what is said of the scores.

In: a database with calls, the rules. Out: scores a few seconds after each call.
Not known here: HTTP, who may see what.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from asr.types import Segment
from calls.quality.rules import QualityRules, read_rules, rules_of
from calls.quality.sampling import draw_sample
from calls.quality.scoring import score_call
from calls.quality.store import QualityFilter, QualityStore
from calls.quality.types import BadQualityRules, Judged, Scored
from calls.records import Records
from calls.types import Call, Stream
from calls.view import CallView

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
_RETRY_S = 30.0
_AT_ONCE = 20
_MOST_OF_A_DAY = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityDesk:
    """Everything about scores."""

    store: QualityStore
    records: Records
    data_dir: Path
    zone: ZoneInfo
    clock: Callable[[], datetime]

    @classmethod
    def open(
        cls, engine: Engine, data_dir: Path, *, records: Records, timezone: str, clock: Callable[[], datetime]
    ) -> "QualityDesk":
        """Open it."""
        return cls(
            store=QualityStore(engine),
            records=records,
            data_dir=data_dir,
            zone=ZoneInfo(timezone),
            clock=clock,
        )

    def catch_up(self) -> int:
        """Score what has ended; returns how many calls were looked at. Blocks."""
        call_ids, until = self.store.ended(limit=_AT_ONCE)
        if not until:
            return 0
        rules = self._rules()
        found: list[tuple[Call, Scored]] = []
        for call_id in call_ids:
            try:
                view = self.records.view(Stream.call(call_id))
            except ValueError:  # one damaged row must not keep the others without a score
                log.error("call %s cannot be read and is not scored", call_id)
                continue
            scored = score_call(as_heard(view), view.call.seconds, rules) if view.call else None
            if view.call is not None and scored is not None:
                found.append((view.call, scored))
        self.store.take_in(found, until=until)
        return len(call_ids)

    def sample(self, day: date, *, each: int) -> list[Judged]:
        """The calls of a day that a reviewer looks at. Blocks."""
        begin = datetime.combine(day, time.min, self.zone)
        which = QualityFilter(since=begin, before=begin + timedelta(days=1))
        calls, _ = self.store.list_judged(which, limit=_MOST_OF_A_DAY)
        return draw_sample(calls, day, each=each)

    async def follow(self) -> None:
        """Score calls as they end, without end."""
        while True:
            try:
                looked_at = await asyncio.to_thread(self.catch_up)
            except Exception:  # scores can be made up for later; calls must go on
                log.exception("calls cannot be scored now")
                await asyncio.sleep(_RETRY_S)
                continue
            await asyncio.sleep(LOOK_EVERY_S if looked_at < _AT_ONCE else 0.1)

    def _rules(self) -> QualityRules:
        try:
            return rules_of(self.data_dir)
        except (BadQualityRules, OSError, UnicodeError) as error:
            why = error.message if isinstance(error, BadQualityRules) else type(error).__name__
            log.error("the rules of quality that come with the product are used: %s", why)
            return read_rules()


def as_heard(view: CallView) -> list[Segment]:
    """The lines of a call as the ears wrote them: nobody changes a score by changing the text."""
    changed = {edit.original.segment_id: edit.original for edit in view.edits.values()}
    lines = dict(view.segments) | changed
    return [one for one in lines.values() if one.text]
