"""Distributions whose parameters or draws are vectors and matrices: one event each, no batch.

``log_normaliser`` formulas: Dirichlet and multivariate normal as in any textbook; LKJ as in Lewandowski, Kurowicka &
Joe, Generating random correlation matrices based on vines and extended onion method (2009), section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import inf, log, pi
from typing import Any

import numpy as np
from scipy import special

from ppl.reference.distributions.base import Distribution
from ppl.reference.errors import DomainError
from ppl.reference.values import equal, key

lgamma = special.gammaln
TOLERANCE = 1e-6  # of "sums to one", "symmetric", "unit diagonal": traces have passed through other arithmetic


def _simplex(p: Any, what: str) -> np.ndarray:
    p = np.asarray(p, dtype=float)
    if np.any(np.isnan(p)) or np.any(p < 0) or abs(p.sum() - 1) > TOLERANCE:
        raise DomainError(f"{what}: {p} is no simplex")
    return p


class Finite(Distribution):
    """Finitely many listed values with log probabilities; equal values add up."""

    discrete = True

    def __init__(self, values: Sequence[Any], log_p: Sequence[float]):
        table: dict[Any, list] = {}
        for value, lp in zip(values, log_p, strict=True):
            entry = table.setdefault(key(value), [value, -inf])
            entry[1] = np.logaddexp(entry[1], lp)
        self.values = [v for v, _ in table.values()]
        self.log_p = np.array([lp for _, lp in table.values()])
        self._log_p_of = {k: lp for k, (_, lp) in table.items()}
        self.event = np.shape(self.values[0]) if isinstance(self.values[0], np.ndarray) else ()

    def sample(self, rng):
        u, total = rng.random() * np.exp(self.log_p).sum(), 0.0
        for value, lp in zip(self.values, self.log_p, strict=True):
            total += np.exp(lp)
            if u < total:
                return value
        return self.values[-1]

    def log_densities(self, x):
        return np.asarray(self._log_p_of.get(key(x), -inf))

    def atoms(self, tail=0.0):
        return [v for v, lp in zip(self.values, self.log_p, strict=True) if lp > -inf]

    def cdf(self, x):
        return np.asarray(sum(np.exp(lp) for v, lp in zip(self.values, self.log_p, strict=True) if v <= x))


def categorical(p: Any) -> Finite:
    p = _simplex(p, "Categorical")
    with np.errstate(divide="ignore"):
        return Finite(list(range(len(p))), np.log(p))


def categorical_logit(logits: Any) -> Finite:
    return Finite(list(range(len(logits))), special.log_softmax(np.asarray(logits, dtype=float)))


def discrete(values: Any, p: Any) -> Finite:
    p = _simplex(p, "Discrete")
    with np.errstate(divide="ignore"):
        return Finite([v.item() if hasattr(v, "item") else v for v in values], np.log(p))


def ordered_logistic(eta: float, cutpoints: Any) -> Finite:
    """P(k) = sigmoid(eta − c[k−1]) − sigmoid(eta − c[k]), with c[−1] = −∞ and c[K−1] = ∞."""
    c = np.asarray(cutpoints, dtype=float)
    if np.any(np.diff(c) < 0):
        raise DomainError(f"OrderedLogistic: the cutpoints {c} are not ordered")
    above = np.concatenate([[1.0], special.expit(eta - c), [0.0]])
    with np.errstate(divide="ignore"):
        return Finite(list(range(len(c) + 1)), np.log(above[:-1] - above[1:]))


class Delta(Distribution):
    """All mass at ``x``; density 1 there (a point mass of whatever measure)."""

    discrete = True

    def __init__(self, x: Any):
        self.x = x
        self.event = np.shape(x) if isinstance(x, np.ndarray) else ()

    def sample(self, rng):
        return self.x

    def log_densities(self, x):
        return np.asarray(0.0 if equal(x, self.x) else -inf)

    def atoms(self, tail=0.0):
        return [self.x]


class Flat(Distribution):
    """Density one everywhere on the real line: a measure that is no distribution."""

    def sample(self, rng):
        raise DomainError("Flat() is improper: nothing can be drawn from it")

    def log_densities(self, x):
        return np.asarray(0.0)


class Multinomial(Distribution):
    discrete = True

    def __init__(self, n: int, p: Any):
        self.n, self.p = int(n), _simplex(p, "Multinomial")
        self.event = (len(self.p),)

    def sample(self, rng):
        return rng.multinomial(self.n, self.p / self.p.sum())

    def log_densities(self, x):
        x = np.asarray(x, dtype=float)
        if np.any(x < 0) or np.any(x != np.floor(x)) or x.sum() != self.n:
            return np.asarray(-inf)
        return lgamma(self.n + 1) - lgamma(x + 1).sum() + special.xlogy(x, self.p).sum()

    def atoms(self, tail=0.0):
        k = len(self.p)
        bars = combinations(range(self.n + k - 1), k - 1)
        return [np.diff([-1, *b, self.n + k - 1]) - 1 for b in bars]


class Dirichlet(Distribution):
    def __init__(self, concentration: Any):
        self.a = np.asarray(concentration, dtype=float)
        if np.any(np.isnan(self.a)) or np.any(self.a <= 0):
            raise DomainError(f"Dirichlet: concentration = {self.a}")
        self.event = self.a.shape

    def sample(self, rng):
        return rng.dirichlet(self.a)

    def log_densities(self, x):
        x = np.asarray(x, dtype=float)
        if not np.all(x >= 0) or abs(x.sum() - 1) > TOLERANCE:
            return np.asarray(-inf)
        with np.errstate(divide="ignore"):
            return lgamma(self.a.sum()) - lgamma(self.a).sum() + special.xlogy(self.a - 1, x).sum()


def _cholesky(matrix: Any, what: str) -> np.ndarray:
    matrix = np.asarray(matrix, dtype=float)
    if not np.allclose(matrix, matrix.T, rtol=0, atol=TOLERANCE * max(1.0, np.abs(matrix).max())):
        raise DomainError(f"{what}: the matrix is not symmetric")
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as failure:
        raise DomainError(f"{what}: the matrix is not positive definite") from failure


class MultiNormal(Distribution):
    """By the Cholesky factor L of the covariance."""

    def __init__(self, loc: Any, L: Any):
        self.loc, self.L = np.asarray(loc, dtype=float), np.asarray(L, dtype=float)
        if np.any(np.diag(self.L) <= 0):
            raise DomainError("MultiNormal: the Cholesky factor needs a positive diagonal")
        self.event = self.loc.shape

    def sample(self, rng):
        return self.loc + self.L @ rng.standard_normal(len(self.loc))

    def log_densities(self, x):
        z = np.linalg.solve(self.L, np.asarray(x, dtype=float) - self.loc)
        return -0.5 * z @ z - np.log(np.diag(self.L)).sum() - 0.5 * len(z) * log(2 * pi)


class MultiStudentT(Distribution):
    """loc + L z √(df/χ²)."""

    def __init__(self, df: float, loc: Any, L: Any):
        self.df, self.loc, self.L = float(df), np.asarray(loc, dtype=float), np.asarray(L, dtype=float)
        if self.df <= 0 or np.any(np.diag(self.L) <= 0):
            raise DomainError("MultiStudentT: df and the diagonal of L must be positive")
        self.event = self.loc.shape

    def sample(self, rng):
        return self.loc + self.L @ rng.standard_normal(len(self.loc)) / np.sqrt(rng.chisquare(self.df) / self.df)

    def log_densities(self, x):
        z = np.linalg.solve(self.L, np.asarray(x, dtype=float) - self.loc)
        d, df = len(z), self.df
        return (
            lgamma((df + d) / 2) - lgamma(df / 2) - d / 2 * log(df * pi)
            - np.log(np.diag(self.L)).sum() - (df + d) / 2 * np.log1p(z @ z / df)
        )  # fmt: skip


def _lkj_log_normaliser(K: int, eta: float) -> float:
    """log ∫ det(R)^(eta−1) dR = Σ_k over the vine: partial correlations of order k are Beta(b, b) on (−1, 1), b = eta +
    (K−2−k)/2."""
    total = 0.0
    for k in range(K - 1):
        b = eta + (K - 2 - k) / 2
        total += (K - 1 - k) * (special.betaln(b, b) + (2 * b - 1) * log(2))
    return total


class LKJ(Distribution):
    """Correlation matrices with density ∝ det(R)^(eta − 1)."""

    def __init__(self, K: int, eta: float):
        self.K, self.eta = int(K), float(eta)
        if self.eta <= 0:
            raise DomainError(f"LKJ: eta = {eta}")
        self.event = (self.K, self.K)

    def sample(self, rng):
        """By the C-vine: independent Beta partial correlations, turned into correlations."""
        K = self.K
        partial, R = np.zeros((K, K)), np.eye(K)
        for k in range(K - 1):
            b = self.eta + (K - 2 - k) / 2
            for i in range(k + 1, K):
                r = partial[k, i] = 2 * rng.beta(b, b) - 1
                for m in range(k - 1, -1, -1):
                    r = r * np.sqrt((1 - partial[m, i] ** 2) * (1 - partial[m, k] ** 2)) + partial[m, i] * partial[m, k]
                R[k, i] = R[i, k] = r
        return R

    def log_densities(self, x):
        x = np.asarray(x, dtype=float)
        if np.abs(np.diag(x) - 1).max() > TOLERANCE:
            return np.asarray(-inf)
        try:
            L = _cholesky(x, "LKJ")
        except DomainError:
            return np.asarray(-inf)
        return 2 * (self.eta - 1) * np.log(np.diag(L)).sum() - _lkj_log_normaliser(self.K, self.eta)


class LKJCholesky(LKJ):
    """The Cholesky factor of an LKJ matrix. |∂R/∂L| over the entries below the diagonal is ∏ L_ii^(K−1−i) (i from
    0)."""

    def sample(self, rng):
        return np.linalg.cholesky(super().sample(rng))

    def log_densities(self, x):
        L = np.asarray(x, dtype=float)
        if np.any(np.triu(L, 1) != 0) or np.any(np.diag(L) <= 0) or np.abs((L**2).sum(1) - 1).max() > TOLERANCE:
            return np.asarray(-inf)
        power = self.K - 1 - np.arange(self.K) + 2 * (self.eta - 1)
        return (power * np.log(np.diag(L)))[1:].sum() - _lkj_log_normaliser(self.K, self.eta)


class Wishart(Distribution):
    """Mean df · scale; density over the entries on and below the diagonal."""

    def __init__(self, df: float, scale: Any):
        self.df, self.L = float(df), _cholesky(scale, "Wishart")
        self.event = self.L.shape
        if self.df <= len(self.L) - 1:
            raise DomainError(f"Wishart: df = {df} must be greater than {len(self.L) - 1}")

    def sample(self, rng):
        """Bartlett's decomposition."""
        d = len(self.L)
        A = np.tril(rng.standard_normal((d, d)), -1) + np.diag(np.sqrt(rng.chisquare(self.df - np.arange(d))))
        return self.L @ A @ A.T @ self.L.T

    def log_densities(self, x):
        try:
            C = _cholesky(x, "Wishart")
        except DomainError:
            return np.asarray(-inf)
        d, df = len(self.L), self.df
        trace = (np.linalg.solve(self.L, C) ** 2).sum()
        return (
            (df - d - 1) * np.log(np.diag(C)).sum() - trace / 2 - df * d / 2 * log(2)
            - df * np.log(np.diag(self.L)).sum() - special.multigammaln(df / 2, d)
        )  # fmt: skip


class GaussianRandomWalk(Distribution):
    """x[0] ~ Normal(0, scale), x[t] ~ Normal(x[t−1], scale)."""

    def __init__(self, scale: float, T: int):
        self.scale, self.event = float(scale), (int(T),)
        if not self.scale > 0:
            raise DomainError(f"GaussianRandomWalk: scale = {scale}")

    def sample(self, rng):
        return np.cumsum(self.scale * rng.standard_normal(self.event))

    def log_densities(self, x):
        z = np.diff(np.asarray(x, dtype=float), prepend=0.0) / self.scale
        return -0.5 * z @ z - len(z) * (log(self.scale) + 0.5 * log(2 * pi))


def multi_normal_cov(loc: Any, cov: Any) -> MultiNormal:
    return MultiNormal(loc, _cholesky(cov, "MultiNormal"))


def multi_normal_precision(loc: Any, precision: Any) -> MultiNormal:
    _cholesky(precision, "MultiNormalPrec")
    return MultiNormal(loc, np.linalg.cholesky(np.linalg.inv(np.asarray(precision, dtype=float))))
