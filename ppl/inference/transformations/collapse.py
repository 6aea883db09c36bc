"""collapse : Population → Weighted. Unbiased for the unnormalised measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from ppl.core.random import Source, categorical
from ppl.inference.claims import Claim
from ppl.inference.representations import Particles, Representation, WeightedValue
from ppl.inference.representations.shape import POPULATION, SAMPLED, WEIGHTED
from ppl.inference.transformations.base import Transformation


@dataclass(frozen=True, eq=False)
class Collapse(Transformation):
    """One value drawn in proportion to its weight, with the mean weight: E Ẑ f(a_J) = E Ẑ Σ (wᵢ/Σw) f(aᵢ) = ⟦r⟧ f."""

    name = "collapse"
    source = POPULATION
    target = WEIGHTED
    claim = Claim.PROPERLY_WEIGHTED

    def act(self, key: Source, realised: Particles, program: Representation) -> tuple[WeightedValue, Any]:
        return WeightedValue(pick(key, realised), realised.log_evidence), {}


@dataclass(frozen=True, eq=False)
class Normalise(Transformation):
    """One value drawn in proportion to its weight, the weight forgotten: ⟦r⟧ f / ⟦r⟧ 1 with a bias of order 1/n.

    A ratio of two unbiased estimates is not unbiased: this is the one step at which a method stops being so."""

    name = "normalise"
    source = POPULATION
    target = SAMPLED
    claim = Claim.CONSISTENT

    def act(self, key: Source, realised: Particles, program: Representation) -> tuple[Any, Any]:
        return pick(key, realised), {}


def pick(key: Source, particles: Particles) -> Any:
    """One of the values, in proportion to its weight."""
    index = categorical(key, particles.log_weights)
    return jax.tree.map(lambda a: a[index], particles.values)


collapse = Collapse()
normalise = Normalise()
