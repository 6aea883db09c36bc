"""Plates as named axes, and the arrays that go in and out of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit import indexing, operations
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate import terms
from ppl.compiler.emit.estimate.axes import Axis, Labelled, lift, named, plain, positional, settled
from ppl.compiler.emit.estimate.terms import Terms
from ppl.compiler.emit.evaluate import PURE
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import Assemble, IndexOp, Let, Map, MappedRead, Plate, SliceAtom, Var
from ppl.compiler.ir.types import shape as type_shape
from ppl.core.undefined import UNDEFINED

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.walk import Walk

_draws = Memo(draws_in)


def undefined() -> Labelled:
    return plain(UNDEFINED)


def plate(walk: Walk, loop: Plate) -> None:
    axis, inside = enter(walk, loop, {d.var.id for d in _draws(loop.body)})
    before = walk.given
    walk.given = {**before, **inside}
    outer, walk.plates = walk.plates, (*walk.plates, axis)
    recorded = set(walk.records)
    walk.block(loop.body)
    stacked = [(s.var.id, walk.read(s.value)) for s in loop.stacked]
    walk.plates, walk.given = outer, before
    for name, value in stacked:
        walk.values[name] = left(value, axis)
    for name in walk.records.keys() - recorded:
        walk.records[name] = positional(walk.records[name], axis)


def enter(walk: Walk, loop: Plate | Map, draws: set[str]) -> tuple[Axis, dict[str, Labelled]]:
    """The axis of a loop, with its index and what it reads element by element; and what is known of its draws."""
    lower, upper = walk.size(loop.lower), walk.size(loop.upper)
    arrays = {m.var.id: (walk.read(m.array), lower + walk.size(m.offset)) for m in loop.mapped}
    known = {name: walk.given[name] for name in sorted(draws) if name in walk.given}
    axis = _axis(walk, loop, max(upper - lower, 0), lower, arrays, known)
    index = jnp.arange(lower, lower + axis.size) if axis.rows is None else lower + axis.rows
    walk.values[loop.index.id] = Labelled(index, (axis,))
    walk.ranges[loop.index.id] = (lower, upper)
    for name, (array, start) in arrays.items():
        walk.values[name] = element(array, axis, start)
    return axis, {name: element(value, axis, 0) for name, value in known.items()}


def _axis(walk: Walk, loop: Any, size: int, lower: int, arrays: dict, known: dict[str, Labelled]) -> Axis:
    """That of an array which the loop reads in step, if there is one: what is local to its elements stays local."""
    candidates = [a for a, start in arrays.values() if start == 0] + list(known.values())
    for value in candidates:
        dims = getattr(value, "dims", ())
        if not dims and hasattr(value, "sites"):
            dims = next((v.dims for v in value.sites.values() if v.dims), ())
        if dims and dims[0] is not None and dims[0] not in walk.plates and _length(dims[0], size, walk, loop):
            return dims[0]
    shared = walk.estimator.minibatch.get(getattr(loop, "axis", ""))
    if shared is not None and shared not in walk.plates and lower == 0:
        return shared
    return Axis(size)


def _length(axis: Axis, size: int, walk: Walk, loop: Any) -> bool:
    return axis.size == size or axis is walk.estimator.minibatch.get(getattr(loop, "axis", ""))


def element(value: Any, axis: Axis, start: int) -> Any:
    """In iteration i: element ``start + i``."""
    if isinstance(value, Terms):
        if value.dims and value.dims[0] is axis and start == 0:
            return terms.enter(value, axis)
        value = terms.collapsed(value)
    if not isinstance(value, Labelled):
        return type(value)({n: element(v, axis, start) for n, v in value.sites.items()})
    if value.dims and value.dims[0] is axis and start == 0:
        return named(value, axis)
    if value.dims and value.dims[0] is not None:
        value = settled(value)
    if axis.rows is not None:
        cut = jax.tree.map(lambda a: a[start + axis.rows], value.value)
    else:
        cut = jax.tree.map(lambda a: a[start : start + axis.size], value.value)
    return named(Labelled(cut, value.axes, value.deps, value.dims), axis)


def left(value: Any, axis: Axis) -> Any:
    """The values of all iterations, behind the loop."""
    if isinstance(value, Terms):
        return terms.leave(value, axis)
    if isinstance(value, Labelled):
        return positional(value, axis)
    return type(value)({n: positional(v, axis) for n, v in value.sites.items()})


def comprehension(walk: Walk, op: Map) -> Any:
    axis, _ = enter(walk, op, set())
    outer, walk.plates = walk.plates, (*walk.plates, axis)
    (result,) = walk.block(op.body)
    walk.plates = outer
    return left(walk.settle_sum(result) if isinstance(result, Terms) and not result.exact else result, axis)


def assembled(walk: Walk, statement: Let, op: Assemble) -> Any:
    """The whole array: what is known of the site, or its pieces. One piece that is all of it stays as it is."""
    if op.site in walk.whole:
        return walk.whole[op.site]
    if len(op.pieces) == 1:
        piece = op.pieces[0]
        lengths = tuple(walk.size(n) for n in type_shape(statement.var.type)[: len(piece.ranges)])
        whole = all((walk.size(lo), walk.size(hi)) == (0, n) for (lo, hi), n in zip(piece.ranges, lengths, strict=True))
        if whole:
            return walk.read(piece.value)
    series = next((walk.series[v.id] for p in op.pieces if isinstance(v := p.value, Var) and v.id in walk.series), None)
    length = walk.size(type_shape(statement.var.type)[0])
    time = series.dims[0] if series is not None else None
    if series is not None and time is not None and time.chain is not None and time.size == length:
        return series
    found = walk.lifted(
        tuple(p.value for p in op.pieces),
        lambda frame: indexing.assembled(frame, op, statement.var),
        statement.span,
    )
    return in_step(found, [series] if series is not None else [], length)


def in_step(whole: Labelled, series: list[Labelled], length: int) -> Labelled:
    """An array put together from what an ordered loop drew and what was drawn before it: element t belongs to t."""
    if len(series) != 1 or series[0].dims[0] is None or series[0].dims[0].size != length:
        return whole
    deps = {c: series[0].deps.get(c, lost) for c, lost in whole.deps.items()}
    return Labelled(whole.value, whole.axes, deps, series[0].dims)


def index(walk: Walk, statement: Let, op: IndexOp) -> Any:
    """``a[i]`` in step with the plate that the array's elements belong to stays local."""
    base = walk.read(op.base)
    first = op.subscripts[0]
    dims = getattr(base, "dims", ())
    if len(op.subscripts) == 1 and isinstance(first, Var) and dims and dims[0] in walk.plates:
        at = walk.lookup(first.id)
        if isinstance(at, Labelled) and at.axes == (dims[0],) and first.id in walk.ranges:
            return element(base, dims[0], 0)
    if isinstance(base, Terms) and not base.exact:
        return _of_estimate(walk, base, op, statement)
    if not isinstance(base, (Labelled, Terms)):
        return type(base)({n: _indexed(walk, v, op, statement) for n, v in base.sites.items()})
    return walk.lifted(op, lambda frame: operations.apply(PURE, frame, statement), statement.span)


def _of_estimate(walk: Walk, base: Terms, op: IndexOp, statement: Let) -> Terms:
    """An element of an estimated array is an estimate."""
    found = _indexed(walk, terms.collapsed(base, statement.span, linear=True), op, statement)
    if found.ndim:
        raise EmissionError("a part of an estimated array is taken", statement.span, helps=("take its elements",))
    return replace(terms.scalar_terms(found, frozenset(walk.plates)), exact=False)


def _indexed(walk: Walk, base: Labelled, op: IndexOp, statement: Let) -> Labelled:
    atoms = [s for s in op.subscripts if not isinstance(s, SliceAtom)]
    if len(atoms) < len(op.subscripts):
        raise EmissionError("a slice of traces or estimates is taken", statement.span, helps=("take them one by one",))
    subscripts = [walk.array(s) for s in atoms]
    return lift(lambda b, *s: indexing.take(b, tuple(s), op.checked), base, *subscripts, span=statement.span)


def lengths_of(x: Labelled) -> tuple[int, ...]:
    return tuple(np.shape(x.value))[: x.ndim]


__all__ = ["assembled", "comprehension", "element", "enter", "index", "left", "plate", "undefined", "MappedRead"]
