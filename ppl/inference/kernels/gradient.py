"""Kernels that follow the gradient: HMC, NUTS and MALA with fixed tuning. The transitions are BlackJAX's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from ppl.core.errors import MethodError
from ppl.core.random import Source
from ppl.inference.adapters.blackjax import LogDensity as FlatDensity
from ppl.inference.adapters.blackjax import Transition, hmc_kernel, mala_kernel, nuts_kernel
from ppl.inference.flat import evaluate
from ppl.inference.kernels.base import Kernel, KernelInfo, LogDensity
from ppl.inference.representations import TracedValue


@dataclass(frozen=True, eq=False)
class Gradient(Kernel):
    """One transition on the raveled trace, all leaves of which are real, in R^k: the density must be that of
    unconstrained variables. The gradient at the current trace is computed anew, so that the state is a trace and its
    density alone.

    ``inverse_mass``: a vector of variances or a covariance, by the raveled trace; None for the identity. ``accepted``
    reports the probability of acceptance (the mean over the trajectory for NUTS)."""

    transition: Callable[[FlatDensity], Transition]
    step_size: Any
    inverse_mass: Any
    name: str
    reversible: bool

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        self._require_real(state.trace)
        flat, unravel = ravel_pytree(state.trace)

        def density(x: Any) -> Any:
            return log_density(unravel(x))

        mass = jnp.ones_like(flat) if self.inverse_mass is None else jnp.asarray(self.inverse_mass, flat.dtype)
        step_size = jnp.asarray(self.step_size, flat.dtype)
        point, stats = self.transition(density)(key, evaluate(density, flat), step_size, mass)
        new = TracedValue(unravel(point["position"]), point["log_density"].astype(jnp.result_type(state.log_density)))
        return new, KernelInfo(stats["acceptance_rate"], jnp.asarray(jnp.nan))

    def _require_real(self, trace: Any) -> None:
        for path, leaf in jax.tree_util.tree_leaves_with_path(trace):
            if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
                where = jax.tree_util.keystr(path, simple=True, separator=".") or "the trace"
                raise MethodError(
                    f"{self.name} moves real variables along a gradient, but `{where}` is of type "
                    f"{jnp.result_type(leaf)}",
                    helps=(f"move the real ones alone, on(select(…), {self.name}(…)), and the others by gibbs",),
                )


def hmc(step_size: float, steps: int, inverse_mass: Any = None) -> Kernel:
    """Hamiltonian Monte Carlo: fresh momentum, ``steps`` leapfrog steps, accept or reject (Duane et al. 1987)."""
    return Gradient(lambda density: hmc_kernel(density, steps), step_size, inverse_mass, "hmc", reversible=True)


def nuts(step_size: float, max_depth: int = 8, inverse_mass: Any = None) -> Kernel:
    """The No-U-Turn sampler with multinomial trajectories (Hoffman and Gelman 2014; Betancourt 2017), at most
    2^``max_depth`` leapfrog steps. Invariant; its progressive sampling favours late points and is not in detailed
    balance."""
    return Gradient(lambda density: nuts_kernel(density, max_depth), step_size, inverse_mass, "nuts", reversible=False)


def mala(step_size: float) -> Kernel:
    """The Metropolis-adjusted Langevin algorithm (Roberts and Tweedie 1996): z + h ∇log γ(z) + √(2h) noise, h =
    ``step_size``."""
    return Gradient(mala_kernel, step_size, None, "mala", reversible=True)
