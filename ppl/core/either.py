"""The distribution that a branch on a value not known while tracing has chosen, where the two differ in kind."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax
from jaxtyping import Array, Bool, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.errors import MethodError


class EitherDistribution(dist.Distribution):
    """``then`` where ``condition`` holds, else ``otherwise``: both over values of one shape."""

    pytree_data_fields = ("condition", "then", "otherwise")

    def __init__(self, condition: Bool[Array, ""], then: dist.Distribution, otherwise: dist.Distribution):
        self.condition, self.then, self.otherwise = condition, then, otherwise
        batch_shape = lax.broadcast_shapes(then.batch_shape, otherwise.batch_shape)
        super().__init__(batch_shape, then.event_shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        a, b = self.then.support, self.otherwise.support
        if a is b or type(a) is type(b) and a == b:
            return a
        raise MethodError(
            "a latent variable has one of two distributions with different supports, chosen by a random condition",
            helps=("draw it inside the branches, or use a method that needs no unconstrained form (importance, smc)",),
        )

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return jnp.where(self.condition, self.then.sample(key, sample_shape), self.otherwise.sample(key, sample_shape))

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return jnp.where(self.condition, self.then.log_prob(value), self.otherwise.log_prob(value))

    def cdf(self, value: Any) -> Array:
        return jnp.where(self.condition, self.then.cdf(value), self.otherwise.cdf(value))
