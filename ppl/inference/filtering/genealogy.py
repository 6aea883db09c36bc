"""The variance of an evidence estimate from the genealogy of one run (Lee and Whiteley 2018)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def eves(ancestors: Int[Array, "t n"]) -> Int[Array, " n"]:
    """The particle at the start from which each final particle descends."""
    n = ancestors.shape[1]

    def forwards(eve: Any, ancestor: Any) -> tuple[Any, None]:
        return eve[ancestor], None

    return jax.lax.scan(forwards, jnp.arange(n, dtype=ancestors.dtype), ancestors)[0]


def relative_variance(
    weights: Float[Array, " n"], ancestors: Int[Array, "t n"], resampled: Bool[Array, " t"]
) -> Float[Array, ""]:
    """Var(Ẑ)/Z² ≈ 1 − (n/(n−1))^{r+1} (1 − Σₖ (Σ_{i: eve i = k} Wᵢ)²), r the number of resamplings, W normalised; at
    least 0.

    Unbiased with multinomial resampling at every step; an approximation, from above as a rule, for schemes of lower
    variance. It is 1 when all particles descend from one: then the estimate says nothing, and more particles are
    needed."""
    n = weights.shape[0]
    families = jnp.zeros(n).at[eves(ancestors)].add(weights)
    r = jnp.sum(resampled)
    factor = jnp.exp((r + 1) * (jnp.log(n) - jnp.log(jnp.maximum(n - 1, 1))))
    return jnp.maximum(1.0 - factor * (1.0 - jnp.sum(families**2)), 0.0)
