"""Probabilities: how likely a count is by chance, and what that is worth among many.

In: counts, expectations, spread. Out: probabilities.
Not known here: what is counted.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST_SPREAD = 1e-4
"""Below it a negative binomial is as good as a Poisson distribution, and the function loses digits."""
_LEAST_MEAN = 1e-6


def tail(counts: NDArray[Any], means: Floats, spreads: Floats) -> Floats:
    """Probability of as many or more, negative binomial with variance `mean + spread · mean²`."""
    size = 1.0 / np.maximum(spreads, _LEAST_SPREAD)
    means = np.maximum(means, _LEAST_MEAN)
    found = betainc(np.maximum(counts, 1).astype(float), size, means / (size + means))
    return np.where(counts > 0, found, 1.0)


def false_shares(probabilities: Floats) -> Floats:
    """Adjust by Benjamini and Hochberg: the share of false ones among all that look as bad or worse."""
    order = np.argsort(probabilities)
    ranked = probabilities[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted = np.empty_like(ranked)
    adjusted[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return adjusted
