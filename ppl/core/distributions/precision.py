"""Draws in the precision of the arguments."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray


class InputPrecision:
    """Mixed in before one of NumPyro's classes, whose samplers draw in the default precision."""

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        x: Any = super().sample(key, sample_shape)  # type: ignore[misc]
        return x.astype(jnp.result_type(float, *jax.tree.leaves(self)))
