"""twist(ψ) : Sequential[M] → Sequential[M]. Exact: the potential telescopes away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.errors import CompositionError
from ppl.core.random import Source
from ppl.inference.claims import Claim
from ppl.inference.representations import Representation, Sequential, Weighted, WeightedValue
from ppl.inference.representations.shape import WEIGHTED, sequential
from ppl.inference.transformations.base import Transformation

Potential = Callable[[Any, Int[Array, ""]], Float[Array, ""]]


@dataclass(frozen=True, eq=False)
class Twist(Transformation):
    """The path γₜ ψₜ in the place of γₜ, with ψ = 1 behind the last observation: what is multiplied into the weights
    at one step is divided out at the next, so that the final measure stays (Whiteley and Lee 2014). Unlike ``factor``,
    which changes it.

    With log ψₜ(x) ≈ log p(yₜ₊₁ | x) the filter looks ahead: the auxiliary particle filter (Pitt and Shephard 1999)."""

    potential: Potential
    name = "twist"
    source = sequential(WEIGHTED)
    target = sequential(WEIGHTED)
    claim = Claim.EXACT

    def __call__(self, representation: Representation) -> Representation:
        Transformation.__call__(self, representation)  # checks the shape
        if not isinstance(representation, Sequential):
            raise self._late()
        program = representation

        def at(state: Any, step: Int[Array, ""]) -> Float[Array, ""]:
            return jnp.where(step < program.length, self.potential(state, step), 0.0)

        def start(key: Source) -> WeightedValue:
            state, log_weight = program.start.run(key)[0]
            return WeightedValue(state, log_weight + at(state, jnp.asarray(0)))

        def extend(key: Source, state: Any, step: Int[Array, ""]) -> tuple[Any, Any, Float[Array, ""]]:
            new, record, log_weight = program.extend(key, state, step)
            return new, record, log_weight + at(new, step + 1) - at(state, step)

        return Sequential(Weighted(start, program.start.shape.inner), extend, program.length)

    def act(self, key: Source, realised: Any, program: Representation) -> tuple[Any, Any]:
        raise self._late()

    def _late(self) -> CompositionError:
        return CompositionError(
            "twist changes the program and must be applied before any particle is drawn",
            helps=("apply it first: (finish @ … @ hoist(spawn(n)) @ twist(potential))(suspend(target))",),
        )


def twist(potential: Potential) -> Transformation:
    """``potential(state, step)`` = log ψ of a state behind ``step`` observations: finite wherever the path can still
    go on."""
    return Twist(potential)
