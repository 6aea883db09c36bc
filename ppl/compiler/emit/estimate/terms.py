"""Costs as lazy sums: real quantities that are linear in log densities, kept in parts.

Each part knows which axes and choices it depends on, so a choice is charged with the parts downstream of it and with
no other. Sums, differences and multiples keep the parts; anything else adds them up first (``collapsed``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import jax.numpy as jnp
from jaxtyping import Array

from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate.axes import (
    Axis,
    Labelled,
    NotLocal,
    aligned,
    index_along,
    merged,
    named,
    plain,
    positional,
    settled,
    spread,
    union,
)


@dataclass(frozen=True, eq=False, slots=True)
class Terms:
    """The array with dimensions ``dims``, each along a plate, whose element is the sum of ``parts`` over all plates
    but ``dims`` and ``kept``, the plates around it. Parts are scalars. ``exact``: no part is a random estimate of an
    expectation."""

    parts: tuple[Labelled, ...]
    kept: frozenset[Axis]
    dims: tuple[Axis, ...] = ()
    exact: bool = True

    @property
    def hidden(self) -> set[Axis]:
        """The plates that are still to be summed over."""
        return {a for p in self.parts for a in p.axes if a.is_plate} - self.kept - set(self.dims)


def along(part: Labelled, axes: tuple[Axis, ...]) -> Labelled:
    """The part with all of ``axes``, repeated where it does not depend on them."""
    wanted = union((part.axes, axes))
    return part if wanted == part.axes else replace(part, value=spread(part, wanted), axes=wanted)


def summed(part: Labelled, plate: Axis) -> Labelled:
    """The sum over a plate. NotLocal where an axis has its own alternatives in each iteration."""
    for axis in part.axes:
        if axis.draw is not None and plate in axis.plates:
            raise NotLocal(axis.draw)
    value = jnp.sum(part.value, axis=index_along(part, plate))
    deps = {c: lost | ({plate} if plate in c.plates else frozenset()) for c, lost in part.deps.items()}
    return Labelled(
        value if plate.scale == 1.0 else value * plate.scale, tuple(a for a in part.axes if a is not plate), deps
    )


def added(parts: list[Labelled]) -> Labelled:
    """The sum of scalars, over the union of their axes."""
    if not parts:
        return plain(jnp.zeros(()))
    if len(parts) == 1:
        return parts[0]
    axes = union(p.axes for p in parts)
    like: dict[tuple[Axis, ...], list[Array]] = {}
    for p in parts:
        like.setdefault(p.axes, []).append(p.value)
    sums = ((_sum(values), own) for own, values in like.items())
    value = reduce(jnp.add, (aligned(v, own, axes) for v, own in sums))
    return Labelled(value, axes, merged(p.deps for p in parts))


MANY = 8  # values that are added by a product with ones


def _sum(values: list[Array]) -> Array:
    """Many are one product: in a long chain of sums XLA takes a time that is quadratic in their number, and repeats
    the chain in everything that reads the total."""
    if len(values) < MANY:
        return reduce(jnp.add, values)
    stacked = jnp.stack(values)
    return jnp.tensordot(jnp.ones(len(values), stacked.dtype), stacked, 1, precision="highest")


def collapsed(x: Terms | Labelled, span: Span = NOWHERE, linear: bool = False) -> Labelled:
    """The value as one labelled array. ``linear``: what is done with it keeps an estimate unbiased; EmissionError where
    it is an estimate, and is not."""
    if isinstance(x, Labelled):
        return x
    if not (x.exact or linear):
        raise EmissionError(
            "an expectation that is estimated by draws is used in a way that is not linear",
            span,
            notes=("a function of an unbiased estimate is biased",),
            helps=("put the function inside of `expect`, or draw `via enum`",),
        )
    total = added([_own(p, x) for p in x.parts])
    total = along(total, x.dims)
    for plate in reversed(x.dims):
        total = positional(total, plate)
    return total


def _own(part: Labelled, x: Terms) -> Labelled:
    for axis in part.axes:
        if axis.is_plate and axis not in x.kept and axis not in x.dims:
            part = summed(part, axis)
    return part


def scalar_terms(x: Labelled, kept: frozenset[Axis]) -> Terms:
    return Terms((replace(x, value=jnp.asarray(x.value, float)),), kept)


def terms(x: Terms | Labelled, kept: frozenset[Axis]) -> Terms | None:
    """The value as a sum; None where it is an array whose elements belong to no plates."""
    if isinstance(x, Terms):
        return x
    dims = []
    while x.ndim:
        if not x.dims or x.dims[0] is None:
            return None
        dims.append(x.dims[0])
        x = named(x, x.dims[0])
    return replace(scalar_terms(x, kept), dims=tuple(dims))


# --- linear operations ------------------------------------------------------------------------------------------------


def plus(a: Terms, b: Terms) -> Terms | None:
    """None where the dimensions are not the same plates."""
    if a.dims and b.dims and a.dims != b.dims:
        return None
    dims = a.dims or b.dims
    a, b = (_clear(x, dims) for x in (a, b))
    return Terms(a.parts + b.parts, a.kept, dims, a.exact and b.exact)


def _clear(x: Terms, dims: tuple[Axis, ...]) -> Terms:
    """The same where no plate of ``dims`` is still to be summed over."""
    if x.hidden & set(dims):
        return replace(x, parts=tuple(_own(p, x) for p in x.parts))
    return x


def times(x: Terms, factor: Labelled) -> Terms | None:
    """Each part multiplied. None where the factor is an array along other plates."""
    own: list[Axis] = []
    while factor.ndim:
        if not factor.dims or factor.dims[0] is None:
            return None
        own.append(factor.dims[0])
        factor = named(factor, factor.dims[0])
    if own and x.dims and tuple(own) != x.dims:
        return None
    dims = tuple(own) or x.dims
    x = _clear(x, dims)
    return replace(x, parts=tuple(_product(p, factor) for p in x.parts), dims=dims)


def _product(part: Labelled, factor: Labelled) -> Labelled:
    axes = union((part.axes, factor.axes))
    value = aligned(part.value, part.axes, axes) * aligned(factor.value, factor.axes, axes)
    free = not factor.deps and all(a.is_plate for a in factor.axes)
    return Labelled(value, axes, merged((part.deps, factor.deps)), (), part.score_of if free else None)


def total(x: Terms) -> Terms:
    """The sum over all dimensions."""
    return replace(x, parts=tuple(along(p, x.dims) for p in x.parts), dims=())


def count(x: Terms) -> float:
    found = 1.0
    for plate in x.dims:
        found *= plate.size * plate.scale
    return found


def leave(x: Terms, plate: Axis) -> Terms:
    """The values of all iterations, when the plate ends."""
    return Terms(x.parts, x.kept - {plate}, (plate, *x.dims), x.exact)


def enter(x: Terms, plate: Axis) -> Terms:
    """Element i in iteration i of the plate that the first dimension runs along."""
    assert x.dims and x.dims[0] is plate
    return Terms(x.parts, x.kept | {plate}, x.dims[1:], x.exact)


__all__ = [
    "Terms",
    "added",
    "along",
    "collapsed",
    "count",
    "enter",
    "leave",
    "plus",
    "scalar_terms",
    "settled",
    "summed",
    "terms",
    "times",
    "total",
]
