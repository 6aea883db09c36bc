"""Randomness of an estimator: a key for each draw and each iteration of the plates around it."""

from __future__ import annotations

import math

import jax
from jaxtyping import PRNGKeyArray

from ppl.compiler.emit.estimate.axes import Axis, Labelled, union


class Keys:
    """Keys by their number. Draws under enumerated values share their noise: no key has such an axis."""

    def __init__(self, root: PRNGKeyArray):
        self._root, self._count = root, 0

    def take(self, plates: tuple[Axis, ...] = ()) -> Labelled:
        """Fresh keys, one for each iteration of ``plates``."""
        self._count += 1
        key = jax.random.fold_in(self._root, self._count)
        axes = union((plates,))
        if not axes:
            return Labelled(key)
        shape = tuple(a.size for a in axes)
        return Labelled(jax.random.split(key, math.prod(shape)).reshape(shape), axes)
