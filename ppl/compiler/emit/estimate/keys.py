"""Randomness of an estimator: a key for each draw and each iteration of the plates around it."""

from __future__ import annotations

import math

from jaxtyping import PRNGKeyArray

from ppl.compiler.emit.errors import CompilerDefect
from ppl.compiler.emit.estimate.axes import Axis, Labelled, union
from ppl.core.lanes import child, lanes, step


class Keys:
    """Keys by their number, made by mixing (``ppl.core.lanes``): only draws hash. Draws under enumerated values share
    their noise: no key has such an axis. No more than ``count`` keys are taken, where that is given."""

    def __init__(self, root: PRNGKeyArray, count: int | None = None):
        self._root = step(root)
        self._count, self.taken = count, 0

    def take(self, plates: tuple[Axis, ...] = ()) -> Labelled:
        """Fresh keys, one for each iteration of ``plates``."""
        if self._count is not None and self.taken >= self._count:
            raise CompilerDefect(f"{self._count} keys were expected, and more are used")
        key = child(self._root, self.taken)
        self.taken += 1
        axes = union((plates,))
        if not axes:
            return Labelled(key)
        shape = tuple(a.size for a in axes)
        return Labelled(lanes(key, math.prod(shape)).reshape(shape), axes)
