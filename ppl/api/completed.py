"""A target whose density is that of a reduced model, completed by the full one.

The passes take out of a model what inference need not see: draws that reach no data, discrete variables that are summed out,
outputs. ``complete`` puts it all back: first the reduced model draws its summed-out variables from their exact conditionals,
then the full model, given all these, draws and computes the rest.
"""

from __future__ import annotations

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.target import Execution, Latent, Target, Trace, Unconstrained


class Completed(Target):
    """``reduced`` has the density, ``full`` every variable and output of the model; both hold the same data."""

    name: str = eqx.field(static=True)
    latents: tuple[Latent, ...] = eqx.field(static=True)
    reduced: Target
    full: Target

    def __init__(self, reduced: Target, full: Target):
        self.name, self.latents, self.reduced, self.full = full.name, reduced.latents, reduced, full

    def simulate(self, key: PRNGKeyArray) -> Execution:
        return self.full.simulate(key)

    def generate(self, key: PRNGKeyArray, constraints: Trace) -> Execution:
        return self.reduced.generate(key, constraints)

    def log_density(self, trace: Trace) -> Float[Array, ""]:
        return self.reduced.log_density(trace)

    def log_density_unconstrained(self, unconstrained: Unconstrained) -> Float[Array, ""]:
        return self.reduced.log_density_unconstrained(unconstrained)

    def constrain(self, unconstrained: Unconstrained) -> tuple[Trace, Float[Array, ""]]:
        return self.reduced.constrain(unconstrained)

    def unconstrain(self, trace: Trace) -> Unconstrained:
        return self.reduced.unconstrain(trace)

    def complete(self, key: PRNGKeyArray, trace: Trace) -> Execution:
        first, second = jax.random.split(key)
        known = self.reduced.complete(first, trace).trace
        return self.full.complete(second, known)
