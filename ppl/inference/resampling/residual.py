"""Residual resampling: the whole parts for certain, the rest multinomially (Liu and Chen 1998)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.random import Source, categorical
from ppl.inference.resampling.scheme import ancestors_from_bounds, cumulative_weights


def residual(key: Source, log_weights: Float[Array, " m"], n: int) -> Int[Array, " n"]:
    """Particle i begets ⌊n wᵢ⌋ slots; the slots left are drawn in proportion to the fractions n wᵢ − ⌊n wᵢ⌋."""
    cumulative = cumulative_weights(log_weights)
    expected = n * jnp.diff(cumulative, prepend=0.0)
    # A count that rounding puts just below an integer is that integer: its fraction would be all noise.
    nearest = jnp.round(expected)
    expected = jnp.where(jnp.abs(expected - nearest) < 1e-9 * n, nearest, expected)
    whole = jnp.floor(expected)
    fraction = expected - whole
    certain = jnp.cumsum(whole).astype(jnp.int32)
    first = ancestors_from_bounds(jnp.minimum(certain, n), n)
    drawn = categorical(key, jnp.log(jnp.where(jnp.any(fraction > 0), fraction, 1.0)), (n,))
    return jnp.where(jnp.arange(n) < certain[-1], jnp.minimum(first, log_weights.shape[0] - 1), drawn)
