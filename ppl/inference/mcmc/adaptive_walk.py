"""A random walk whose covariance and length are learned during warm-up (Haario, Saksman and Tamminen 2001)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

OPTIMAL_RATE = 0.234  # Roberts, Gelman and Gilks 1997
_SLOW = 0.05


class Walk(NamedTuple):
    """Running mean and covariance of the chain, and the log of a factor on the step length 2.38/√d."""

    mean: Float[Array, " d"]
    cov: Float[Array, "d d"]
    log_factor: Float[Array, ""]


def init(position: Float[Array, " d"], scale: float) -> Walk:
    """The first steps have the standard deviation ``scale`` in every coordinate."""
    d = max(position.size, 1)
    return Walk(position, jnp.eye(position.size, dtype=position.dtype) * (scale**2 * d / 2.38**2), jnp.zeros(()))


def propose(key: PRNGKeyArray, walk: Walk, position: Float[Array, " d"]) -> Float[Array, " d"]:
    d = position.size
    root = jnp.linalg.cholesky(walk.cov + 1e-8 * jnp.eye(d, dtype=position.dtype))
    length = 2.38 / jnp.sqrt(d) * jnp.exp(walk.log_factor)
    return position + length * (root @ jax.random.normal(key, (d,), position.dtype))


def learn(walk: Walk, position: Float[Array, " d"], log_ratio: Float[Array, ""], iteration: Any, warmup: int) -> Walk:
    """One step of stochastic approximation; none from iteration ``warmup`` on, so that the kernel then stays the same.

    The moments are learned more slowly than the length: a chain that stays where it is for some steps makes its next
    steps shorter, and must not forget in which directions to go."""
    gain = jnp.where(iteration < warmup, (iteration + 2.0) ** -0.6, 0.0)
    slow = jnp.minimum(gain, _SLOW)
    rate = jnp.nan_to_num(jnp.exp(jnp.minimum(log_ratio, 0.0)))
    off = position - walk.mean
    return Walk(
        walk.mean + slow * off,
        walk.cov + slow * (jnp.outer(off, off) - walk.cov),
        walk.log_factor + gain * (rate - OPTIMAL_RATE),
    )
