"""Randomness of an estimator: a key for each draw and each iteration of the plates around it."""

from __future__ import annotations

import math

import jax
from jaxtyping import PRNGKeyArray

from ppl.compiler.emit.errors import CompilerDefect
from ppl.compiler.emit.estimate.axes import Axis, Labelled, union


class Keys:
    """Keys by their number. Draws under enumerated values share their noise: no key has such an axis. Where it is known
    how many are taken (``count``), they are made by one split."""

    def __init__(self, root: PRNGKeyArray, count: int | None = None):
        self._root = root if count is None else jax.random.split(root, max(count, 1))
        self._count, self.taken = count, 0

    def take(self, plates: tuple[Axis, ...] = ()) -> Labelled:
        """Fresh keys, one for each iteration of ``plates``."""
        if self._count is not None and self.taken >= self._count:
            raise CompilerDefect(f"{self._count} keys were expected, and more are used")
        key = jax.random.fold_in(self._root, self.taken) if self._count is None else self._root[self.taken]
        self.taken += 1
        axes = union((plates,))
        if not axes:
            return Labelled(key)
        shape = tuple(a.size for a in axes)
        return Labelled(jax.random.split(key, math.prod(shape)).reshape(shape), axes)
