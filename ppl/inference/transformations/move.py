"""mh(kernel) : Traced → Traced, adapted_walk : Population[Traced] → Population[Traced], refresh : Weighted → Weighted.
A kernel leaves the normalised measure invariant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from ppl.core.errors import CompositionError
from ppl.core.random import Source, split
from ppl.inference.claims import Claim
from ppl.inference.kernels.base import Kernel, LogDensity
from ppl.inference.kernels.metropolis import decide, random_walk
from ppl.inference.representations import Particles, Representation, TracedValue, WeightedValue
from ppl.inference.representations.shape import TRACED, WEIGHTED, population
from ppl.inference.transformations.base import Transformation
from ppl.inference.transformations.hoist import hoist_trace, repeat


@dataclass(frozen=True, eq=False)
class Move(Transformation):
    """One transition of ``kernel`` on the current trace; what the kernel reports is kept as ``accepted``."""

    kernel: Kernel

    @property
    def name(self) -> str:
        return f"mh({self.kernel.name})"

    source = TRACED
    target = TRACED

    @property
    def claim(self) -> Claim:
        return self.kernel.claim

    def act(self, key: Source, realised: TracedValue, program: Representation) -> tuple[TracedValue, Any]:
        density = getattr(program, "log_density", None)
        if density is None and self.kernel.needs_density:
            raise CompositionError(
                f"`{self.name}` needs the density of the traces that it moves, and this program has none",
                helps=("start from a Traced, or from `suspend_traced(target)`",),
            )
        state, info = self.kernel.step(key, realised, cast(LogDensity, density))  # None is for kernels that need none
        return state, {"accepted": info.accepted}


def mh(kernel: Kernel) -> Transformation:
    """Any kernel as a transformation, Metropolis–Hastings or not."""
    return Move(kernel)


@dataclass(frozen=True, eq=False)
class AdaptedWalk(Transformation):
    """``moves`` random-walk steps of every particle (``hoist_trace(repeat(mh(random_walk(L))))``), L from the
    covariance of the particles at hand, scaled by 2.38/√d. The kernel looks at the population that it moves:
    consistent, not unbiased."""

    moves: int
    name = "adapted_walk"
    source = population(TRACED)
    target = population(TRACED)
    claim = Claim.CONSISTENT

    def act(self, key: Source, realised: Particles, program: Representation) -> tuple[Particles, Any]:
        flat = jax.vmap(lambda v: ravel_pytree(v.trace)[0])(realised.values)
        mean = realised.weights @ flat
        d = flat.shape[1]
        cov = jnp.einsum("n,ni,nj->ij", realised.weights, flat - mean, flat - mean) + 1e-9 * jnp.eye(d)
        walk = random_walk(2.38 / math.sqrt(d) * jnp.linalg.cholesky(cov))
        return hoist_trace(repeat(mh(walk), self.moves)).act(key, realised, program)


def adapted_walk(moves: int = 5) -> Transformation:
    return AdaptedWalk(moves)


@dataclass(frozen=True, eq=False)
class Refresh(Transformation):
    """The independent Metropolis–Hastings step of a weighted program with itself: a fresh run is taken with probability
    min(1, w'/w). With ``collapse ∘ smc`` as the program this is PIMH (Andrieu, Doucet and Holenstein 2010, section
    2.4.2).

    The measure on which it acts is that of all the program's randomness, with the weight for a density."""

    program: Representation
    name = "refresh"
    source = WEIGHTED
    target = WEIGHTED
    claim = Claim.INVARIANT

    def act(self, key: Source, realised: WeightedValue, program: Representation) -> tuple[WeightedValue, Any]:
        run, choose = split(key)
        fresh = self.program.run(run)[0]
        state, info = decide(choose, TracedValue(*realised), TracedValue(*fresh), jnp.zeros(()))
        return WeightedValue(*state), {"accepted": info.accepted, "value": state.trace, "log_weight": state.log_density}


def refresh(program: Representation) -> Transformation:
    return Refresh(program)

