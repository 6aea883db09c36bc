"""Weighted[M, A]: a program that draws a value and a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Array, Float

from ppl.core.random import Source
from ppl.inference.representations.base import Representation
from ppl.inference.representations.shape import Shape


class WeightedValue(NamedTuple):
    """A value with its log weight (log p, of any sign; −∞ is a dead value)."""

    value: Any
    log_weight: Float[Array, ""]


class Weighted(Representation):
    """⟦r⟧ f = E e^{log w} f(a), (a, log w) = draw(key). An unnormalised measure.

    ``value_shape`` is ``TRACED`` where the values are traces that kernels can move."""

    draw: Callable[[Source], WeightedValue]
    value_shape: Shape | None = None

    @property
    def shape(self) -> Shape:
        return Shape("Weighted", self.value_shape)

    def run(self, key: Source) -> tuple[WeightedValue, Any]:
        return WeightedValue(*self.draw(key)), {}
