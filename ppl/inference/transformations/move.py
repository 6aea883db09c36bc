"""mh(kernel) : Traced → Traced, and trace : Weighted → Traced. A kernel leaves the normalised measure invariant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ppl.core.errors import CompositionError
from ppl.core.random import Source, split
from ppl.inference.claims import Claim
from ppl.inference.kernels.base import Kernel
from ppl.inference.kernels.metropolis import decide
from ppl.inference.representations import Representation, TracedValue, WeightedValue
from ppl.inference.representations.shape import TRACED, WEIGHTED
from ppl.inference.transformations.base import Transformation


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
        state, info = self.kernel.step(key, realised, density)
        return state, {"accepted": info.accepted}


def mh(kernel: Kernel) -> Transformation:
    """Any kernel as a transformation, Metropolis–Hastings or not."""
    return Move(kernel)


@dataclass(frozen=True, eq=False)
class Refresh(Transformation):
    """The independent Metropolis–Hastings step of a weighted program with itself: a fresh run is taken with probability
    min(1, w'/w). With ``collapse ∘ smc`` as the program this is PIMH (Andrieu, Doucet and Holenstein 2010, section 2.4.2).

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

