"""Gibbs updates of discrete variables by enumeration of their full conditionals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from ppl.core.control import iterate
from ppl.core.random import Source, categorical, split
from ppl.inference.kernels.base import Kernel, KernelInfo, LogDensity
from ppl.inference.representations import TracedValue


@dataclass(frozen=True, eq=False)
class EnumerationGibbs(Kernel):
    """Each element of the sites ``values`` (name → the values it can take) in turn is drawn from its full conditional
    p(zᵢ | rest) ∝ γ(zᵢ, rest): |values| densities an element. A sweep over several elements is invariant, not
    reversible."""

    values: dict[str, Any]
    name: str = "gibbs"

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        for k, (site, values) in zip(split(key, max(len(self.values), 2)), self.values.items(), strict=False):
            state = self._sweep(k, site, values, state, log_density)
        return state, KernelInfo(jnp.asarray(True), jnp.asarray(jnp.nan))

    def _sweep(self, key: Source, site: str, values: Any, state: TracedValue, log_density: LogDensity) -> TracedValue:
        def at(array: Any, i: Any, value: Any) -> Any:
            return jnp.asarray(array).reshape(-1).at[i].set(value).reshape(jnp.shape(array))

        def update(k: Source, carry: Any) -> Any:
            i, current = carry
            values_here = jnp.asarray(values, current.trace[site].dtype)
            densities = jax.vmap(lambda v: log_density({**current.trace, site: at(current.trace[site], i, v)}))(
                values_here
            )
            choice = categorical(k, densities)
            trace = {**current.trace, site: at(current.trace[site], i, values_here[choice])}
            return (i + 1, TracedValue(trace, densities[choice])), {}

        (_, state), _ = iterate(key, jnp.size(state.trace[site]), update, (jnp.asarray(0), state))
        return state


def gibbs(values: dict[str, Any]) -> Kernel:
    """``values``: for each discrete site the array of the values that one element can take."""
    return EnumerationGibbs(values)
