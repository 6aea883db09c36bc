"""Numerically careful pieces that distributions and functions share."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.special import gammaln
from jaxtyping import Array

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def safe_log(p: Any) -> Array:
    """log p with log 0 = −∞ and derivative 0 there."""
    p = jnp.asarray(p)
    return jnp.where(p > 0, jnp.log(jnp.where(p > 0, p, 1)), -jnp.inf)


def safe_log1m(p: Any) -> Array:
    """log(1 − p), −∞ at p = 1 with derivative 0 there."""
    p = jnp.asarray(p)
    return jnp.where(p < 1, jnp.log1p(-jnp.where(p < 1, p, 0)), -jnp.inf)


def log_positive(x: Any) -> Any:
    """log x for x > 0; of a Python number a Python number, so that nothing of it is compiled."""
    return math.log(x) if isinstance(x, (int, float)) and x > 0 else jnp.log(x)


@jax.custom_jvp
def softplus(x: Any) -> Array:
    """log(1 + eˣ). Its derivative is the logistic function, computed as such: the rule for log-sum-exp would need the
    value for it, two transcendental functions more for each observation of a logistic regression."""
    return jnp.logaddexp(x, 0.0)


@softplus.defjvp
def _softplus_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    return softplus(x), jax.nn.sigmoid(x) * dx


def log_sigmoid(x: Any) -> Array:
    """log σ(x) = −log(1 + e⁻ˣ)."""
    return -softplus(-jnp.asarray(x))


def times_log(k: Any, log_p: Any) -> Array:
    """k · log p for counts k, with 0 · (−∞) = 0."""
    return jnp.where(k == 0, 0, k * jnp.where(k == 0, 0, log_p))


def log_sum_exp(x: Array, axis: int = -1) -> Array:
    """log Σ exp x along an axis; −∞ for no elements or only −∞, with derivative 0 there."""
    top = lax.stop_gradient(jnp.max(x, axis, keepdims=True, initial=-jnp.inf))
    shift = jnp.where(jnp.isfinite(top), top, 0)
    nothing = jnp.isneginf(top)
    total = jnp.sum(jnp.exp(jnp.where(nothing, 0, x - shift)), axis, keepdims=True)
    result = jnp.where(nothing, -jnp.inf, jnp.log(jnp.where(nothing, 1, total)) + shift)
    return jnp.squeeze(result, axis)


def log_difference(a: Any, b: Any) -> Array:
    """log(eᵃ − eᵇ) for a ≥ b; −∞ where they are equal."""
    apart = a > b
    gap = jnp.where(apart, a - jnp.where(jnp.isneginf(b), 0, b), 1.0)
    return jnp.where(apart, jnp.where(jnp.isneginf(b), a, a + jnp.log(-jnp.expm1(-gap))), -jnp.inf)


def log_beta(a: Any, b: Any) -> Any:
    """log B(a, b) for a, b > 0, to rounding precision for all sizes.

    Three log gammas cancel where an argument is large. From 10 on they are written by Stirling's formula, whose leading
    terms are combined by hand (Didonato and Morris, 1992, Algorithm 708). Of small Python numbers a Python number."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and a > 0 and b > 0 and a + b < 100:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    # Selections, not minima: at a tie these would halve the derivative.
    swap = a > b
    a, b = jnp.where(swap, b, a), jnp.where(swap, a, b)
    small_b, small_a = jnp.where(b < 10, b, 10.0), jnp.where(a < 10, a, 10.0)
    both_small = gammaln(small_a) + gammaln(small_b) - gammaln(small_a + small_b)
    big_b = jnp.where(b < 10, 10.0, b)
    log_ratio = -jnp.log1p(a / big_b)  # log(b / (a + b))
    rest = _stirling_rest(big_b) - _stirling_rest(a + big_b)
    one_big = gammaln(small_a) + (big_b - 0.5) * log_ratio - a * (jnp.log(a + big_b) - 1) + rest
    big_a = jnp.where(a < 10, 10.0, a)
    both_big = (
        0.5 * jnp.log(2 * jnp.pi / big_b)
        - (big_a - 0.5) * jnp.log1p(big_b / big_a)
        - big_b * jnp.log1p(big_a / big_b)
        + _stirling_rest(big_a) + _stirling_rest(big_b) - _stirling_rest(big_a + big_b)
    )  # fmt: skip
    return jnp.where(b < 10, both_small, jnp.where(a < 10, one_big, both_big))


def _stirling_rest(z: Array) -> Array:
    """log Γ(z) − ((z − ½) log z − z + ½ log 2π) for z ≥ 10: its asymptotic series to z⁻¹¹."""
    w = 1 / jnp.square(z)
    series = 1 / 1188 - w * (691 / 360360)
    for coefficient in (1 / 1680, 1 / 1260, 1 / 360):
        series = coefficient - w * series
    return (1 / 12 - w * series) / z


def log_choose(n: Any, k: Any) -> Array:
    """log of n over k, without the cancellation of three log gammas."""
    return -log_beta(n - k + 1.0, k + 1.0) - jnp.log1p(n)
