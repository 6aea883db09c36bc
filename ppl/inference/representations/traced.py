"""Traced[M, A]: a density on traces, a current trace, and its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Array, Float

from ppl.core.random import Source
from ppl.inference.representations.base import Representation
from ppl.inference.representations.shape import TRACED, Shape


class TracedValue(NamedTuple):
    """``trace`` a PyTree of arrays; ``log_density`` = log γ(trace), kept so that no kernel computes it twice."""

    trace: Any
    log_density: Float[Array, ""]


class Traced(Representation):
    """⟦r⟧ f = ∫ γ(z) f(value(z)) dz, γ = exp ``log_density``; the current trace is a state of a chain, not a weighted
    draw.

    ``start`` draws the first trace; the law of the current trace is *not* part of the meaning, γ is: a kernel may do
    with the trace what it likes as long as it leaves γ/∫γ invariant."""

    log_density: Callable[[Any], Float[Array, ""]]
    start: Callable[[Source], Any]
    value: Callable[[Any], Any] = lambda trace: trace

    @property
    def shape(self) -> Shape:
        return TRACED

    def run(self, key: Source) -> tuple[TracedValue, Any]:
        trace = self.start(key)
        return TracedValue(trace, self.log_density(trace)), {}
