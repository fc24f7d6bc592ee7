"""A city's calls one by one, as they go through a hotline: queue, talk, wrap-up, work order.

In: the rates of a city, a first day, a number of days, a seed. Out: `SimulatedCall`s in the order of arrival.
Not known here: databases, clocks. What is called about comes from scripts/simulate_city.py.

The same seed gives the same calls. Callers wait for a free seat, first come first served; who loses patience
hangs up.
"""

import heapq
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from calls.orders.types import Satisfaction
from calls.wrapup.types import Kind, Urgency
from scripts.city_rates import City, categories
from scripts.simulate_city import Ints, simulate


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlan:
    """What becomes of the order, in its own times."""

    is_answered_at_once: bool
    dispatched_at: datetime
    taken_at: datetime
    sent_back_at: datetime | None
    """It goes to the same department once more, an hour later."""
    answered_at: datetime
    answer: str
    followed_up_at: datetime
    satisfaction: Satisfaction
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCall:
    """One call; `answered_at` is None where its caller gave up at `ended_at`."""

    call_id: str
    arrived_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    written_at: datetime
    """When the wrap-up was done."""
    seat: str
    caller: str | None
    kind: Kind
    urgency: Urgency
    category: str
    matter: str
    district: str
    place: str
    department: str
    said: str
    replied: str
    order: OrderPlan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """Callers who would not have called: many about one matter, in one district, within a few hours."""

    matter: str
    district: str
    callers: int
    starts_at: datetime
    hours: float = 4.0


@cache
def read_rules() -> Mapping[str, Any]:
    """Read the committed figures."""
    text = (files("scripts") / "data" / "simulated_calls.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def calls_of(
    city: City,
    *,
    first: date,
    days: int,
    seed: int,
    zone: tzinfo,
    factor: float = 1.0,
    rushes: Sequence[Rush] = (),
) -> Iterator[SimulatedCall]:
    """The calls of some days; `factor` leaves all but that part of them out, but none of the rushes.

    What a call is depends on the seed and its number alone, so that rushes change no other call.
    """
    simulated = simulate(city, first=first, days=days, seed=seed)
    rng = np.random.default_rng([seed, 2])
    is_chosen = rng.random(len(simulated.at_min)) < factor
    seconds = rng.integers(60, size=len(simulated.at_min)) + simulated.at_min * 60
    start = datetime.combine(first, time(), zone)
    rush_s, rush_leaf, rush_caller = _rushes(city, rushes, start, np.random.default_rng([seed, 4]))
    at_s = np.concatenate([seconds, rush_s])
    leaves = np.concatenate([simulated.leaf, rush_leaf])
    callers = np.concatenate([simulated.caller, rush_caller])
    chosen = np.flatnonzero(np.concatenate([is_chosen, np.ones(len(rush_s), dtype=bool)]))
    chosen = chosen[at_s[chosen] < days * 24 * 3600]
    order = chosen[np.argsort(at_s[chosen], kind="stable")]
    queue = _Queue(read_rules()["queue"], factor)
    of_day: dict[date, int] = {}
    for number in order.tolist():
        arrived = start + timedelta(seconds=int(at_s[number]))
        of_day[arrived.date()] = count = of_day.get(arrived.date(), 0) + 1
        yield _call(
            f"sim-{arrived:%Y%m%d}-{count:05d}",
            arrived,
            city,
            leaf=int(leaves[number]),
            caller=int(callers[number]),
            queue=queue,
            chance=np.random.default_rng([seed, 3, int(number)]),
        )


