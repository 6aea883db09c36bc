"""Distributions on finitely many values: what exact inference gives, and what inference by particles estimates."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jaxtyping import Array, Bool, Float, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.errors import MethodError
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


class Particles(Atoms):
    """The estimate of a distribution by weighted particles: ``values`` with probabilities exp(``log_p``)."""

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        """MethodError where the values are continuous: particles have a mass, and no density there."""
        if any(jnp.issubdtype(a.dtype, jnp.floating) for a in jax.tree.leaves(self.values)):
            raise MethodError(
                "the density of a continuous value is asked of particles (`infer … by importance` or `smc`), which "
                "have "
                "none",
                helps=(
                    "let the block return a discrete value",
                    "or return the parameters of a density, and score with that: `theta ~ d; observe y ~ Normal(theta, "
                    "s)`",
                ),
            )
        return super().log_prob(value)

    @property
    def alive(self) -> Bool[Array, ""]:
        """Whether any particle has a positive weight."""
        return jnp.any(self.log_p > -jnp.inf)

    @property
    def numbers(self) -> ParticleNumber:
        return ParticleNumber(self.log_p)

    def at(self, k: Any) -> Any:
        """The value of particle ``k`` (of some particle, where there is none of that number)."""
        return jax.tree.map(lambda a: a[jnp.clip(k, 0, len(self.log_p) - 1)], self.values)


class ParticleNumber(dist.Distribution):
    """The number k of a particle, with probability exp(``log_p[k]``)."""

    pytree_data_fields = ("log_p",)

    def __init__(self, log_p: Float[Array, " K"]):
        self.log_p = log_p
        super().__init__((), (), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, len(self.log_p) - 1)

    @property
    def is_discrete(self) -> bool:
        return True

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        there = (value >= 0) & (value < len(self.log_p))
        return jnp.where(there, self.log_p[jnp.clip(value, 0, len(self.log_p) - 1)], -jnp.inf)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return jax.random.categorical(key, self.log_p, shape=sample_shape)
