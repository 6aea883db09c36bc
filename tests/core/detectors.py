"""What tells a sampler or a density that is wrong from one that is right. The tests of our own and of the mutants
share them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats


def dkw_bound(n: int, alpha: float = 1e-6) -> float:
    """ε with P(sup |Fₙ − F| > ε) ≤ alpha for every F, discrete ones too (Massart, 1990): alpha = 2 exp(−2 n ε²)."""
    return float(np.sqrt(np.log(2 / alpha) / (2 * n)))


def distance(x: np.ndarray, law: Any, discrete: bool) -> float:
    """sup |Fₙ − F|."""
    if discrete:
        values = np.unique(np.concatenate([x, x - 1]))
        empirical = np.searchsorted(np.sort(x), values, side="right") / x.size
        return float(np.abs(empirical - law.cdf(values)).max())
    F, steps = law.cdf(np.sort(x)), np.arange(x.size + 1) / x.size
    return float(max((steps[1:] - F).max(), (F - steps[:-1]).max()))


def moment_scores(x: np.ndarray, law: Any) -> tuple[float, float]:
    """z-scores of mean and second central moment, with the law's own moments (the fourth must exist)."""
    mean, variance, _, kurtosis = map(float, law.stats(moments="mvsk"))
    n = x.size
    first = (x.mean() - mean) / np.sqrt(variance / n)
    second = (np.mean((x - mean) ** 2) - variance) / (variance * np.sqrt((kurtosis + 2) / n))
    return first, second


Z = float(
    stats.norm.isf(0.5e-6)
)  # of a two-sided false-alarm rate of 1e-6, up to the error of the normal approximation