def _rushes(
    city: City, rushes: Sequence[Rush], start: datetime, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Second, leaf and caller of each; most call soon after it began. Raises `UnknownStream`."""
    found = [np.zeros((3, 0), dtype=np.int64)]
    for rush in rushes:
        leaf = city.streams.leaf(rush.matter, rush.district)
        began_s = round((rush.starts_at - start).total_seconds())
        after_s = (rng.beta(1.0, 2.5, size=rush.callers) * rush.hours * 3600).astype(np.int64)
        who = rng.choice(city.rates["callers"]["citizens"], size=rush.callers, replace=False)
        found.append(np.stack([began_s + after_s, np.full(rush.callers, leaf), who]))
    seconds, leaves, callers = np.concatenate(found, axis=1)
    return seconds, leaves, callers


class _Queue:
    """Seats, each with the moment from which on it is free."""

    def __init__(self, rules: Mapping[str, Any], factor: float) -> None:
        self._seats: Sequence[int] = [math.ceil(seats * factor) for seats in rules["seats"]]
        self._busy: list[tuple[datetime, int]] = []
        self._free = list(range(1, max(self._seats) + 1))

    def seat_for(
        self, arrived: datetime, rings: timedelta, patience: timedelta
    ) -> tuple[int, datetime] | None:
        """The next seat and when it answers; None where the caller gives up before."""
        while self._busy and self._busy[0][0] <= arrived:
            heapq.heappush(self._free, heapq.heappop(self._busy)[1])
        if len(self._busy) < self._seats[arrived.hour]:
            return heapq.heappop(self._free), arrived + rings
        # Seats that are over their hour go home, so who waits may wait for more than one to be free.
        too_many = len(self._busy) - self._seats[arrived.hour]
        free_at = heapq.nsmallest(too_many + 1, self._busy)[-1][0]
        if free_at - arrived > patience:
            return None
        _, seat = heapq.heappop(self._busy)
        return seat, max(free_at, arrived + rings)

    def take(self, seat: int, until: datetime) -> None:
        """The seat is busy until then."""
        heapq.heappush(self._busy, (until, seat))


def _call(
    call_id: str,
    arrived: datetime,
    city: City,
    *,
    leaf: int,
    caller: int,
    queue: _Queue,
    chance: np.random.Generator,
) -> SimulatedCall:
    rules = read_rules()
    waits, words = rules["queue"], rules["words"]
    matter, district = city.streams.matter(leaf), city.streams.district(leaf) or ""
    category = categories()[matter]
    kind = Kind(chance.choice(list(Kind), p=rules["kinds"][category]))
    urgency = Urgency(_one_of(rules["orders"]["urgency"], chance))
    department = rules["departments"][category]
    place = _place(words, chance)
    rings = timedelta(seconds=int(chance.integers(*waits["ring_s"])))
    patience = timedelta(seconds=10 + float(chance.exponential(waits["patience_s"])))
    talk = timedelta(seconds=20 + round(_lasting(waits["talk_s"], chance)))
    writing = timedelta(seconds=10 + round(_lasting(waits["writing_s"], chance)))
    found = queue.seat_for(arrived, rings, patience)
    answered = found[1] if found else None
    ended = answered + talk if answered else arrived + _whole(patience)
    written = ended + writing
    if found:
        queue.take(found[0], written)
    told = {"matter": matter, "district": district, "place": place, "department": department}
    has_order = answered is not None and chance.random() < rules["orders"]["share"][kind.value]
    return SimulatedCall(
        call_id=call_id,
        arrived_at=arrived,
        answered_at=answered,
        ended_at=ended,
        written_at=written,
        seat=f"{found[0]:03d}" if found else "",
        caller=None if chance.random() < waits["anonymous"] else f"000{caller:08d}",
        kind=kind,
        urgency=urgency,
        category=category,
        matter=matter,
        district=district,
        place=place,
        department=department,
        said=str(chance.choice(words["openings"])).format(**told),
        replied=str(chance.choice(words["replies"])).format(**told),
        order=_order(written, kind, urgency, told, chance) if has_order else None,
    )


def _order(
    made: datetime, kind: Kind, urgency: Urgency, told: Mapping[str, str], chance: np.random.Generator
) -> OrderPlan:
    rules = read_rules()["orders"]
    handling = {
        Urgency.USUAL: rules["answer_h"],
        Urgency.URGENT: rules["urgent_answer_h"],
        Urgency.AT_ONCE: rules["critical_answer_h"],
    }[urgency]
    at_once = kind is Kind.ASKS
    dispatched = made + timedelta(minutes=int(chance.integers(*rules["dispatch_min"])))
    take_h = _lasting(rules["take_h"], chance)
    took = timedelta(hours=take_h if urgency is Urgency.USUAL else min(take_h, 0.25))
    taken = dispatched + _whole(took)
    returned = taken + timedelta(minutes=30) if chance.random() < rules["sent_back"] and not at_once else None
    answered = taken + _whole(timedelta(hours=_lasting(handling, chance)))
    if returned:
        answered = max(answered, returned + timedelta(hours=3))
    if at_once:
        answered = made + timedelta(minutes=1)
    followed = answered + _whole(timedelta(hours=_lasting(rules["follow_up_h"], chance)))
    return OrderPlan(
        is_answered_at_once=at_once,
        dispatched_at=dispatched,
        taken_at=taken,
        sent_back_at=returned,
        answered_at=answered,
        answer=str(chance.choice(read_rules()["words"]["answers"])).format(**told),
        followed_up_at=followed,
        satisfaction=Satisfaction(_one_of(rules["satisfaction"], chance)),
        closed_at=followed + _whole(timedelta(hours=_lasting(rules["close_h"], chance))),
    )


def _place(words: Mapping[str, Any], chance: np.random.Generator) -> str:
    if chance.random() < 0.5:
        return f"{chance.choice(words['roads'])}{chance.integers(1, 400)}号"
    return f"{chance.choice(words['estates'])}{chance.integers(1, 40)}幢"


def _one_of(parts: Mapping[str, float], chance: np.random.Generator) -> str:
    return str(chance.choice(list(parts), p=list(parts.values())))


def _lasting(rule: Mapping[str, float], chance: np.random.Generator) -> float:
    return float(chance.lognormal(np.log(rule["median"]), rule["spread"]))


def _whole(span: timedelta) -> timedelta:
    """In whole seconds."""
    return timedelta(seconds=round(span.total_seconds()))
