"""What is counted: every matter and category in every district, and every one of them in the whole city.

In: names of matters, their categories, districts. Out: the number of each stream.
Not known here: counts.

A category with several matters is counted like a matter of its own, its callers once. Streams are numbered so
that arrays can hold them: first the leaves, matter by matter and then category by category, then the city's.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from insight.types import UnknownStream


class Streams:
    """Numbers of matters × districts; categories come after the matters."""

    def __init__(
        self, matters: Sequence[str], districts: Sequence[str], categories: Sequence[str] | None = None
    ) -> None:
        """`categories`: one for each matter, or none at all; "" for a matter that has none."""
        of_each = tuple(categories) if categories is not None else ("",) * len(matters)
        if len(of_each) != len(matters):
            raise ValueError("one category for each matter")
        several = [name for name, times in Counter(of_each).items() if name and times > 1]
        self.districts: tuple[str, ...] = tuple(districts)
        self.matters: tuple[str, ...] = (*matters, *several)
        """And categories."""
        self.n_matters = len(matters)
        self.n_matter_leaves = len(matters) * len(self.districts)
        self.n_leaves = len(self.matters) * len(self.districts)
        self.n_streams = self.n_leaves + len(self.matters)
        every = np.arange(len(self.matters))
        self.matter_of = np.concatenate([np.repeat(every, len(self.districts)), every])
        """The matter of each stream."""
        place = {name: self.n_matters + number for number, name in enumerate(several)}
        self.category_of: tuple[int | None, ...] = tuple(place.get(name) for name in of_each)
        """Of each matter, as a number among `matters`."""
        self._matter = {name: number for number, name in enumerate(matters)}
        self._district = {name: number for number, name in enumerate(self.districts)}

    def names(self) -> list[list[str | int | None]]:
        """What makes streams the same as others."""
        return [list(self.matters), list(self.districts), list(self.category_of)]

    def leaf(self, matter: str, district: str) -> int:
        """The stream of a matter in a district; raises `UnknownStream`."""
        try:
            return self._matter[matter] * len(self.districts) + self._district[district]
        except KeyError as missing:
            raise UnknownStream(f"没有统计“{missing.args[0]}”。") from None

    def counted_in(self, leaf: int) -> tuple[int, ...]:
        """All streams that a report of a leaf counts in."""
        category = self.category_of[self.matter_of[leaf]]
        if category is None:
            return leaf, self.city(leaf)
        above = category * len(self.districts) + leaf % len(self.districts)
        return leaf, self.city(leaf), above, self.city(above)

    def city(self, stream: int) -> int:
        """The whole city's stream of the same matter."""
        return self.n_leaves + int(self.matter_of[stream])

    def leaves(self, matter: int) -> range:
        """The streams of a matter's districts."""
        return range(matter * len(self.districts), (matter + 1) * len(self.districts))

    def above(self, leaf: int) -> tuple[int, ...]:
        """Of a matter's leaf: the matter in the city, and its category in the district; of others nothing."""
        if leaf >= self.n_matter_leaves:
            return (self.city(leaf),) if not self.is_city(leaf) else ()
        return self.counted_in(leaf)[1:3]

    def below(self, stream: int) -> list[int]:
        """The streams of a category's matters in the same district or city; none of a matter's."""
        category = int(self.matter_of[stream])
        matters = [number for number, above in enumerate(self.category_of) if above == category]
        if self.is_city(stream):
            return [self.n_leaves + number for number in matters]
        return [number * len(self.districts) + stream % len(self.districts) for number in matters]

    def is_city(self, stream: int) -> bool:
        """Whether the stream is of the whole city."""
        return stream >= self.n_leaves

    def is_category(self, stream: int) -> bool:
        """Whether the stream is of a category, not of a matter."""
        return bool(self.matter_of[stream] >= self.n_matters)

    def district(self, stream: int) -> str | None:
        """The district of a stream, or None for the whole city."""
        return None if self.is_city(stream) else self.districts[stream % len(self.districts)]

    def matter(self, stream: int) -> str:
        """The matter (or category) of a stream."""
        return self.matters[int(self.matter_of[stream])]
