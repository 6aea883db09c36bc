"""Values with named axes, and ordinary functions lifted to them.

An estimator evaluates each statement once, for all iterations of a plate, all values of an enumerated variable and
all alternatives of a measure-valued derivative: those are *named axes*. They trail in the arrays, in the order in
which they were made, so that an ordinary function is lifted by nested ``vmap``s over its last axes.

Locality. An axis of a draw inside a plate says: *in iteration i* the variable has this value. When the plate is left,
its axis becomes an ordinary leading axis of the array, remembered in ``dims``: element i still speaks of iteration i.
A later plate that reads element i in its own iteration i takes over that axis, and all stays local: N draws of K
values cost N · K. A value that mixes elements loses the alignment (``settled``): impossible where an axis is local to
it (K^N alternatives), and remembered for the score function, whose cost is then the whole of what it feeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.diagnostics.span import NOWHERE, Span

_NUMBERS = count()


@dataclass(frozen=True, eq=False, slots=True)
class Axis:
    """``plates``: those whose iterations each have an axis of their own (of the values of a draw inside them).
    ``draw``: what the axis enumerates the alternatives of, None for a plate. ``scale``: what a sum over the axis is
    multiplied by, where it is a random part of a larger plate, ``rows`` which iterations are used. ``ordered``:
    iterations follow each other, and element t may depend on what earlier ones draw; ``chain`` as in ``chains``."""

    size: int
    plates: tuple[Axis, ...] = ()
    draw: Choice | None = None
    scale: float = 1.0
    rows: Any = None
    ordered: bool = False
    chain: Any = None
    number: int = field(default_factory=lambda: next(_NUMBERS))

    @property
    def is_plate(self) -> bool:
        return self.draw is None


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """One random choice of an estimator: a draw of an expectation, in each iteration of ``plates``. ``time``: the one
    of them that runs in order, so that iteration t is charged with the costs of t and later."""

    site: str
    plates: tuple[Axis, ...]
    span: Span = NOWHERE
    time: Axis | None = None


Deps = Mapping[Choice, frozenset[Axis]]  # choice -> the plates in which the alignment with it is lost
NO_DEPS: Deps = {}


LARGEST = 2**10  # combinations of values of different draws that one term may depend on


class NotLocal(Exception):
    """A value would need every combination of the values of a choice in all iterations of its plate, or of the values
    of ``together`` choices that one term depends on."""

    def __init__(self, choice: Choice, span: Span = NOWHERE, together: int = 0):
        super().__init__(choice.site)
        self.choice, self.span, self.together = choice, span, together


@dataclass(frozen=True, eq=False, slots=True)
class Labelled:
    """``value`` is a PyTree; where ``axes`` is not empty each leaf is an array with those axes last. ``deps``: the
    sampled choices that the value depends on. ``dims``: the plates that the leading own dimensions run over, where
    element i belongs to iteration i. ``score_of``: the value is a multiple of the log density of that choice."""

    value: Any
    axes: tuple[Axis, ...] = ()
    deps: Deps = field(default_factory=dict)
    dims: tuple[Axis | None, ...] = ()
    score_of: Choice | None = None

    @property
    def ndim(self) -> int:
        """Own dimensions, of a value that is one array."""
        return np.ndim(self.value) - len(self.axes)


def plain(value: Any) -> Labelled:
    return Labelled(value)


def union(axes: Iterable[tuple[Axis, ...]]) -> tuple[Axis, ...]:
    """All of them, in order. NotLocal where they are too many combinations of the values of draws."""
    found = tuple(sorted({a for some in axes for a in some}, key=lambda a: a.number))
    chosen = [a for a in found if a.draw is not None]
    if math.prod(a.size for a in chosen) > LARGEST and len(chosen) > 1:
        raise NotLocal(chosen[-1].draw, together=len(chosen))  # type: ignore[arg-type]
    return found


def merged(deps: Iterable[Deps]) -> Deps:
    found: dict[Choice, frozenset[Axis]] = {}
    for some in deps:
        for choice, lost in some.items():
            found[choice] = found.get(choice, frozenset()) | lost
    return found


def settled(x: Labelled, span: Span = NOWHERE) -> Labelled:
    """The same without the memory that element i belongs to iteration i. NotLocal where an axis needs it."""
    plates = [p for p in x.dims if p is not None]
    if not plates:
        return x if not x.dims else replace(x, dims=())
    for axis in x.axes:
        if axis.draw is not None and any(p in axis.plates for p in plates):
            raise NotLocal(axis.draw, span)
    lost = {c: gone | {p for p in plates if p in c.plates} for c, gone in x.deps.items()}
    return replace(x, dims=(), deps=lost)


def mapped(function: Callable[..., Any], args: tuple[Any, ...], axes: tuple[tuple[Axis, ...], ...]) -> Any:
    """``function`` of plain arguments, over the union of the named axes of ``args``: each result has them all."""
    lifted = function
    for axis in union(axes):
        lifted = jax.vmap(lifted, in_axes=tuple(-1 if axis in own else None for own in axes), out_axes=-1)
    return lifted(*args)


def lift(function: Callable[..., Any], *args: Labelled, span: Span = NOWHERE) -> Labelled:
    """``function`` of plain values, applied to labelled ones. Its results are computed for all axes together."""
    args = tuple(settled(a, span) for a in args)
    value = mapped(function, tuple(a.value for a in args), tuple(a.axes for a in args))
    return Labelled(value, union(a.axes for a in args), merged(a.deps for a in args))


def aligned(value: Any, own: tuple[Axis, ...], wanted: tuple[Axis, ...]) -> Any:
    """An array of the axes ``own`` (trailing), with a new axis of length one for each of ``wanted`` that it lacks."""
    leading = jnp.ndim(value) - len(own)
    at = [leading + k for k, axis in enumerate(wanted) if axis not in own]
    return jnp.expand_dims(jnp.asarray(value), tuple(at)) if at else jnp.asarray(value)


def spread(x: Labelled, axes: tuple[Axis, ...]) -> Any:
    """The array of ``x`` with exactly the axes ``axes`` (a superset of its own), repeated along the new ones."""
    value = aligned(x.value, x.axes, axes)
    own = value.shape[: value.ndim - len(axes)]
    return jnp.broadcast_to(value, own + tuple(a.size for a in axes))


def named(x: Labelled, axis: Axis) -> Labelled:
    """Own dimension 0 becomes the named axis."""
    axes = union((x.axes, (axis,)))
    place = axes.index(axis) - len(axes)
    value = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, place), x.value)
    return Labelled(value, axes, x.deps, x.dims[1:])


def positional(x: Labelled, axis: Axis) -> Labelled:
    """The named axis becomes own dimension 0, and is remembered there."""
    if axis in x.axes:
        place = x.axes.index(axis) - len(x.axes)
        value = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, place, 0), x.value)
        axes = tuple(a for a in x.axes if a is not axis)
    else:
        value = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (axis.size, *jnp.shape(leaf))), x.value)
        axes = x.axes
    return Labelled(value, axes, x.deps, (axis, *x.dims))


def index_along(x: Labelled, axis: Axis) -> int:
    """The position of a named axis, from the end of the array's shape."""
    return x.axes.index(axis) - len(x.axes)
