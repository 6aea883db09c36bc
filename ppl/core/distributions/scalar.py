"""The base of our own distributions over scalars."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax


class Scalar(dist.Distribution):
    """Subclasses name their parameters in ``pytree_data_fields``; these broadcast to the batch shape.

    They give ``log_prob`` for values inside the support (the guard keeps others away), ``sample``, ``support``, and
    ``cdf`` where there is a formula. Discrete ones with finitely many values also give ``support_values``."""

    def __init__(self, **parameters: Any):
        for name, value in parameters.items():
            setattr(self, name, value)
        batch_shape = lax.broadcast_shapes(*(jnp.shape(p) for p in parameters.values()))
        super().__init__(batch_shape, (), validate_args=False)
