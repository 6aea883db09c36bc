"""Univariate families with numeric parameters: formulas written elementwise in NumPy.

Each ``log_density`` is a formula on the support alone; ``Univariate`` sets −∞ outside. ``sample`` draws by
transformation of NumPy's elementary generators, never through the density. ``cdf`` serves ``truncated`` and ``cdf(d,
x)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import inf, log, pi
from typing import Any

import numpy as np
from scipy import integrate, special

from ppl.reference.distributions.base import Distribution
from ppl.reference.errors import DomainError, Unsupported
from ppl.reference.values import scalar

lgamma, log1p, exp, sqrt = special.gammaln, np.log1p, np.exp, np.sqrt


@dataclass(frozen=True)
class Family:
    """``log_density(x, *params)``, ``sample(rng, shape, *params)``, ``cdf(x, *params)``: elementwise.
    ``support(*params)`` is the pair of ends (discrete: both belong to it). ``positive`` names the parameters that must
    be > 0; ``valid`` checks the rest."""

    params: tuple[str, ...]
    log_density: Callable[..., np.ndarray]
    sample: Callable[..., np.ndarray]
    cdf: Callable[..., np.ndarray] | None
    support: Callable[..., tuple[float, float]] = lambda *params: (-inf, inf)
    positive: tuple[str, ...] = ("scale",)
    valid: Callable[..., bool] | None = None
    dtype: type | None = None  # of a draw: None is float; int or bool make the family discrete


class Univariate(Distribution):
    """A family with its parameters: numbers, or arrays of one shape (the batch)."""

    def __init__(self, name: str, family: Family, params: dict[str, np.ndarray], shape: tuple[int, ...] = ()):
        self.name, self.family = name, family
        self.params: tuple[Any, ...]
        values = [params[p] for p in family.params]
        if shape == () and all(isinstance(v, float | int) for v in values):
            self.params = tuple(np.float64(v) for v in values)  # the same, without the cost of arrays
        else:
            self.params = np.broadcast_arrays(*[np.asarray(v, dtype=float) for v in values], np.empty(shape))[:-1]
        self.batch = self.params[0].shape
        self.discrete = family.dtype is not None
        for p, a in zip(family.params, self.params, strict=True):
            if np.isnan(a).any() or (p in family.positive and (a <= 0).any()):
                raise DomainError(f"{name}: {p} = {a}")
        if family.valid is not None and not np.all(family.valid(*self.params)):
            raise DomainError(f"{name}: {dict(zip(family.params, self.params, strict=True))}")

    def expand(self, shape: tuple[int, ...]) -> Univariate:
        """``shape`` independent copies, as leading axes."""
        return Univariate(
            self.name, self.family, dict(zip(self.family.params, self.params, strict=True)), shape + self.batch
        )

    def sample(self, rng):
        draw = np.asarray(self.family.sample(rng, self.batch, *self.params))
        return scalar(draw.astype(self.family.dtype or float))

    def log_densities(self, x):
        x = np.float64(x) if isinstance(x, float | int) else np.asarray(x, dtype=float)
        lower, upper = self.family.support(*self.params)
        inside = (x >= lower) & (x <= upper)
        if self.discrete:
            inside = inside & (x == np.floor(x))
        if self.batch == () == np.shape(x) and not inside:
            return np.float64(-inf)
        with np.errstate(all="ignore"):
            density = self.family.log_density(np.where(inside, x, np.nan), *self.params)
        at_end = (x == lower) | (x == upper)  # log x − log x there: the density is zero where the formula is undefined
        return np.where(inside & ~(at_end & np.isnan(density)), density, -inf)

    def atoms(self, tail=0.0):
        if not self.discrete:
            return None
        lower, upper = np.broadcast_arrays(*self.family.support(*self.params), np.empty(self.batch))[:2]
        if np.any(np.isinf(upper)):
            if tail <= 0 or self.batch:
                return None
            upper = np.asarray(self._quantile_above(1 - tail))
        ranges = [range(int(a), int(b) + 1) for a, b in zip(lower.flat, upper.flat, strict=True)]
        dtype = self.family.dtype
        return [scalar(np.reshape(np.array(v, dtype=dtype), self.batch)) for v in product(*ranges)]

    def _quantile_above(self, p: float) -> int:
        k = 1
        while self.cdf(k) < p:
            k *= 2
        return next(j for j in range(k + 1) if self.cdf(j) >= p)

    def bounds(self):
        lower, upper = self.family.support(*self.params)
        return float(lower), float(upper)

    def cdf(self, x):
        if self.family.cdf is None:
            raise Unsupported(f"{self.name} has no distribution function here")
        x = np.asarray(x, dtype=float)
        lower, upper = self.family.support(*self.params)
        with np.errstate(all="ignore"):
            inner = self.family.cdf(np.floor(x) if self.discrete else x, *self.params)
        return np.where(x < lower, 0.0, np.where(x >= upper, 1.0, inner))


def _above_zero(*params):
    return 0.0, inf


def _unit(*params):
    return 0.0, 1.0


def _counts(*params):
    return 0, inf


def _upto_n(n, *rest):
    return 0, n


def _log_choose(n, k):
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _xlogy(x, y):
    return special.xlogy(x, y)


def _student(x, df, loc, scale):
    z = (x - loc) / scale
    return (
        lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * np.log(df * pi) - np.log(scale) - (df + 1) / 2 * log1p(z**2 / df)
    )


def _normal(x, loc, scale):
    return -0.5 * ((x - loc) / scale) ** 2 - np.log(scale) - 0.5 * log(2 * pi)


def _cauchy(x, loc, scale):
    return -log(pi) - np.log(scale) - log1p(((x - loc) / scale) ** 2)


def _logistic(x, loc, scale):
    z = np.abs(x - loc) / scale
    return -z - np.log(scale) - 2 * log1p(exp(-z))


def _gamma(x, shape, rate):
    return shape * np.log(rate) - lgamma(shape) + _xlogy(shape - 1, x) - rate * x


def _beta(x, a, b):
    return _xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)


def _binomial(k, n, p):
    return _log_choose(n, k) + _xlogy(k, p) + special.xlog1py(n - k, -p)


def _bernoulli_logit(k, logit):
    return np.where(k == 1, -np.logaddexp(0, -logit), -np.logaddexp(0, logit))


def _binomial_logit(k, n, logit):
    return _log_choose(n, k) - k * np.logaddexp(0, -logit) - (n - k) * np.logaddexp(0, logit)


def _beta_binomial(k, n, a, b):
    return _log_choose(n, k) + special.betaln(k + a, n - k + b) - special.betaln(a, b)


def _poisson(k, rate):
    return _xlogy(k, rate) - rate - lgamma(k + 1)


def _negative_binomial(k, mean, concentration):
    total = mean + concentration
    return (
        lgamma(k + concentration) - lgamma(concentration) - lgamma(k + 1)
        + concentration * np.log(concentration / total) + _xlogy(k, mean / total)
    )  # fmt: skip


def _von_mises(x, loc, concentration):
    return concentration * (np.cos(x - loc) - 1) - log(2 * pi) - np.log(special.ive(0, concentration))


@np.vectorize
def _von_mises_cdf(x, loc, concentration):
    return integrate.quad(lambda t: float(exp(_von_mises(t, loc, concentration))), -pi, x, epsabs=1e-13, limit=200)[0]


def _beta_binomial_cdf(k, n, a, b):
    def one(k, n, a, b):
        j = np.arange(int(k) + 1)
        return float(np.sum(exp(_beta_binomial(j, n, a, b))))

    return np.vectorize(one)(k, n, a, b)


def _is_probability(*params):
    p = params[-1]
    return (p >= 0) & (p <= 1)


def _beta_of_mean(mean, concentration):
    return mean * concentration, (1 - mean) * concentration


FAMILIES: dict[str, Family] = {
    "Normal": Family(
        ("loc", "scale"), _normal,
        lambda rng, s, loc, scale: loc + scale * rng.standard_normal(s),
        lambda x, loc, scale: special.ndtr((x - loc) / scale),
    ),
    "StudentT": Family(
        ("df", "loc", "scale"), _student,
        lambda rng, s, df, loc, scale: loc + scale * rng.standard_normal(s) / sqrt(rng.chisquare(df, s) / df),
        lambda x, df, loc, scale: special.stdtr(df, (x - loc) / scale),
        positive=("df", "scale"),
    ),
    "Cauchy": Family(
        ("loc", "scale"), _cauchy,
        lambda rng, s, loc, scale: loc + scale * np.tan(pi * (rng.random(s) - 0.5)),
        lambda x, loc, scale: 0.5 + np.arctan((x - loc) / scale) / pi,
    ),
    "Laplace": Family(
        ("loc", "scale"),
        lambda x, loc, scale: -np.abs(x - loc) / scale - np.log(2 * scale),
        lambda rng, s, loc, scale: loc + scale * (rng.standard_exponential(s) - rng.standard_exponential(s)),
        lambda x, loc, scale: np.where(x < loc, 0.5 * exp((x - loc) / scale), 1 - 0.5 * exp(-(x - loc) / scale)),
    ),
    "Logistic": Family(
        ("loc", "scale"), _logistic,
        lambda rng, s, loc, scale: loc + scale * special.logit(rng.random(s)),
        lambda x, loc, scale: special.expit((x - loc) / scale),
    ),
    "Gumbel": Family(
        ("loc", "scale"),
        lambda x, loc, scale: -(x - loc) / scale - exp(-(x - loc) / scale) - np.log(scale),
        lambda rng, s, loc, scale: loc - scale * np.log(rng.standard_exponential(s)),
        lambda x, loc, scale: exp(-exp(-(x - loc) / scale)),
    ),
    "LogNormal": Family(
        ("loc", "scale"),
        lambda x, loc, scale: _normal(np.log(x), loc, scale) - np.log(x),
        lambda rng, s, loc, scale: exp(loc + scale * rng.standard_normal(s)),
        lambda x, loc, scale: special.ndtr((np.log(x) - loc) / scale),
        _above_zero,
    ),
    "HalfNormal": Family(
        ("scale",),
        lambda x, scale: log(2) + _normal(x, 0, scale),
        lambda rng, s, scale: scale * np.abs(rng.standard_normal(s)),
        lambda x, scale: special.erf(x / scale / sqrt(2)),
        _above_zero,
    ),
    "HalfCauchy": Family(
        ("scale",),
        lambda x, scale: log(2) + _cauchy(x, 0, scale),
        lambda rng, s, scale: scale * np.abs(np.tan(pi * (rng.random(s) - 0.5))),
        lambda x, scale: 2 * np.arctan(x / scale) / pi,
        _above_zero,
    ),
    "HalfStudentT": Family(
        ("df", "scale"),
        lambda x, df, scale: log(2) + _student(x, df, 0, scale),
        lambda rng, s, df, scale: scale * np.abs(rng.standard_normal(s)) / sqrt(rng.chisquare(df, s) / df),
        lambda x, df, scale: 2 * special.stdtr(df, x / scale) - 1,
        _above_zero, ("df", "scale"),
    ),
    "Exponential": Family(
        ("rate",),
        lambda x, rate: np.log(rate) - rate * x,
        lambda rng, s, rate: rng.standard_exponential(s) / rate,
        lambda x, rate: -np.expm1(-rate * x),
        _above_zero, ("rate",),
    ),
    "Gamma": Family(
        ("shape", "rate"), _gamma,
        lambda rng, s, shape, rate: rng.standard_gamma(shape, s) / rate,
        lambda x, shape, rate: special.gammainc(shape, rate * x),
        _above_zero, ("shape", "rate"),
    ),
    "InverseGamma": Family(
        ("shape", "scale"),
        lambda x, shape, scale: shape * np.log(scale) - lgamma(shape) - (shape + 1) * np.log(x) - scale / x,
        lambda rng, s, shape, scale: scale / rng.standard_gamma(shape, s),
        lambda x, shape, scale: special.gammaincc(shape, scale / x),
        _above_zero, ("shape", "scale"),
    ),
    "ChiSquared": Family(
        ("df",),
        lambda x, df: _gamma(x, df / 2, 0.5),
        lambda rng, s, df: rng.chisquare(df, s),
        lambda x, df: special.gammainc(df / 2, x / 2),
        _above_zero, ("df",),
    ),
    "Weibull": Family(
        ("shape", "scale"),
        lambda x, shape, scale: np.log(shape / scale) + _xlogy(shape - 1, x / scale) - (x / scale) ** shape,
        lambda rng, s, shape, scale: scale * rng.standard_exponential(s) ** (1 / shape),
        lambda x, shape, scale: -np.expm1(-((x / scale) ** shape)),
        _above_zero, ("shape", "scale"),
    ),
    "Pareto": Family(
        ("scale", "shape"),
        lambda x, scale, shape: np.log(shape) + shape * np.log(scale) - (shape + 1) * np.log(x),
        lambda rng, s, scale, shape: scale * exp(rng.standard_exponential(s) / shape),
        lambda x, scale, shape: 1 - (scale / x) ** shape,
        lambda scale, shape: (scale, inf), ("shape", "scale"),
    ),
    "Beta": Family(
        ("a", "b"), _beta,
        lambda rng, s, a, b: rng.beta(a, b, s),
        lambda x, a, b: special.betainc(a, b, x),
        _unit, ("a", "b"),
    ),
    "BetaMean": Family(
        ("mean", "concentration"),
        lambda x, mean, concentration: _beta(x, *_beta_of_mean(mean, concentration)),
        lambda rng, s, mean, concentration: rng.beta(*_beta_of_mean(mean, concentration), s),
        lambda x, mean, concentration: special.betainc(*_beta_of_mean(mean, concentration), x),
        _unit, ("mean", "concentration"), lambda mean, concentration: mean < 1,
    ),
    "Uniform": Family(
        ("low", "high"),
        lambda x, low, high: -np.log(high - low) + 0 * x,
        lambda rng, s, low, high: low + (high - low) * rng.random(s),
        lambda x, low, high: (x - low) / (high - low),
        lambda low, high: (low, high), (), lambda low, high: low < high,
    ),
    "VonMises": Family(
        ("loc", "concentration"), _von_mises,
        lambda rng, s, loc, concentration: rng.vonmises(np.arctan2(np.sin(loc), np.cos(loc)), concentration, s),
        _von_mises_cdf,
        lambda loc, concentration: (-pi, pi), ("concentration",),
    ),
    "Bernoulli": Family(
        ("p",),
        lambda k, p: np.where(k == 1, np.log(p), log1p(-p)),
        lambda rng, s, p: rng.random(s) < p,
        lambda k, p: np.where(k >= 1, 1.0, 1 - p),
        _unit, (), _is_probability, bool,
    ),
    "BernoulliLogit": Family(
        ("logit",), _bernoulli_logit,
        lambda rng, s, logit: rng.random(s) < special.expit(logit),
        lambda k, logit: np.where(k >= 1, 1.0, special.expit(-logit)),
        _unit, (), None, bool,
    ),
    "Binomial": Family(
        ("n", "p"), _binomial,
        lambda rng, s, n, p: rng.binomial(n.astype(int), p, s),
        lambda k, n, p: special.bdtr(k, n.astype(int), p),
        _upto_n, (), lambda n, p: (n >= 0) & (p >= 0) & (p <= 1), int,
    ),
    "BinomialLogit": Family(
        ("n", "logit"), _binomial_logit,
        lambda rng, s, n, logit: rng.binomial(n.astype(int), special.expit(logit), s),
        lambda k, n, logit: special.bdtr(k, n.astype(int), special.expit(logit)),
        _upto_n, (), lambda n, logit: n >= 0, int,
    ),
    "BetaBinomial": Family(
        ("n", "a", "b"), _beta_binomial,
        lambda rng, s, n, a, b: rng.binomial(n.astype(int), rng.beta(a, b, s), s),
        _beta_binomial_cdf,
        _upto_n, ("a", "b"), lambda n, a, b: n >= 0, int,
    ),
    "Geometric": Family(
        ("p",),
        lambda k, p: np.log(p) + special.xlog1py(k, -p),
        lambda rng, s, p: rng.geometric(p, s) - 1,
        lambda k, p: 1 - (1 - p) ** (k + 1),
        _counts, ("p",), _is_probability, int,
    ),
    "Poisson": Family(
        ("rate",), _poisson,
        lambda rng, s, rate: rng.poisson(rate, s),
        lambda k, rate: special.pdtr(k, rate),
        _counts, (), lambda rate: rate >= 0, int,
    ),
    "PoissonLog": Family(
        ("log_rate",),
        lambda k, log_rate: k * log_rate - exp(log_rate) - lgamma(k + 1),
        lambda rng, s, log_rate: rng.poisson(exp(log_rate), s),
        lambda k, log_rate: special.pdtr(k, exp(log_rate)),
        _counts, (), None, int,
    ),
    "NegativeBinomial": Family(
        ("mean", "concentration"), _negative_binomial,
        lambda rng, s, mean, c: rng.poisson(rng.standard_gamma(c, s) * mean / c, s),
        lambda k, mean, c: special.betainc(c, k + 1, c / (mean + c)),
        _counts, ("mean", "concentration"), None, int,
    ),
    "DiscreteUniform": Family(
        ("low", "high"),
        lambda k, low, high: -np.log(high - low + 1) + 0 * k,
        lambda rng, s, low, high: rng.integers(low.astype(int), high.astype(int) + 1, s),
        lambda k, low, high: (k - low + 1) / (high - low + 1),
        lambda low, high: (low, high), (), lambda low, high: low <= high, int,
    ),
}  # fmt: skip
