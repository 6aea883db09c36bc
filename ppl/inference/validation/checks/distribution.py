"""Distributions: the density integrates to one, and the sampler has that density."""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.inference.validation.blocks import in_blocks
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.edges import check_edges
from ppl.inference.validation.checks.multivariate import check_multivariate
from ppl.inference.validation.checks.verdict import of_means
from ppl.inference.validation.fixed_n import MeanTest, test_means
from ppl.inference.validation.sequential import staged
from ppl.inference.validation.signatures import refuse, shape_of, shown

_LEVELS = (0.005, 0.02, 0.05, *np.linspace(0.1, 0.9, 9), 0.95, 0.98, 0.995)


def check_distribution(
    distribution: Any,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    budget: float | None = None,
    name: str | None = None,
) -> tuple[Check, ...]:
    """A distribution with ``sample(key, sample_shape)`` and ``log_prob(value)`` (NumPyro's as they are); of vectors and
    matrices in ``check_multivariate``.

    The density is integrated (summed, if draws are integers) over the real line with break points at the quantiles of a
    pilot sample, and must give 1; its integral up to each of fifteen quantiles must be the frequency with which the
    sampler stays below. Discrete laws are also drawn at the edges of the unit interval (``check_edges``)."""
    deadline = None if budget is None else time.monotonic() + budget
    title = name or type(distribution).__name__
    compiled = jax.jit(jax.vmap(lambda key: distribution.sample(key, ())))

    def draws(s: int, m: int) -> np.ndarray:
        return in_blocks(compiled, s, m, n)

    _require(distribution, title)
    pilot = draws(seed ^ 0x5EED, 4_000)
    if pilot.ndim != 1:
        return check_multivariate(distribution, seed, alpha, n, title)
    discrete = pilot.dtype.kind in "iub"
    density = jax.jit(jax.vmap(lambda x: jnp.exp(distribution.log_prob(x))))
    cdf = _summed(density, pilot) if discrete else _integrated(density, pilot, _bounds(distribution))
    points = np.unique(np.quantile(pilot.astype(float), _LEVELS, method="inverted_cdf"))
    below, total, error = cdf(points)
    mass = Check(
        "normalised density",
        "quadrature" if not discrete else "summation",
        "total mass",
        "passed" if abs(total - 1) <= max(1e-6, 10 * error) else "refuted",
        0.0,
        0,
        {"integral": total, "should be": 1.0, "error": error},
        None,
        title,
        seed,
    )

    def batch(s: int, m: int) -> MeanTest:
        x = draws(s, m).astype(float)
        inside = np.asarray(density(jnp.asarray(np.resize(x, 4096), pilot.dtype)))
        statistics = (x[:, None] <= points).astype(float)
        # a draw of density zero lies outside of the support: a single one refutes
        outside = np.full((m, 1), np.nan if np.any(inside <= 0) else 0.0)
        return test_means(np.concatenate([statistics, outside], 1), np.concatenate([below / total, [0.0]]))

    result = staged(batch, seed, n, alpha, deadline=deadline)
    t = result.test
    names = [f"P(x <= {p:g})" for p in points] + ["density 0 at a draw"]
    worst = {"function": names[t.which], "mean": t.mean, "should be": t.expected, "z": t.z}
    claim, family = "sampler has the density", f"{len(points)} quantiles and the support"
    sampler = of_means(result, claim, mass.oracle, family, worst, title, n, alpha, len(names))
    return (mass, sampler, *(check_edges(distribution, title) if discrete else ()))


def _require(distribution: Any, title: str) -> None:
    """``sample(key, ())`` works, and the density of what it gives is one number."""
    what = "a distribution"
    helps = "a distribution has sample(key, sample_shape) and log_prob(value), a number for a draw"
    draw = shape_of(title, what, helps, lambda key: distribution.sample(key, ()), jax.random.key(0))
    found = shape_of(title, what, helps, distribution.log_prob, draw)
    if getattr(found, "shape", None) != ():
        raise refuse(title, what, f"a draw is {shown(draw)}, and its log density {shown(found)}", helps)


