"""Independent draws in increasing order."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.scipy.special import gammaln
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.errors import DistributionError
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.supports import increasing_within, nondecreasing


class Ordered(dist.Distribution):
    """K draws of ``base``, sorted: K! ∏ base(xᵢ) where x is increasing. Event (K,)."""

    pytree_data_fields = ("base",)
    pytree_aux_fields = ("K",)

    def __init__(self, base: dist.Distribution, K: int):
        self.base, self.K = base, K
        super().__init__(base.batch_shape, (K,), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return increasing_within(self.base.support)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        each = self.base.log_prob(jnp.moveaxis(value, -1, 0))
        return each.sum(0) + gammaln(self.K + 1.0)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        draws = self.base.sample(key, (self.K,) + sample_shape)
        return jnp.sort(jnp.moveaxis(draws, 0, -1), axis=-1)


def ordered(D: dist.Distribution, K: int) -> dist.Distribution:
    if D.event_shape or D.support.is_discrete:
        raise DistributionError(
            "ordered(D, K) needs a continuous distribution over scalars", helps=("use for example Normal(0, 1)",)
        )
    return guard(Ordered(D, int(K)), True, nondecreasing)
