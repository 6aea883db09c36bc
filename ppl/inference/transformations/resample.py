"""resample(scheme, when) : Population → Population. Unbiased for the unnormalised measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ppl.core.control import branch
from ppl.core.random import Source, split
from ppl.inference.claims import Claim, meet
from ppl.inference.representations import Particles, Representation
from ppl.inference.representations.population import mean_and_size
from ppl.inference.representations.shape import POPULATION, Shape
from ppl.inference.resampling import Scheme, systematic
from ppl.inference.transformations.base import Transformation


@dataclass(frozen=True, eq=False)
class Resample(Transformation):
    """Ancestors by ``scheme`` when the effective sample size is below ``ess`` · n (always when ``ess`` > 1); the mean
    weight goes into the normaliser and the particles start again with equal weights.

    E ⟦resample r⟧ f = ⟦r⟧ f for every scheme with E[offspringᵢ] = n wᵢ/Σw, and for every trigger that depends on the
    weights alone (Del Moral, Doucet and Jasra 2012). Reports ``ess`` (before), ``resampled`` and, where asked for,
    ``ancestors``."""

    scheme: Scheme
    ess: float
    ancestors: bool
    then: Transformation | None = None
    name = "resample"
    source = POPULATION
    target = Shape("Population")

    @property
    def claim(self) -> Claim:
        return Claim.PROPERLY_WEIGHTED if self.then is None else meet([Claim.PROPERLY_WEIGHTED, self.then.claim])

    def act(self, key: Source, realised: Particles, program: Representation) -> tuple[Particles, dict[str, Any]]:
        n = realised.size
        key, moving = (key, None) if self.then is None else split(key)
        mean, size = mean_and_size(realised.log_weights)
        mass = realised.log_normaliser + mean

        def yes(particles: Particles) -> tuple[Particles, Any]:
            index = self.scheme(key, particles.log_weights, n).astype(jnp.int32)
            particles = reindex(particles, index, mass)
            if self.then is not None:
                particles, _ = self.then.act(moving, particles, program)
            return particles, index

        def no(particles: Particles) -> tuple[Particles, Any]:
            return particles, jnp.arange(n, dtype=jnp.int32)

        if not isinstance(self.ess, jax.Array) and self.ess > 1.0:
            triggered = jnp.asarray(True)
            result, index = yes(realised)
        else:
            triggered = size < self.ess * n
            result, index = branch(key, triggered, yes, no, realised)
        report = {"ess": size, "resampled": triggered}
        if self.ancestors:
            report["ancestors"] = index
        return result, report


def reindex(particles: Particles, ancestors: Any, log_mass: Float[Array, ""]) -> Particles:
    """The particles with these ancestors and equal weights. ``log_mass``: their ``log_evidence``, which goes into the
    normaliser."""
    values = jax.tree.map(lambda a: a[ancestors], particles.values)
    zeros = jnp.zeros(ancestors.shape[0], particles.log_weights.dtype)
    return Particles(values, zeros, log_mass)


def resample(
    scheme: Scheme = systematic, ess: float = 0.5, ancestors: bool = False, then: Transformation | None = None
) -> Transformation:
    """``ess``: the threshold as a fraction of n; above 1 resamples at every step, 0 never does. ``then``: a
    transformation of populations that follows only where resampling took place (the moves of resample–move)."""
    return Resample(scheme, ess, ancestors, then)
