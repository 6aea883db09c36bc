"""spawn(n) : Weighted → Population. Exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ppl.core.control import each
from ppl.core.errors import UsageError
from ppl.core.random import Source
from ppl.inference.claims import Claim
from ppl.inference.representations import Particles, Population, Representation, Weighted, WeightedValue
from ppl.inference.representations.shape import POPULATION, SAMPLED, WEIGHTED
from ppl.inference.transformations.base import Transformation


@dataclass(frozen=True, eq=False)
class Spawn(Transformation):
    """n independent runs of one program: ⟦spawn(n) r⟧ f = E (1/n) Σ e^{log wᵢ} f(aᵢ) = ⟦r⟧ f."""

    size: int
    name = "spawn"
    source = WEIGHTED
    target = POPULATION
    claim = Claim.EXACT

    def __call__(self, representation: Representation) -> Representation:
        Transformation.__call__(self, representation)  # checks the shape
        program = representation

        def draw(key: Source) -> Particles:
            values, log_weights = each(key, self.size, lambda k: tuple(program.run(k)[0]))
            return Particles(values, log_weights, jnp.zeros((), log_weights.dtype))

        return Population(draw, program.shape.inner)

    def act(self, key: Source, realised: Any, program: Representation) -> tuple[Any, Any]:
        raise UsageError("spawn runs a program n times; a value that was already drawn cannot be drawn again")


def spawn(n: int) -> Transformation:
    """n particles. ``n`` ≥ 1."""
    if n < 1:
        raise UsageError(f"spawn needs at least one particle, got {n}")
    return Spawn(n)


@dataclass(frozen=True, eq=False)
class Weigh(Transformation):
    """Every draw gets the weight 1: ⟦weigh r⟧ = ⟦r⟧."""

    name = "weigh"
    source = SAMPLED
    target = WEIGHTED
    claim = Claim.EXACT

    def __call__(self, representation: Representation) -> Representation:
        Transformation.__call__(self, representation)  # checks the shape
        return Weighted(lambda key: WeightedValue(representation.run(key)[0], jnp.zeros(())))

    def act(self, key: Source, realised: Any, program: Representation) -> tuple[Any, Any]:
        return WeightedValue(realised, jnp.zeros(())), {}


weigh = Weigh()

