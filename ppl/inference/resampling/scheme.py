"""What a resampling scheme is, and the arithmetic that several of them share."""

from __future__ import annotations

from typing import Protocol

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.random import Source


class Scheme(Protocol):
    """Draws ``n`` ancestors of particles with unnormalised ``log_weights``."""

    def __call__(self, key: Source, log_weights: Float[Array, " m"], n: int) -> Int[Array, " n"]: ...


def cumulative_weights(log_weights: Float[Array, " m"]) -> Float[Array, " m"]:
    """Cumulative normalised weights; the last is exactly 1. Uniform where every weight is zero: such a population has
    the evidence zero, and which dead particle begets which does not matter."""
    top = jnp.max(log_weights)
    weights = jnp.where(jnp.isneginf(top), 1.0, jnp.exp(log_weights - jnp.where(jnp.isneginf(top), 0.0, top)))
    cumulative = jnp.cumsum(weights)
    # ≥ total, not == 1 after division: particles of weight zero at the end must not get the rounding error
    return jnp.where(cumulative >= cumulative[-1], 1.0, cumulative / cumulative[-1])


def ancestors_from_bounds(bounds: Int[Array, " m"], n: int) -> Int[Array, " n"]:
    """Particle i begets the slots ``bounds[i-1] .. bounds[i]`` (non-decreasing), the last particle those to n:
    O(m + n), a histogram and a running sum in place of a binary search for each slot."""
    marks = jnp.zeros(n, jnp.int32).at[bounds[:-1]].add(1, mode="drop")
    return jnp.cumsum(marks)


def alive_or_uniform(log_weights: Float[Array, " m"]) -> Float[Array, " m"]:
    """The log weights, or zeros where all are −∞."""
    return jnp.where(jnp.isneginf(jnp.max(log_weights)), jnp.zeros_like(log_weights), log_weights)
