"""Systematic resampling: one uniform offset for all slots (Kitagawa 1996)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.random import Source, uniform
from ppl.inference.resampling.scheme import ancestors_from_bounds, cumulative_weights


def systematic(key: Source, log_weights: Float[Array, " m"], n: int) -> Int[Array, " n"]:
    """Slot j stands at (j + u)/n, u ~ U[0, 1): the slots below cumulative weight C number ⌈nC − u⌉.

    Offspring counts are ⌊n wᵢ⌋ or ⌈n wᵢ⌉. They change with u only where nCᵢ − u is an integer."""
    scaled = n * cumulative_weights(log_weights)
    u = uniform(key, (), scaled.dtype, breaks=scaled % 1.0)
    # n − u may be rounded to n − 1: behind the last particle of positive weight there must be no slot
    bounds = jnp.where(scaled < n, jnp.clip(jnp.ceil(scaled - u), 0, n), n).astype(jnp.int32)
    return ancestors_from_bounds(bounds, n)
