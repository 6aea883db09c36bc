"""Functions as values: a static code pointer with a PyTree of captured values.

A random function is a point of the quasi-Borel space of functions; closure conversion makes it a plain PyTree, so
that it can be drawn in a plate (its captured arrays stacked), indexed, selected, resampled, carried by a loop and
returned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
from jaxtyping import Array, Bool

from ppl.core.select import select


class Closure(eqx.Module):
    """``code(captured, *args)``. Two closures of one piece of code have equal ``code``, hence one PyTree structure."""

    code: Callable[..., Any] = eqx.field(static=True)
    captured: dict[str, Any]

    def __call__(self, *args: Any) -> Any:
        return self.code(self.captured, *args)


class EitherFunction(eqx.Module):
    """The function that a branch on a value not known while tracing has chosen, where the two have different code."""

    condition: Bool[Array, ""]
    then: Callable[..., Any]
    otherwise: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return select(self.condition, self.then(*args), self.otherwise(*args), either=EitherFunction)
