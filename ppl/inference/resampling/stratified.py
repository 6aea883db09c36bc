"""Stratified resampling: one uniform for each slot (Kitagawa 1996)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.random import Source, uniform
from ppl.inference.resampling.scheme import ancestors_from_bounds, cumulative_weights


def stratified(key: Source, log_weights: Float[Array, " m"], n: int) -> Int[Array, " n"]:
    """Slot j stands at (j + uⱼ)/n: below cumulative weight C lie ⌊nC⌋ whole strata, and the next one's slot if its uⱼ
    is below the fraction of nC."""
    scaled = n * cumulative_weights(log_weights)
    u = uniform(key, (n,), scaled.dtype, breaks=scaled % 1.0)
    whole = jnp.clip(jnp.floor(scaled), 0, n).astype(jnp.int32)
    next_slot = u[jnp.minimum(whole, n - 1)] < scaled - whole
    bounds = jnp.where(whole < n, whole + next_slot, n)
    return ancestors_from_bounds(bounds, n)
