"""Distributions made of distributions."""

from __future__ import annotations

from math import inf, log
from typing import Any

import numpy as np
from scipy import optimize, special

from ppl.reference.distributions.base import Distribution
from ppl.reference.errors import DomainError, Unsupported
from ppl.reference.values import FunctionValue, scalar


class Truncated(Distribution):
    """A real or integer scalar conditioned on lower ≤ x ≤ upper: density p(x) / P(lower ≤ X ≤ upper)."""

    def __init__(self, D: Distribution, lower: float = -inf, upper: float = inf):
        if D.batch or D.event:
            raise Unsupported("truncated takes a scalar distribution")
        self.inner, self.discrete = D, D.discrete
        self.lower, self.upper = float(lower), float(upper)
        below = np.ceil(self.lower) - 1 if self.discrete else self.lower
        self.cdf_below = float(D.cdf(below)) if lower > -inf else 0.0
        self.cdf_upper = float(D.cdf(self.upper)) if upper < inf else 1.0
        if not self.cdf_upper > self.cdf_below:
            raise DomainError(f"truncated: no mass between {lower} and {upper}")
        self.log_mass = log(self.cdf_upper - self.cdf_below)

    def sample(self, rng):
        """By inversion of the distribution function, with bisection."""
        u = self.cdf_below + (self.cdf_upper - self.cdf_below) * rng.random()
        if self.discrete:
            k = int(np.ceil(max(self.lower, self.inner.bounds()[0])))
            while self.inner.cdf(k) < u:
                k += 1
            return k
        lo, hi = self.bounds()
        while np.isinf(lo) or np.isinf(hi):  # a finite bracket
            width = 1.0 if np.isinf(lo) and np.isinf(hi) else 1.0 + abs(lo if np.isinf(hi) else hi)
            lo = (
                self._grow(hi if np.isfinite(hi) else 0.0, -width, lambda x: self.inner.cdf(x) <= u)
                if np.isinf(lo)
                else lo
            )
            hi = self._grow(lo, width, lambda x: self.inner.cdf(x) >= u) if np.isinf(hi) else hi
        return float(optimize.brentq(lambda x: float(self.inner.cdf(x)) - u, lo, hi, xtol=1e-14))

    @staticmethod
    def _grow(start, step, enough):
        while not enough(start + step):
            step *= 2
        return start + step

    def log_densities(self, x):
        inside = self.lower <= x <= self.upper
        return self.inner.log_densities(x) - self.log_mass if inside else np.asarray(-inf)

    def atoms(self, tail=0.0):
        if not self.discrete:
            return None
        values = self.inner.atoms(tail)
        if values is None and self.upper < inf:
            lower = max(self.lower, self.inner.bounds()[0])
            values = list(range(int(np.ceil(lower)), int(np.floor(self.upper)) + 1))
        return None if values is None else [v for v in values if self.lower <= v <= self.upper]

    def bounds(self):
        lower, upper = self.inner.bounds()
        return max(lower, self.lower), min(upper, self.upper)

    def cdf(self, x):
        inner = (self.inner.cdf(min(max(x, self.lower), self.upper)) - self.cdf_below) / np.exp(self.log_mass)
        return np.where(x < self.lower, 0.0, inner)


class ZeroInflated(Distribution):
    """0 with probability p, else a draw of ``inner`` (which may be 0 too)."""

    discrete = True

    def __init__(self, p: float, D: Distribution):
        self.p, self.inner = float(p), D
        if not 0 <= self.p <= 1:
            raise DomainError(f"ZeroInflated: p = {p}")
        if not D.discrete:
            raise Unsupported("ZeroInflated of a continuous distribution has no density here")

    def sample(self, rng):
        draw = self.inner.sample(rng)
        return 0 if rng.random() < self.p else draw

    def log_densities(self, x):
        with np.errstate(divide="ignore"):
            other = np.log1p(-self.p) + self.inner.log_densities(x)
            return np.logaddexp(np.log(self.p), other) if x == 0 else other

    def atoms(self, tail=0.0):
        inner = self.inner.atoms(tail)
        return None if inner is None else [0, *[v for v in inner if v != 0]]

    def bounds(self):
        return self.inner.bounds()

    def cdf(self, x):
        return self.p * (x >= 0) + (1 - self.p) * self.inner.cdf(x)


class Ordered(Distribution):
    """K draws of a continuous scalar, sorted: density K! ∏ p(x_k) where x is increasing."""

    def __init__(self, D: Distribution, K: int):
        if D.batch or D.event:
            raise Unsupported("ordered takes a scalar distribution")
        self.inner, self.K, self.event = D, int(K), (int(K),)

    def sample(self, rng):
        return np.sort([self.inner.sample(rng) for _ in range(self.K)])

    def log_densities(self, x):
        x = np.asarray(x, dtype=float)
        if np.any(np.diff(x) <= 0):
            return np.asarray(-inf)
        return special.gammaln(self.K + 1) + sum(self.inner.log_density(v) for v in x)


