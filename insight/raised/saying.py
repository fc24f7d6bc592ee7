"""What calls and orders say in a line, without what leads to a person, and which of them are still there.

In: reports. Out: their summaries, masked. Not known here: what is done with them. All of it blocks.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Engine

from calls.masking import Known, masked_text
from calls.orders.tables import orders
from insight.raised.reading import Told
from insight.raised.reports import About, ReportStore
from insight.raised.tables import reports as _reports

_AT_ONCE = 500


class Sayings:
    """Reads them from the installation's one database."""

    def __init__(self, engine: Engine, reports: ReportStore) -> None:
        self._engine = engine
        self._reports = reports

    def of(self, told: Sequence[Told]) -> dict[str, str]:
        """By report; those that say nothing are left out."""
        found: dict[str, str] = {}
        for first in range(0, len(told), _AT_ONCE):
            some = told[first : first + _AT_ONCE]
            by_call = self._reports.about([one.call_id for one in some if one.call_id is not None])
            by_order = self._about_orders([one.order_id for one in some if one.order_id is not None])
            for one in some:
                about = by_order.get(one.order_id or "") or by_call.get(one.call_id or "")
                if about is not None and about.summary.strip():
                    found[one.report_id] = masked_text(about.summary.strip(), _known(about))
        return found

    def told(self, report_ids: Sequence[str]) -> list[Told]:
        """Those that are still kept."""
        parts = (report_ids[first : first + _AT_ONCE] for first in range(0, len(report_ids), _AT_ONCE))
        return [one for part in parts for one in self._reports.told(part)]

    def gone(self, report_ids: Sequence[str]) -> list[str]:
        """Those of which nothing is kept any more."""
        kept: set[str] = set()
        with self._engine.connect() as connection:
            for first in range(0, len(report_ids), _AT_ONCE):
                some = report_ids[first : first + _AT_ONCE]
                query = sa.select(_reports.c.report_id).where(_reports.c.report_id.in_(some))
                kept.update(connection.scalars(query))
        return [report_id for report_id in report_ids if report_id not in kept]

    def _about_orders(self, order_ids: Sequence[str]) -> dict[str, About]:
        columns = (orders.c.order_id, orders.c.summary, orders.c.caller_name, orders.c.caller_phone)
        query = sa.select(*columns).where(orders.c.order_id.in_(order_ids))
        with self._engine.connect() as connection:
            return {
                row.order_id: About(summary=row.summary, name=row.caller_name, number=row.caller_phone)
                for row in connection.execute(query)
            }


def _known(about: About) -> Known:
    return Known(
        names=tuple(filter(None, (about.name,))),
        numbers=tuple(filter(None, (about.number,))),
    )