def _integrated(density: Any, pilot: np.ndarray, bounds: tuple[float, ...]) -> Any:
    edges = np.unique(np.quantile(pilot.astype(float), np.linspace(0, 1, 9)))
    spread = max(edges[-1] - edges[0], 1e-12)

    def at(x: np.ndarray) -> np.ndarray:
        padded = np.concatenate([x, np.full(-len(x) % 4096, x[0])])  # one shape: one compilation
        values = [np.asarray(density(jnp.asarray(part, pilot.dtype)), float) for part in padded.reshape(-1, 4096)]
        found = np.concatenate(values)[: len(x)]
        return np.where(np.isfinite(found), found, 0.0)

    def cdf(points: np.ndarray) -> tuple[np.ndarray, float, float]:
        cuts = np.unique(np.concatenate([edges, points, [edges[0] - spread, edges[-1] + spread], bounds]))
        low, high = cuts[0], cuts[-1]
        # the tails, mapped to (0, 1): x = high + spread s/(1 − s)
        left = _adaptive(lambda s: at(low - spread * s / (1 - s)) * spread / (1 - s) ** 2, np.array([0.0, 1.0]))
        right = _adaptive(lambda s: at(high + spread * s / (1 - s)) * spread / (1 - s) ** 2, np.array([0.0, 1.0]))
        inner = _adaptive(at, cuts)
        pieces = np.concatenate([left[0], inner[0], right[0]])
        cumulative = np.cumsum(pieces)
        return cumulative[np.searchsorted(cuts, points)], float(cumulative[-1]), left[1] + inner[1] + right[1]

    return cdf


def _adaptive(function: Any, cuts: np.ndarray, rounds: int = 40) -> tuple[np.ndarray, float]:
    """Integrals over the intervals between ``cuts`` by Gauss–Legendre rules of 21 and 10 points, intervals on which
    they differ halved; all points of a round in one call. Also the sum of the differences that are left."""
    fine, coarse = np.polynomial.legendre.leggauss(21), np.polynomial.legendre.leggauss(10)
    a, b, owner = cuts[:-1], cuts[1:], np.arange(len(cuts) - 1)
    total, error = np.zeros(len(owner)), 0.0
    for step in range(rounds):
        middle, half = (a + b) / 2, (b - a) / 2
        values = [
            half * (function((middle[:, None] + half[:, None] * x).ravel()).reshape(len(a), -1) @ w)
            for x, w in (fine, coarse)
        ]
        gap = np.abs(values[0] - values[1])
        done = (gap < 1e-9) if step < rounds - 1 else np.full(len(a), True)
        np.add.at(total, owner[done], values[0][done])
        error += float(gap[done].sum())
        a, b = np.concatenate([a[~done], middle[~done]]), np.concatenate([middle[~done], b[~done]])
        owner = np.concatenate([owner[~done], owner[~done]])
        if not len(a):
            break
    return total, error


def _bounds(distribution: Any) -> tuple[float, ...]:
    """Where a density may jump: the ends of a support that is an interval, and 0 and 1, where most do."""
    support = getattr(distribution, "support", None)
    ends = [getattr(support, name, None) for name in ("lower_bound", "upper_bound")]
    return (0.0, 1.0, *(float(e) for e in ends if e is not None and np.ndim(e) == 0 and np.isfinite(e)))


def _summed(density: Any, pilot: np.ndarray) -> Any:
    low, high = int(pilot.min()), int(pilot.max())
    reach = max(50, 10 * (high - low))
    support = np.arange(low - reach, high + reach + 1)
    support = np.array([0, 1]) if pilot.dtype.kind == "b" else support

    def cdf(points: np.ndarray) -> tuple[np.ndarray, float, float]:
        p = np.nan_to_num(np.asarray(density(jnp.asarray(support, pilot.dtype)), float), nan=0.0)
        cumulative = np.cumsum(p)
        return (
            cumulative[np.searchsorted(support, points, side="right") - 1],
            float(cumulative[-1]),
            float(p[-1] + p[0]),
        )

    return cdf