class Mixture(Distribution):
    """Σ_k weights[k] p_k."""

    def __init__(self, weights: Any, components: list[Distribution]):
        self.weights, self.components = np.asarray(weights, dtype=float), components
        if np.any(self.weights < 0) or abs(self.weights.sum() - 1) > 1e-6:
            raise DomainError(f"mixture: the weights {self.weights} are no simplex")
        if len(self.weights) != len(components):
            raise DomainError(f"mixture: {len(self.weights)} weights for {len(components)} components")
        if any(c.batch for c in components):
            raise Unsupported("mixture of batches")
        self.event = components[0].event
        self.discrete = components[0].discrete
        if any(c.discrete != self.discrete for c in components):
            raise Unsupported("a mixture of a discrete and a continuous distribution has no density here")

    def sample(self, rng):
        return self.components[rng.choice(len(self.weights), p=self.weights / self.weights.sum())].sample(rng)

    def log_densities(self, x):
        with np.errstate(divide="ignore"):
            terms = [lw + c.log_density(x) for lw, c in zip(np.log(self.weights), self.components, strict=True)]
        return np.asarray(special.logsumexp(terms))

    def atoms(self, tail=0.0):
        parts = [c.atoms(tail) for c in self.components]
        if not self.discrete or any(p is None for p in parts):
            return None
        return list(dict.fromkeys(scalar(v) for p in parts for v in p))

    def bounds(self):
        ends = [c.bounds() for c in self.components]
        return min(a for a, _ in ends), max(b for _, b in ends)

    def cdf(self, x):
        return sum(w * c.cdf(x) for w, c in zip(self.weights, self.components, strict=True))


class Transformed(Distribution):
    """f(X) for a strictly monotone f of a real scalar: density p(x) / |f'(x)| at x = f⁻¹(y).

    The inverse is found by bisection on the support of X, f' by Richardson extrapolation of central differences (error
    about 1e-10 of f'); for a discrete X the probability of f⁻¹(y)."""

    def __init__(self, D: Distribution, f: FunctionValue):
        if D.batch or D.event:
            raise Unsupported("transformed takes a scalar distribution")
        self.inner, self.f, self.discrete = D, f, D.discrete

    def sample(self, rng):
        return scalar(self.f(self.inner.sample(rng)))

    def log_densities(self, x):
        if self.discrete:
            return np.asarray(special.logsumexp([self.inner.log_density(v) for v in self._preimages(x)] or [-inf]))
        u = self._inverse(float(x))
        if u is None:
            return np.asarray(-inf)
        return self.inner.log_densities(u) - np.log(abs(self._derivative(u)))

    def atoms(self, tail=0.0):
        inner = self.inner.atoms(tail)
        return None if inner is None else list(dict.fromkeys(scalar(self.f(v)) for v in inner))

    def bounds(self):
        ends = sorted(float(self.f(v)) for v in self.inner.bounds())
        return ends[0], ends[1]

    def _preimages(self, y):
        inner = self.inner.atoms()
        if inner is None:
            raise Unsupported("transformed of a discrete distribution with infinitely many values")
        return [v for v in inner if scalar(self.f(v)) == y]

    def _inverse(self, y: float) -> float | None:
        lower, upper = self.inner.bounds()
        with np.errstate(all="ignore"):
            # u = g(t) walks the support as t walks the real line
            g = _walk(lower, upper)
            excess = lambda t: float(self.f(g(t))) - y  # noqa: E731
            for reach in (1.0, 4.0, 16.0, 36.0):
                low, high = excess(-reach), excess(reach)
                if low == 0 or high == 0 or (low < 0) != (high < 0):
                    return g(optimize.brentq(excess, -reach, reach, xtol=1e-15, rtol=1e-15))
        return None

    def _derivative(self, u: float) -> float:
        lower, upper = self.inner.bounds()
        h = 1e-2 * min(1.0, abs(u) + 1e-2, 0.5 * (u - lower) / 1e-2, 0.5 * (upper - u) / 1e-2)
        table = [[(float(self.f(u + h / 2**i)) - float(self.f(u - h / 2**i))) / (2 * h / 2**i)] for i in range(4)]
        for j in range(1, 4):
            for i in range(j, 4):
                table[i].append(table[i][j - 1] + (table[i][j - 1] - table[i - 1][j - 1]) / (4**j - 1))
        return table[3][3]


def _walk(lower: float, upper: float):
    if np.isfinite(lower) and np.isfinite(upper):
        return lambda t: lower + (upper - lower) * special.expit(t)
    if np.isfinite(lower):
        return lambda t: lower + np.exp(t)
    if np.isfinite(upper):
        return lambda t: upper - np.exp(-t)
    return np.sinh
