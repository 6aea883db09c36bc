"""The device and the precision in force here and now."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def device() -> jax.Device:
    """Where arrays are made: the default device of the context, or JAX's first one."""
    chosen = jax.config.jax_default_device  # type: ignore[attr-defined]
    return chosen if isinstance(chosen, jax.Device) else jax.devices(chosen)[0]


def bits() -> int:
    """Of a floating point number: 32 or 64."""
    return jnp.finfo(jax.dtypes.canonicalize_dtype(float)).bits
