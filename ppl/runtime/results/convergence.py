"""R-hat, effective sample sizes and Monte Carlo errors of Markov chains.

After Vehtari, Gelman, Simpson, Carpenter, Bürkner: *Rank-normalization, folding, and localization: an improved R-hat
for assessing convergence of MCMC* (Bayesian Analysis 2021), in the same variants as arviz-stats, with which the tests
compare. It is written in NumPy, vectorised over variables, because importing arviz-stats takes longer than sampling a
small model.

Arrays are (chains, draws, k) for k scalars; results have shape (k,). A scalar that never moves has no R-hat (NaN) and
an effective sample size equal to the number of draws, as there is no error to estimate.
"""

from __future__ import annotations

import numpy as np

MIN_DRAWS = 4


def rhat(x: np.ndarray) -> np.ndarray:
    """Rank-normalised split R-hat: the greater of that of the values and that of their distance from the median."""
    x = np.asarray(x, float)
    if x.shape[1] < MIN_DRAWS or x.shape[0] < 2:
        return np.full(x.shape[2], np.nan)
    halves = _split(x)
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    return np.maximum(_rhat(_normal_scores(halves)), _rhat(_normal_scores(folded)))


def ess_bulk(x: np.ndarray) -> np.ndarray:
    """Effective sample size of the rank-normalised values."""
    return _if_enough(x, lambda y: _ess(_normal_scores(_split(y))))


def ess_tail(x: np.ndarray, prob: tuple[float, float] = (0.05, 0.95)) -> np.ndarray:
    """The least effective sample size of the estimates of P(x ≤ q), q the quantiles ``prob``."""

    def least(y: np.ndarray) -> np.ndarray:
        quantiles = np.quantile(y, prob, axis=(0, 1))
        return np.minimum(*(_ess(_split((y <= q).astype(float))) for q in quantiles))

    return _if_enough(x, least)


def ess_mean(x: np.ndarray) -> np.ndarray:
    """Effective sample size for the mean."""
    return _if_enough(x, lambda y: _ess(_split(y)))


def mcse_mean(x: np.ndarray) -> np.ndarray:
    """Standard error of the mean: sd / √ess."""
    x = np.asarray(x, float)
    return np.std(x, axis=(0, 1), ddof=1) / np.sqrt(ess_mean(x)) if x.shape[0] * x.shape[1] > 1 else ess_mean(x)


def _if_enough(x: np.ndarray, estimate) -> np.ndarray:
    x = np.asarray(x, float)
    return np.full(x.shape[2], np.nan) if x.shape[1] < MIN_DRAWS else estimate(x)


def _split(x: np.ndarray) -> np.ndarray:
    """Each chain as two, of its first and last halves."""
    half = x.shape[1] // 2
    return np.concatenate([x[:, :half], x[:, -half:]])


def _normal_scores(x: np.ndarray) -> np.ndarray:
    """Φ⁻¹((rank − 3/8) / (n + 1/4)), ties with their mean rank."""
    from scipy.special import ndtri

    n = x.shape[0] * x.shape[1]
    ranks = _mean_ranks(x.reshape(n, -1))
    return ndtri((ranks - 0.375) / (n + 0.25)).reshape(x.shape)


def _mean_ranks(x: np.ndarray) -> np.ndarray:
    """Ranks from 1 along axis 0; equal values share the mean of their ranks. A NaN makes its column NaN."""
    n = len(x)
    order = np.argsort(x, axis=0, kind="stable")
    values = np.take_along_axis(x, order, axis=0)
    starts = np.ones(x.shape, bool)
    starts[1:] = values[1:] != values[:-1]
    position = np.arange(n)[:, None]
    first = np.maximum.accumulate(np.where(starts, position, 0), axis=0)
    ends = np.ones(x.shape, bool)
    ends[:-1] = starts[1:]
    last = np.minimum.accumulate(np.where(ends, position, n - 1)[::-1], axis=0)[::-1]
    ranks = np.empty(x.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=0)
    ranks[:, np.isnan(x).any(axis=0)] = np.nan
    return ranks


def _rhat(x: np.ndarray) -> np.ndarray:
    n = x.shape[1]
    between = n * np.var(x.mean(axis=1), axis=0, ddof=1)
    within = np.mean(np.var(x, axis=1, ddof=1), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt((between / within + n - 1) / n)


def _autocovariance(x: np.ndarray) -> np.ndarray:
    """Along axis 1, by the fast Fourier transform, divided by n at every lag."""
    n = x.shape[1]
    length = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(x - x.mean(axis=1, keepdims=True), length, axis=1)
    return np.fft.irfft(spectrum * spectrum.conj(), length, axis=1)[:, :n] / n


def _ess(x: np.ndarray) -> np.ndarray:
    """Chains times draws over the integrated autocorrelation time, cut off by Geyer's initial monotone sequence."""
    chains, n, k = x.shape
    covariance = _autocovariance(x).mean(axis=0)
    within = covariance[0] * n / (n - 1)
    total = covariance[0].copy()
    if chains > 1:
        total += np.var(x.mean(axis=1), axis=0, ddof=1)
    constant = np.ptp(x.reshape(-1, k), axis=0) < np.finfo(float).resolution
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = 1 - (within - covariance) / total
    rho[0] = 1
    size = chains * n
    times = np.array([_autocorrelation_time(rho[:, j]) for j in range(k)])
    with np.errstate(invalid="ignore"):
        ess = size / np.maximum(times, 1 / np.log10(size))
    return np.where(constant, float(size), np.where(np.isfinite(total), ess, np.nan))


def _autocorrelation_time(rho: np.ndarray) -> float:
    """Geyer's initial positive sequence of pair sums ρ₂ₖ + ρ₂ₖ₊₁, made decreasing, summed (Geyer 1992)."""
    if np.isnan(rho).any():
        return np.nan
    n = len(rho)
    kept = [1.0, float(rho[1])]
    even, odd = kept
    t = 1
    while t < n - 3 and even + odd > 0:
        even, odd = float(rho[t + 1]), float(rho[t + 2])
        kept += [even, odd] if even + odd >= 0 else [0.0, 0.0]
        t += 2
    last = t - 2  # index of the odd term of the last pair that is summed
    extra = kept[last + 1] if last >= 0 else 1.0
    if even > 0 and last >= 0:
        extra = even
    for j in range(2, last + 1, 2):
        if kept[j] + kept[j + 1] > kept[j - 2] + kept[j - 1]:
            kept[j] = kept[j + 1] = (kept[j - 2] + kept[j - 1]) / 2
    return -1 + 2 * sum(kept[: last + 1]) + extra
