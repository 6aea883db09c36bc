"""Sampled[A]: a program that draws a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ppl.core.random import Source
from ppl.inference.representations.base import Representation
from ppl.inference.representations.shape import SAMPLED, Shape


class Sampled(Representation):
    """⟦r⟧ f = E f(a), a = draw(key). A probability measure."""

    draw: Callable[[Source], Any]

    @property
    def shape(self) -> Shape:
        return SAMPLED

    def run(self, key: Source) -> tuple[Any, Any]:
        return self.draw(key), {}
