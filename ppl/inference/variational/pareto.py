"""The shape k̂ of the tail of importance weights."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

LIMIT = 0.7  # above it the error of importance sampling falls too slowly with the number of draws to be of use
_LEAST = 25  # draws below which a tail says nothing
_DISTINCT = 10  # different weights in the tail below which it is that of a discrete guide, which no density fits


def khat(log_weights: Float[np.ndarray, " n"]) -> float:
    """k̂ of the generalised Pareto distribution fitted to the largest min(n/5, 3√n) weights (Vehtari, Simpson,
    Gelman, Yao,
    Gabry 2024): weights have 1/k̂ moments. −∞ where all weights are equal, NaN for fewer than 25 draws or ten
    different weights, +∞ where a weight is not finite."""
    n = log_weights.size
    if n < _LEAST:
        return math.nan
    if np.isnan(log_weights).any() or np.max(log_weights) == math.inf:
        return math.inf
    relative = np.sort(np.exp(log_weights - log_weights.max()))
    count = math.ceil(min(n / 5, 3 * math.sqrt(n)))
    threshold = relative[-count - 1]
    exceedances = relative[-count:] - threshold
    if exceedances[-1] > 1e-9 * relative[-1] and np.unique(exceedances).size < _DISTINCT:
        return math.nan
    # Weights that differ by rounding alone have no tail.
    if exceedances[-1] <= 1e-9 * relative[-1]:
        return -math.inf
    return _shape(np.maximum(exceedances, np.finfo(float).tiny))


def _shape(x: Float[np.ndarray, " m"]) -> float:
    """Zhang and Stephens' (2009) estimate from sorted exceedances, shrunk to 1/2 by a prior worth ten of them."""
    m = x.size
    grid = 30 + math.isqrt(m)
    theta = 1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    theta = theta / (3 * x[math.floor(m / 4 + 0.5) - 1]) + 1 / x[-1]
    shapes = np.mean(np.log1p(-theta[:, None] * x), axis=1)
    profile = m * (np.log(-theta / shapes) - shapes - 1)
    weights = np.exp(profile - np.logaddexp.reduce(profile))
    shape = float(np.mean(np.log1p(-(theta @ weights) * x)))
    return (m * shape + 10 * 0.5) / (m + 10)
