"""A point mass, and the improper uniform."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpyro.distributions as dist
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.errors import DistributionError
from ppl.core.distributions.supports import one_of


class Delta(dist.Distribution):
    """All mass at ``x``: log density 0 there (with respect to counting), −∞ elsewhere."""

    pytree_data_fields = ("x",)

    def __init__(self, x: Any):
        self.x = jnp.asarray(x)
        super().__init__(self.x.shape, (), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return one_of(self.x[..., None])

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return jnp.where(jnp.asarray(value) == self.x, 0.0, -jnp.inf)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return jnp.broadcast_to(self.x, sample_shape + self.batch_shape)

    def cdf(self, value: Any) -> Array:
        return jnp.where(jnp.asarray(value) >= self.x, 1.0, 0.0)

    def support_values(self) -> Array | None:
        return self.x[None] if self.x.ndim == 0 else None


class Flat(dist.Distribution):
    """Log density 0 everywhere on the real line. Improper: it has no draws."""

    pytree_data_fields = ()
    support = constraints.real

    def __init__(self) -> None:
        super().__init__((), (), validate_args=False)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return jnp.zeros(jnp.shape(value), jnp.result_type(float, value))

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        raise DistributionError(
            "Flat() is improper and cannot be drawn from",
            notes=("importance, smc, prior prediction and simulation draw from the prior",),
            helps=(
                "give it a proper prior, such as Normal(0, 10)",
                "use a method that needs the density alone: nuts, hmc, map, laplace",
            ),
        )


def delta(x: Any) -> dist.Distribution:
    return Delta(x)


def flat() -> dist.Distribution:
    return Flat()
