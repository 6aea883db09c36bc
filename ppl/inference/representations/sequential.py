"""Sequential[M, A]: a computation suspended at its observations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.random import Source
from ppl.core.sequential import At, SequentialTarget, TracedSequentialTarget
from ppl.inference.representations.base import Representation
from ppl.inference.representations.shape import TRACED, Shape, sequential
from ppl.inference.representations.traced import TracedValue
from ppl.inference.representations.weighted import Weighted, WeightedValue

Extend = Callable[[Source, Any, Int[Array, ""]], tuple[Any, Any, Float[Array, ""]]]


@jax.tree_util.register_static
@dataclass(frozen=True)
class Segment:
    number: int


class Suspended(NamedTuple):
    """``current`` a realisation of M whose values are states of the suspended program; ``step`` how many observations
    have been passed. ``segment`` says, while compiling, in which of the program's the step lies: it can be left out,
    and then each step decides what code to run."""

    current: Any
    step: Int[Array, ""]
    segment: Segment | None = None

    @property
    def at(self) -> Int[Array, ""] | At:
        """The step, as the target takes it."""
        return self.step if self.segment is None else At(self.step, self.segment.number)


class Sequential(Representation):
    """⟦r⟧ f = ⟦finish r⟧ f: the measure of the computation run to its end.

    ``start`` is the representation of the state before the first observation, of shape M; ``extend(key, state, step)``
    runs one value to just behind observation ``step`` and gives the new state, a record and the incremental log weight.

    ``log_density(trace, step)`` is log γ after ``step`` observations where states are traces; kernels may then move
    them. ``segments`` are those of the target (``SequentialTarget``)."""

    start: Representation
    extend: Extend
    length: int
    log_density: Callable[[Any, Any], Float[Array, ""]] | None = None
    segments: tuple[int, ...] | None = None

    @property
    def shape(self) -> Shape:
        return sequential(self.start.shape)

    def run(self, key: Source) -> tuple[Suspended, Any]:
        current, report = self.start.run(key)
        return Suspended(current, jnp.asarray(0)), report


def suspend_traced(target: TracedSequentialTarget) -> Sequential:
    """The target as Sequential[Weighted] whose states are ``TracedValue``: for resample–move, IBIS and the like."""

    def start(key: Source) -> WeightedValue:
        trace, log_weight = target.start(key)
        return WeightedValue(TracedValue(trace, target.log_density_at(trace, jnp.asarray(0))), log_weight)

    def extend(key: Source, state: TracedValue, step: Int[Array, ""]) -> tuple[Any, Any, Float[Array, ""]]:
        trace, record, log_weight = target.advance(key, state.trace, step)
        return TracedValue(trace, target.log_density_at(trace, step + 1)), record, log_weight

    return Sequential(Weighted(start, TRACED), extend, target.length, target.log_density_at)


def suspend(target: SequentialTarget) -> Sequential:
    """The target as Sequential[Weighted]: started, not yet advanced. Its measure is that of the target. Exact."""
    start = Weighted(lambda key: WeightedValue(*target.start(key)))
    return Sequential(start, target.advance, target.length, segments=getattr(target, "segments", None))
