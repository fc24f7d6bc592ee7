"""Orders that are alike: the same matter at the same place, or the same caller again and again. Pure.

In: caller, place, matter as a unit vector, time, of a new order and of earlier ones.
Out: earlier orders that may be the same, most alike first; how often a caller came.
Not known here: where vectors come from, what is done with what is found.

The threshold of the matter was found on 30 sentences written for that (docs/orders.md), the others are set by
judgement: nobody has measured yet how many duplicates they find or make up on real orders.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LikenessOptions:
    """From where on orders are alike."""

    matter: float = 0.35
    """Cosine of two matters, less what all sentences have in common."""
    place: float = 0.6
    """Share of letter pairs that two places have in common."""
    within_days: float = 30.0
    repeats_from: int = 3
    """Orders of one caller that make a repeat."""

    def __post_init__(self) -> None:
        if not (0 < self.matter <= 1 and 0 < self.place <= 1):
            raise ValueError("likeness lies between 0 and 1")
        if self.within_days <= 0 or self.repeats_from < 2:
            raise ValueError("a repeat is the second one at least, within some time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What makes an order like another."""

    order_id: str
    caller: str
    """The telephone number; empty where it is not known."""
    place: str
    """Empty where none was told."""
    matter: NDArray[np.float32]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """An earlier order that may be about the same."""

    order_id: str
    matter: float
    place: float
    is_same_caller: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """The orders of one caller, this one included, newest first."""

    order_ids: tuple[str, ...]
    is_repeated: bool


def find_duplicates(new: Trace, earlier: Iterable[Trace], options: LikenessOptions) -> tuple[Duplicate, ...]:
    """Find orders of the same matter and the same place, whoever called; most alike first.

    Where a place is not known nothing tells two matters apart but the caller: it must be the same.
    """
    found = []
    for other in _recent(new, earlier, options):
        matter = float(new.matter @ other.matter)
        if matter < options.matter:
            continue
        is_same_caller = _number(new.caller) != "" and _number(new.caller) == _number(other.caller)
        place = place_likeness(new.place, other.place)
        if place is None:
            if not is_same_caller:
                continue
        elif place < options.place:
            continue
        found.append(
            Duplicate(
                order_id=other.order_id, matter=matter, place=place or 0.0, is_same_caller=is_same_caller
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.matter * (0.5 + one.place / 2), one.order_id)))


def count_repeats(new: Trace, earlier: Iterable[Trace], options: LikenessOptions) -> Repeats:
    """Tell which orders the same number has brought lately, whatever they were about."""
    number = _number(new.caller)
    same = [new]
    if number:
        same += [other for other in _recent(new, earlier, options) if _number(other.caller) == number]
    same.sort(key=lambda trace: (trace.at, trace.order_id), reverse=True)
    return Repeats(
        order_ids=tuple(trace.order_id for trace in same), is_repeated=len(same) >= options.repeats_from
    )


def place_likeness(one: str, other: str) -> float | None:
    """How much two places have in common, 0 to 1; None where neither or only one is told.

    House numbers decide: 216号 is not 218号, however alike the rest is.
    """
    first, second = _plain(one), _plain(other)
    if not first or not second:
        return None
    if first == second:
        return 1.0
    numbers = [set(re.findall(r"\d+", text)) for text in (first, second)]
    if all(numbers) and not (numbers[0] <= numbers[1] or numbers[1] <= numbers[0]):
        return 0.0
    pairs = [Counter(text[i : i + 2] for i in range(max(1, len(text) - 1))) for text in (first, second)]
    return (pairs[0] & pairs[1]).total() / min(pairs[0].total(), pairs[1].total())


def _recent(new: Trace, earlier: Iterable[Trace], options: LikenessOptions) -> list[Trace]:
    begins = new.at - timedelta(days=options.within_days)
    return [other for other in earlier if other.order_id != new.order_id and begins <= other.at <= new.at]


def _number(caller: str) -> str:
    """Digits alone, without the country: 匿名 and the like are no number."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", caller))
    return re.sub(r"^(0086|86)(?=1\d{10}$)", "", digits)


def _plain(place: str) -> str:
    """Without the city, spaces and signs; full-width digits as digits."""
    text = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", place))
    return re.sub(r"^(浙江省)?(舟山市)?", "", "" if text == "未提供" else text)
