"""The types of grouping.

In: nothing. Out: `Said`, one thing that somebody told.
Not known here: calls, orders, how anything is grouped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
Embed: TypeAlias = Callable[[Sequence[str]], Vectors]
"""n texts to (n, dimension), each of length 1, so that an inner product is a cosine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody told, in a sentence or two: a title, the summary of a wrap-up."""

    report_id: str
    at: datetime
    """When it was said; when it became known here does not matter."""
    caller: str | None
    """Who said it; somebody unknown counts as one caller for each report."""
    text: str
    place: str = ""
    """As far as it is known beside the text."""
    district: str = ""

    @property
    def who(self) -> str:
        """By whom it counts."""
        return f"c{self.caller}" if self.caller is not None else f"r{self.report_id}"

    @property
    def content(self) -> str:
        """Text and place, each once."""
        return self.text if self.place in self.text else f"{self.text} {self.place}"
