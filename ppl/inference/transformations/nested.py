"""nested(τ) : Sequential[M] → Sequential[M]. Every step is run through τ by itself. Keeps τ's claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, Float, Int

from ppl.core.errors import CompositionError
from ppl.core.random import Source
from ppl.inference.claims import Claim
from ppl.inference.representations import Representation, Sequential, Weighted, WeightedValue
from ppl.inference.representations.shape import ANY, WEIGHTED, Shape, match, sequential
from ppl.inference.transformations.base import Transformation, needs


@dataclass(frozen=True, eq=False)
class Nested(Transformation):
    """One step of a particle is a weighted program: it draws the new state and weighs it. Here τ : Weighted → Weighted
    is applied to that program. If τ is properly weighted so is the whole, whatever runs inside (Naesseth, Lindsten and
    Schön 2015).

    ``nested(collapse @ spawn(m))`` tries m continuations and keeps one in proportion to their weights."""

    inner: Transformation

    @property
    def name(self) -> str:
        return f"nested({self.inner.name})"

    @property
    def claim(self) -> Claim:
        return self.inner.claim

    source: Shape = sequential(ANY)
    target: Shape = sequential(ANY)

    def __post_init__(self) -> None:
        if match(self.inner.source, WEIGHTED, {}) is None:
            raise needs(self.inner, WEIGHTED)
        if match(WEIGHTED, self.inner.target, {}) is None:
            raise CompositionError(
                f"`{self.name}` needs a transformation to Weighted, and `{self.inner.name}` gives {self.inner.target}",
                helps=(f"keep one of its values by weight: nested(collapse @ {self.inner.name})",),
            )

    def __call__(self, representation: Representation) -> Representation:
        Transformation.__call__(self, representation)  # checks the shape
        if not isinstance(representation, Sequential):
            raise self._late()
        program = representation

        def extend(key: Source, state: Any, step: Int[Array, ""]) -> tuple[Any, Any, Float[Array, ""]]:
            def once(k: Source) -> WeightedValue:
                new, record, log_weight = program.extend(k, state, step)
                return WeightedValue((new, record), log_weight)

            (new, record), log_weight = self.inner(Weighted(once)).run(key)[0]
            return new, record, log_weight

        return Sequential(program.start, extend, program.length)

    def act(self, key: Source, realised: Any, program: Representation) -> tuple[Any, Any]:
        raise self._late()

    def _late(self) -> CompositionError:
        return CompositionError(
            f"`{self.name}` changes the program and must be applied before any particle is drawn",
            helps=("apply it first: (finish @ … @ hoist(spawn(n)) @ nested(τ))(suspend(target))",),
        )


def nested(inner: Transformation) -> Transformation:
    return Nested(inner)
