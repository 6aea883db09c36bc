"""Sequential[M, A]: a computation suspended at its observations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.random import Source
from ppl.core.sequential import SequentialTarget
from ppl.inference.representations.base import Representation
from ppl.inference.representations.shape import Shape, sequential
from ppl.inference.representations.weighted import Weighted, WeightedValue

Extend = Callable[[Source, Any, Int[Array, ""]], tuple[Any, Any, Float[Array, ""]]]


class Suspended(NamedTuple):
    """``current`` a realisation of M whose values are states of the suspended program; ``step`` how many observations
    have been passed."""

    current: Any
    step: Int[Array, ""]


class Sequential(Representation):
    """⟦r⟧ f = ⟦finish r⟧ f: the measure of the computation run to its end.

    ``start`` is the representation of the state before the first observation, of shape M; ``extend(key, state, step)`` runs
    one value to just behind observation ``step`` and gives the new state, a record and the incremental log weight."""

    start: Representation
    extend: Extend
    length: int

    @property
    def shape(self) -> Shape:
        return sequential(self.start.shape)

    def run(self, key: Source) -> tuple[Suspended, Any]:
        current, report = self.start.run(key)
        return Suspended(current, jnp.asarray(0)), report


def suspend(target: SequentialTarget) -> Sequential:
    """The target as Sequential[Weighted]: started, not yet advanced. Its measure is that of the target. Exact."""
    return Sequential(Weighted(lambda key: WeightedValue(*target.start(key))), target.advance, target.length)
