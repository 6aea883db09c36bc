"""Samplers at the edges of the unit interval: faults that have a probability of 2⁻²⁴ a draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

from ppl.inference.validation.certificate import Check


@contextmanager
def uniforms_at(top: bool) -> Iterator[None]:
    """Within, ``jax.random.uniform`` gives the least number of its range, or the greatest below its end."""

    def uniform(key: Any, shape: Any = (), dtype: Any = float, minval: Any = 0.0, maxval: Any = 1.0, **_: Any) -> Any:
        kind = np.dtype(jax.dtypes.canonicalize_dtype(dtype))
        unit = 1 - np.finfo(kind).eps / 2 if top else 0.0
        low, high = jnp.asarray(minval, kind), jnp.asarray(maxval, kind)
        value = low + (high - low) * jnp.asarray(unit, kind)
        return jnp.broadcast_to(jnp.where(value >= high, jnp.nextafter(high, low), value), shape)

    with mock.patch.object(jax.random, "uniform", uniform), jax.disable_jit():
        yield


def check_edges(distribution: Any, name: str) -> tuple[Check, ...]:
    """A draw made from u = 0 or from u = 1 − 2⁻²⁴ (2⁻⁵³ in double precision) has a positive density. Samplers that do
    not draw by ``jax.random.uniform`` are not touched by this; samplers with loops, which reject, are left out."""
    if "while" in str(jax.make_jaxpr(lambda key: distribution.sample(key, ()))(jax.random.key(0))):
        return ()
    found = {}
    for top in (False, True):
        with uniforms_at(top):
            draw = distribution.sample(jax.random.key(0), ())
        found["u -> 1" if top else "u = 0"] = (np.asarray(draw).item(), float(distribution.log_prob(jnp.asarray(draw))))
    bad = {u: f"{x}, of density 0" for u, (x, log_density) in found.items() if not log_density > -np.inf}
    check = Check(
        "draws lie in the support",
        "replay of extreme uniforms",
        "u = 0 and u -> 1",
        "refuted" if bad else "passed",
        0.0,
        2,
        bad or {u: x for u, (x, _) in found.items()},
        None,
        name,
    )
    return (check,)
