"""The distribution on finitely many values that an inference gives: each with its probability."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jaxtyping import Array, Float, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.numerics import safe_log


class Atoms(dist.Distribution):
    """``values``: a PyTree whose leaves have a leading axis of length K; ``log_p`` (K,), normalised, or −∞ everywhere
    where no value is possible. Equal values add up: log P(x) is over all k with ``values[k] == x``."""

    pytree_data_fields = ("values", "log_p")

    def __init__(self, values: Any, log_p: Float[Array, " K"]):
        self.values, self.log_p = jax.tree.map(jnp.asarray, values), log_p
        leaves = jax.tree.leaves(self.values)
        event = leaves[0].shape[1:] if len(leaves) == 1 else ()
        super().__init__((), event, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        leaf = jax.tree.leaves(self.values)[0]
        if leaf.dtype == bool:
            return constraints.boolean
        return constraints.integer if jnp.issubdtype(leaf.dtype, jnp.integer) else constraints.real

    @property
    def is_discrete(self) -> bool:
        return True

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        """One value or, where the values are scalars, an array of them."""
        wanted, leaves = jax.tree.leaves(value), jax.tree.leaves(self.values)
        if len(leaves) == 1 and not self.event_shape:
            hit = jnp.asarray(wanted[0])[..., None] == leaves[0]
        else:
            same = [(x == a).reshape(len(self.log_p), -1).all(-1) for a, x in zip(leaves, wanted, strict=True)]
            hit = jnp.stack(same).all(0)
        return safe_log(jnp.where(hit, jnp.exp(self.log_p), 0).sum(-1))

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Any:
        k = jax.random.categorical(key, self.log_p, shape=sample_shape)
        return jax.tree.map(lambda a: a[k], self.values)
