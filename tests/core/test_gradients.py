"""Derivatives of log densities by value and arguments against finite differences. One compiled program."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.distributions import make
from tests.core.cases import ONE_OF_EACH
from tests.core.compilation import quick_jit

FIXED = {"n", "low", "high", "values", "p"}  # integers, and bounds and simplices, that a step would leave


def _arguments(case: Any) -> dict[str, Any]:
    free = {k: v for k, v in case.args.items() if k not in FIXED or (k == "p" and np.ndim(v) == 0)}
    return {k: np.asarray(v, float) for k, v in free.items()}


def test_gradients_agree_with_finite_differences() -> None:
    h = 1e-5
    points = {str(c): np.asarray(c.points[4:12], float) for c in ONE_OF_EACH}

    def log_density(case: Any, step: Any, x: Any) -> Any:
        """At arguments and value moved by ``step`` along (1, 1, …), relative to their size."""
        arguments = {k: v + step * (0.1 + np.abs(v)) for k, v in _arguments(case).items()}
        value = x if case.discrete else x + step * 0.3 * (np.abs(points[str(case)]) * 0.1 + 1e-3)
        return make(case.name, {**case.args, **arguments}).log_prob(value)

    @quick_jit
    def evaluate(points: dict[str, Any]) -> dict[str, Any]:
        out = {}
        for case in ONE_OF_EACH:

            def along(step: Any, case: Any = case) -> Any:
                return log_density(case, step, points[str(case)])

            below, above = jax.vmap(along)(jnp.array([-h, h]))
            out[str(case)] = ((above - below) / (2 * h), jax.jvp(along, (0.0,), (1.0,))[1])
        return out

    for name, (difference, slope) in jax.device_get(evaluate(points)).items():
        np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-6, err_msg=name)


def test_gamma_draws_are_differentiable_by_their_shape() -> None:
    """E log x = ψ(α), so that the mean derivative of log x is ψ'(α): within 6 standard errors, and against finite
    differences of the quantile function (which the implicit derivative is)."""
    from scipy import special, stats

    from ppl.core.distributions.gamma_draw import log_gamma_draw

    key = jax.random.key(4, impl="rbg")
    alphas = jnp.array([0.02, 0.7, 5.0])

    @quick_jit
    def slopes(alphas: Any) -> Any:
        return jax.vmap(lambda a: jax.jvp(lambda a: log_gamma_draw(key, a, (4000,)), (a,), (1.0,)))(alphas)

    log_x, slope = jax.device_get(slopes(alphas))
    for alpha, value, derivative in zip(np.asarray(alphas), log_x, slope, strict=True):
        error = derivative.std() / np.sqrt(derivative.size)
        assert abs(derivative.mean() - special.polygamma(1, alpha)) < 6 * error
        if alpha > 0.1:
            q, h = stats.gamma.cdf(np.exp(value[:50]), alpha), 1e-5
            finite = (np.log(stats.gamma.ppf(q, alpha + h)) - np.log(stats.gamma.ppf(q, alpha - h))) / (2 * h)
            np.testing.assert_allclose(derivative[:50], finite, rtol=1e-3, atol=1e-4)


def test_incomplete_beta_by_its_shapes() -> None:
    """Against central differences of scipy's, from small shapes to large, in both tails."""
    from scipy import special

    from ppl.core.distributions.incomplete_beta import betainc

    a, b, x = np.array([
        (0.05, 3.0, 0.2), (2.0, 0.5, 0.9), (1.5, 2.5, 0.4), (3.0, 1.0, 0.999), (40.0, 60.0, 0.35), (2000.0, 3000.0,
        0.41), (5.0, 5.0, 1e-3),
    ]).T  # fmt: skip
    by_a, by_b, by_x = quick_jit(lambda a, b, x: jax.grad(lambda *v: betainc(*v).sum(), (0, 1, 2))(a, b, x))(a, b, x)
    h = 1e-4
    np.testing.assert_allclose(
        by_a, (special.betainc(a * (1 + h), b, x) - special.betainc(a * (1 - h), b, x)) / (2 * h * a), rtol=2e-5
    )
    np.testing.assert_allclose(
        by_b, (special.betainc(a, b * (1 + h), x) - special.betainc(a, b * (1 - h), x)) / (2 * h * b), rtol=2e-5
    )
    h = 1e-6
    np.testing.assert_allclose(
        by_x, (special.betainc(a, b, x * (1 + h)) - special.betainc(a, b, x * (1 - h))) / (2 * h * x), rtol=2e-5
    )
