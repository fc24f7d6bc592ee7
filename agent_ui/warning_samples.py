"""Calls and orders that stand for a warning, as they are shown: masked, newest first.

In: a warning, what was told of it. Out: samples with one line of what each is about.
Not known here: HTTP, who asks.
"""

from collections.abc import Iterator

from agent_ui.warning_bodies import SampleOut
from calls.masking import Known, masked_text
from calls.orders.store import OrderStore
from calls.orders.types import UnknownOrder
from calls.records import Records
from insight.raised.reading import Told
from insight.raised.reports import About, ReportStore
from insight.raised.types import Layer, RaisedWarning

_NOTHING = About()


def samples_of(
    warning: RaisedWarning, reports: ReportStore, *, records: Records, orders: OrderStore, is_full: bool
) -> Iterator[SampleOut]:
    """One for each, without what leads to a person unless `is_full`. Blocks."""
    told = reports.told(warning.sample_ids)
    shown = {one.report_id for one in told}
    for call_id in warning.sample_ids if warning.layer is Layer.SAFETY else ():
        call = records.call(call_id) if call_id not in shown else None
        if call is not None:  # it goes on, or nothing is written down of it
            place = warning.district or ""
            yield SampleOut(report_id=call_id, call_id=call_id, at=call.started_at, district=place)
    said = reports.about([one.call_id for one in told if one.call_id is not None])
    for one in told:
        about = _about_order(one, orders) or said.get(one.call_id or "", _NOTHING)
        known = Known(names=tuple(filter(None, (about.name,))), numbers=tuple(filter(None, (about.number,))))
        summary, place = about.summary, one.place
        if not is_full:
            summary, place = masked_text(summary, known), masked_text(place, known)
        yield SampleOut(
            report_id=one.report_id,
            call_id=one.call_id,
            order_id=one.order_id,
            at=one.at,
            district=one.district,
            place=place,
            summary=summary,
        )


def _about_order(told: Told, orders: OrderStore) -> About | None:
    if told.order_id is None:
        return None
    try:
        content = orders.order(told.order_id).content
    except UnknownOrder:
        return None
    return About(summary=content.summary, name=content.caller_name, number=content.caller_phone)
