"""What is counted: every matter in every district, and every matter in the whole city.

In: names of matters and districts. Out: the number of each stream.
Not known here: counts.

Streams are numbered so that arrays can hold them: first the leaves, matter by matter, then the city's.
"""

from collections.abc import Sequence

import numpy as np

from insight.types import UnknownStream


class Streams:
    """Numbers of matters × districts."""

    def __init__(self, matters: Sequence[str], districts: Sequence[str]) -> None:
        self.matters: tuple[str, ...] = tuple(matters)
        self.districts: tuple[str, ...] = tuple(districts)
        self.n_leaves = len(self.matters) * len(self.districts)
        self.n_streams = self.n_leaves + len(self.matters)
        self.matter_of = np.concatenate(
            [np.repeat(np.arange(len(self.matters)), len(self.districts)), np.arange(len(self.matters))]
        )
        """The matter of each stream."""
        self._matter = {name: number for number, name in enumerate(self.matters)}
        self._district = {name: number for number, name in enumerate(self.districts)}

    def leaf(self, matter: str, district: str) -> int:
        """The stream of a matter in a district; raises `UnknownStream`."""
        try:
            return self._matter[matter] * len(self.districts) + self._district[district]
        except KeyError as missing:
            raise UnknownStream(f"没有统计“{missing.args[0]}”。") from None

    def city(self, stream: int) -> int:
        """The whole city's stream of the same matter."""
        return self.n_leaves + int(self.matter_of[stream])

    def leaves(self, matter: int) -> range:
        """The streams of a matter's districts."""
        return range(matter * len(self.districts), (matter + 1) * len(self.districts))

    def is_city(self, stream: int) -> bool:
        """Whether the stream is of the whole city."""
        return stream >= self.n_leaves

    def district(self, stream: int) -> str | None:
        """The district of a stream, or None for the whole city."""
        return None if self.is_city(stream) else self.districts[stream % len(self.districts)]

    def matter(self, stream: int) -> str:
        """The matter of a stream."""
        return self.matters[int(self.matter_of[stream])]
