"""Small targets with known answers."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import gamma, norm

from ppl.core.functional import FunctionalTarget, finite, positive, real

COVARIANCE = np.array([[1.0, 0.7, 0.0], [0.7, 2.0, -0.5], [0.0, -0.5, 0.5]])
MEAN = np.array([1.0, -2.0, 0.5])


def gaussian_and_gamma(calls: list | None = None) -> FunctionalTarget:
    """x ~ Normal(MEAN, COVARIANCE), s ~ Gamma(3, 2): E s = 3/2, var s = 3/4. ``calls`` counts the traces of the
    density."""
    precision = np.linalg.inv(COVARIANCE)

    def log_density(trace):
        if calls is not None:
            calls.append(1)
        centred = trace["x"] - MEAN
        return -0.5 * centred @ precision @ centred + gamma.logpdf(trace["s"], 3.0, scale=0.5)

    return FunctionalTarget({"x": real(3), "s": positive()}, log_density, outputs=lambda t: {"twice": 2 * t["s"]})


def conjugate(n: int = 5) -> tuple[FunctionalTarget, float, float, float]:
    """θ ~ Normal(0, 1), yᵢ ~ Normal(θ, 1): the target, and posterior mean, sd and log evidence."""
    y = np.linspace(-0.5, 1.5, n)

    def log_likelihood(trace):
        return jnp.sum(norm.logpdf(y, trace["theta"], 1.0))

    target = FunctionalTarget(
        {"theta": real()},
        lambda t: norm.logpdf(t["theta"]) + log_likelihood(t),
        prior=lambda key: {"theta": jax.random.normal(key)},
        log_likelihood=log_likelihood,
    )
    covariance = np.eye(n) + 1.0
    evidence = -0.5 * (n * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + y @ np.linalg.solve(covariance, y))
    return target, float(y.sum() / (n + 1)), float((n + 1) ** -0.5), float(evidence)


def two_coins() -> FunctionalTarget:
    """a, b ~ Bernoulli(1/2), γ multiplied by 10 where a or b: Z = 31/4, P(a) = 20/31."""

    def log_density(trace):
        either = (trace["a"] + trace["b"][0]) > 0
        return 2 * jnp.log(0.5) + jnp.where(either, jnp.log(10.0), 0.0)

    return FunctionalTarget({"a": finite(2), "b": finite(2, 1)}, log_density)


def banana() -> FunctionalTarget:
    """x ~ Normal(0, 1), y ~ Normal(x²/2, 1), as one vector."""
    return FunctionalTarget(
        {"v": real(2)}, lambda t: norm.logpdf(t["v"][0]) + norm.logpdf(t["v"][1], 0.5 * t["v"][0] ** 2, 1.0)
    )


def batch_error(draws: np.ndarray) -> np.ndarray:
    """Monte Carlo standard error of the mean of draws [chain, draw, …] by batch means with √n batches of each chain."""
    chains, n = draws.shape[:2]
    size = int(np.sqrt(n))
    batches = draws[:, : n // size * size].reshape(chains * (n // size), size, *draws.shape[2:]).mean(axis=1)
    return batches.std(axis=0, ddof=1) / np.sqrt(batches.shape[0])
