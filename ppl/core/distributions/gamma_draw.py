"""Gamma draws, in logarithms.

JAX's own sampler compiles for seconds. This one runs the rejection loop over the whole array at once, with one call of
the generator in its body.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.special import digamma, ndtri
from jaxtyping import Array, PRNGKeyArray


def log_gamma_draw(key: PRNGKeyArray, alpha: Any, shape: tuple[int, ...]) -> Array:
    """log x for x from Gamma(alpha, 1), of ``shape``: small alpha give values far below the least positive float.

    Differentiable by alpha, along the curve on which the distribution function stays the same (Figurnov, Mohamed and
    Mnih, 2018)."""
    alpha = jnp.broadcast_to(jnp.asarray(alpha, jnp.result_type(float, alpha)), shape)
    return _as_function_of(alpha, lax.stop_gradient(_draw(key, lax.stop_gradient(alpha))))


def t_draw(key: PRNGKeyArray, df: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Standard Student t: a normal over the root of an independent χ²(df)/df."""
    key_normal, key_gamma = jax.random.split(key)
    half = jnp.asarray(df, dtype) / 2
    log_variance = jnp.log(half) - log_gamma_draw(key_gamma, half, shape)
    return jax.random.normal(key_normal, shape, dtype) * jnp.exp(0.5 * log_variance)


def logit_beta_draw(key: PRNGKeyArray, a: Any, b: Any, shape: tuple[int, ...]) -> Array:
    """log(x / (1 − x)) for x from Beta(a, b): the difference of two log gamma draws."""
    both = jnp.stack([jnp.broadcast_to(jnp.asarray(p, jnp.result_type(float, a, b)), shape) for p in (a, b)])
    log_a, log_b = log_gamma_draw(key, both, both.shape)
    return log_a - log_b


def _draw(key: PRNGKeyArray, alpha: Array) -> Array:
    """Marsaglia and Tsang (2000): for a ≥ 1 the value d·v, v = (1 + z/√(9d))³, d = a − ⅓, with z normal, is accepted
    when log u < z²/2 + d − d v + d log v. For a < 1 a draw for a + 1 is multiplied by u^(1/a)."""
    boosted = alpha < 1
    d = jnp.where(boosted, alpha + 1, alpha) - 1 / 3
    tiny = jnp.finfo(alpha.dtype).tiny

    def body(state: tuple[PRNGKeyArray, Array, Array]) -> tuple[PRNGKeyArray, Array, Array]:
        key, done, log_x = state
        key, now = jax.random.split(key)
        u, accept, boost = jax.random.uniform(now, (3, *alpha.shape), alpha.dtype, minval=tiny)
        z = ndtri(u)
        root = 1 + z / jnp.sqrt(9 * d)
        inside = root > 0
        v = jnp.where(inside, root, 1) ** 3
        accepted = inside & (jnp.log(accept) < 0.5 * z**2 + d - d * v + d * jnp.log(v))
        value = jnp.log(d) + jnp.log(v) + jnp.where(boosted, jnp.log(boost) / alpha, 0)
        return key, done | accepted, jnp.where(done, log_x, value)

    def unfinished(state: tuple[PRNGKeyArray, Array, Array]) -> Array:
        return ~jnp.all(state[1])

    bad = ~(alpha > 0)  # NaN or out of range: never accepted
    _, _, log_x = lax.while_loop(unfinished, body, (key, bad, jnp.full_like(alpha, jnp.nan)))
    return log_x


@jax.custom_jvp
def _as_function_of(alpha: Array, log_x: Array) -> Array:
    return log_x


@_as_function_of.defjvp
def _implicit_derivative(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    alpha, log_x = primals
    small = log_x < -18.0  # there F(x) = x^α / Γ(α + 1) but for a relative error below 2e-8
    x = jnp.exp(jnp.where(small, 0.0, log_x))
    slope = jnp.where(small, (digamma(alpha + 1) - log_x) / alpha, lax.random_gamma_grad(alpha, x) / x)
    return log_x, slope * tangents[0]
