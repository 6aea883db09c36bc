"""Tests with a sample size that is fixed beforehand: means against known values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

_SHARP, _NORMALS = 2.5e-3, 20_000


class MeanTest(NamedTuple):
    """One row of statistics against their expectations under the claim.

    ``p_value``: two-sided, of the most extreme of ``k`` statistics, corrected for their number; ``which`` is its
    index, ``z`` its standardised deviation, ``mean`` and ``expected`` its value and what it should be."""

    p_value: float
    which: int
    z: float
    mean: float
    expected: float
    n: int


def sample_size(delta: float, alpha: float, k: int = 1, power: float = 0.99) -> int:
    """n = ((z_{1−α/2k} + z_{power}) / δ)²: draws that find a bias of δ standard deviations, at level α over k
    statistics."""
    quantiles = stats.norm.isf(alpha / (2 * k)) + stats.norm.ppf(power)
    return int(np.ceil((quantiles / delta) ** 2))


def detectable(n: int, alpha: float, k: int = 1, power: float = 0.99) -> float:
    """The least bias, in standard deviations, that ``n`` draws find with ``power``: the inverse of ``sample_size``."""
    return float((stats.norm.isf(alpha / (2 * k)) + stats.norm.ppf(power)) / np.sqrt(n))


def test_means(draws: np.ndarray, expected: np.ndarray) -> MeanTest:
    """``draws`` of shape (n, k), ``expected`` of shape (k,). A statistic that is not finite, or constant and wrong,
    has p = 0."""
    draws = np.asarray(draws, float)
    draws = draws.reshape(draws.shape[0], -1)
    expected = np.broadcast_to(np.asarray(expected, float).ravel(), draws.shape[1:])
    n, k = draws.shape
    means = draws.mean(0)
    errors = draws.std(0, ddof=1) / np.sqrt(n)
    off = means - expected
    scale = np.maximum(1.0, np.abs(expected))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(np.abs(off) <= 1e-9 * scale, 0.0, off / errors)
    indicator = ((draws == 0) | (draws == 1)).all(0)  # frequencies: exact, as rare events have no normal limit
    count, p = draws.sum(0), np.clip(expected, 0.0, 1.0)
    tail = np.minimum(stats.binom.cdf(count, n, p), stats.binom.sf(count - 1, n, p))
    with np.errstate(invalid="ignore"):  # columns that are no frequencies
        z = np.where(indicator, np.sign(off) * stats.norm.isf(np.minimum(tail, 0.5)), z)
    z = np.where(np.isfinite(draws).all(0), z, np.inf)
    z = np.where(np.isnan(z), np.inf, z)
    worst = int(np.argmax(np.abs(z)))
    p = min(1.0, float(2 * stats.norm.sf(abs(z[worst]))) * k)
    p = _correlated(draws, abs(z[worst]), p) if k > 1 and p > _SHARP else p
    return MeanTest(p, worst, float(z[worst]), float(means[worst]), float(expected[worst]), n)


def _correlated(draws: np.ndarray, z: float, bonferroni: float) -> float:
    """P(max |Zᵢ| ≥ z) for normal Z with the correlations of ``draws``, by simulation: Bonferroni's bound is far above
    where the statistics say nearly the same. Not below ``_SHARP``, where so few simulations reach."""
    varying = draws[:, draws.std(0) > 1e-9 * np.maximum(1.0, np.abs(draws).max(0))]
    if varying.shape[1] == 0:
        return bonferroni
    correlation = np.corrcoef(varying, rowvar=False).reshape(varying.shape[1], -1)
    values, vectors = np.linalg.eigh(correlation)
    normals = np.random.default_rng(0).normal(size=(_NORMALS, len(values)))
    reached = np.abs(normals @ (vectors * np.sqrt(np.maximum(values, 0.0))).T).max(1) >= z
    return min(bonferroni, max(_SHARP, float(reached.mean())))


def test_weights(draws: np.ndarray, expected: np.ndarray, bounds: tuple[float, ...] = (10.0, 100.0)) -> MeanTest:
    """``test_means`` for statistics that are never negative. Weights without a variance hide their bias from it: so
    also, one-sided, E min(X, c) ≤ E X for each of ``bounds`` c times the expectation of the total weight (column 0)."""
    draws = np.asarray(draws, float)
    whole = test_means(draws, expected)
    tests = [whole]
    for c in bounds:
        cut = np.minimum(draws, c * max(float(np.ravel(expected)[0]), 1e-300))
        if (cut < draws).any():
            above = np.maximum(np.ravel(expected), cut.mean(0))  # below its expectation nothing is wrong
            tests.append(test_means(np.where(above > np.ravel(expected), cut, np.ravel(expected)), expected))
    best = min(tests, key=lambda t: t.p_value)
    return best._replace(p_value=min(1.0, best.p_value * len(tests)))


test_weights.__test__ = False  # type: ignore[attr-defined]
test_means.__test__ = False  # type: ignore[attr-defined]  # not a test of ours: pytest collects by name
