"""Independent copies of a distribution: as batch axes, or as one event."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints


class Copies(dist.Distribution):
    """``base`` with the axes ``copies`` in front of its batch. Its arguments are not enlarged: they are used once for
    all."""

    pytree_data_fields = ("base",)
    pytree_aux_fields = ("copies",)

    def __init__(self, base: dist.Distribution, copies: tuple[int, ...]):
        self.base, self.copies = base, copies
        super().__init__(copies + base.batch_shape, base.event_shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return self.base.support

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.base.sample(key, sample_shape + self.copies)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        log_density = self.base.log_prob(value)
        return jnp.broadcast_to(log_density, lax.broadcast_shapes(jnp.shape(log_density), self.batch_shape))

    def cdf(self, value: Any) -> Array:
        return self.base.cdf(value)

    def sf(self, value: Any) -> Array:
        return self.base.sf(value) if hasattr(self.base, "sf") else 1 - self.base.cdf(value)

    def icdf(self, q: Any) -> Array:
        return self.base.icdf(q)


def iid(D: dist.Distribution, n: int) -> dist.Distribution:
    """n draws of D as one value: event (n, *batch of D, *event of D)."""
    copies = Copies(D, (int(n),))
    return copies.to_event(len(copies.batch_shape))
