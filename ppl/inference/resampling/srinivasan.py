"""Srinivasan sampling process resampling: lowest variance, order of the particles irrelevant in mean."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.random import ChoiceSource, Source, uniform
from ppl.inference.resampling.scheme import ancestors_from_bounds, cumulative_weights


def srinivasan(key: Source, log_weights: Float[Array, " m"], n: int) -> Int[Array, " n"]:
    """Pairs of fractional offspring counts are rounded against each other until none is left: counts are ⌊n wᵢ⌋ or
    ⌈n wᵢ⌉, negatively associated, so the variance is at most that of multinomial resampling for any order of the
    particles (Gerber, Chopin and Whiteley 2019, algorithm SSP). Sequential: O(m) steps of one scan."""
    expected = n * jnp.diff(cumulative_weights(log_weights), prepend=0.0)
    nearest = jnp.round(expected)
    expected = jnp.where(jnp.abs(expected - nearest) < 1e-9 * n, nearest, expected)
    whole, m = jnp.floor(expected), log_weights.shape[0]
    fraction = expected - whole

    def meet_next(held, inputs):
        """``held`` = (index, fraction) of the particle not yet decided; it meets the next one."""
        i, p = held
        j, q, u = inputs
        total = p + q
        small = total < 1.0
        # small: one of the two goes to 0 and the other holds the sum; else one goes to 1 and the other keeps the rest
        rest = jnp.where(small, total, total - 1.0)
        over = jnp.where(total < 2.0, 2.0 - total, 1.0)
        chance = jnp.where(small, p / jnp.where(total > 0, total, 1.0), (1.0 - p) / over)
        keep = u < chance  # i stays undecided with the rest; j is decided
        undecided = jnp.where(keep, i, j)
        decided = jnp.where(keep, j, i)
        return (undecided, rest), (decided, jnp.where(small, 0, 1))

    us = uniform(key, (m - 1,), fraction.dtype)
    if isinstance(key, ChoiceSource):
        raise NotImplementedError("each of its uniforms has its own break points: test it by sampling")
    (last, rest), (decided, up) = jax.lax.scan(
        meet_next, (jnp.asarray(0), fraction[0]), (jnp.arange(1, m), fraction[1:], us)
    )
    counts = whole.astype(jnp.int32).at[decided].add(up.astype(jnp.int32))
    counts = counts.at[last].add(jnp.round(rest).astype(jnp.int32))
    return ancestors_from_bounds(jnp.minimum(jnp.cumsum(counts), n), n)
