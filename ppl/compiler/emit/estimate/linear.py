"""Operators and reductions: linear ones keep costs in parts, elementwise ones keep what belongs to which iteration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from ppl.compiler.emit import operations
from ppl.compiler.emit.estimate import terms as t
from ppl.compiler.emit.estimate.axes import Axis, Labelled, lift, named, positional
from ppl.compiler.emit.estimate.terms import Terms
from ppl.compiler.emit.evaluate import PURE
from ppl.compiler.ir.builtins import BUILTINS
from ppl.compiler.ir.nodes import Let, Prim
from ppl.compiler.ir.types import REAL, element

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.walk import Walk

_ELEMENTWISE = frozenset(n for n, b in BUILTINS.items() if "*" in b.scheme.split("|")[0]) | {"select"}


def primitive(walk: Walk, statement: Let, op: Prim) -> Any:
    if op.name == "copy":
        return walk.read(op.args[0])
    if op.name == "stop_gradient":
        return stopped(walk.read(op.args[0]))
    if element(statement.var.type) == REAL:
        linear = _linear(walk, op)
        if linear is not None:
            return linear
    if op.name in _ELEMENTWISE:
        found = _elementwise(walk, op)
        if found is not None:
            return found
    return walk.ordinary(statement)


def stopped(value: Any) -> Any:
    """The value, through which no derivative passes."""
    import jax

    if isinstance(value, Terms):
        return Terms(tuple(stopped(p) for p in value.parts), value.kept, value.dims, value.exact)
    if isinstance(value, Labelled):
        inner = jax.tree.map(lambda x: jax.lax.stop_gradient(x) if isinstance(x, jax.Array) else x, value.value)
        return Labelled(inner, value.axes, value.deps, value.dims)
    return value.stopped()


def _linear(walk: Walk, op: Prim) -> Terms | None:
    values = [walk.read(a) for a in op.args]
    if not any(isinstance(v, Terms) for v in values) and not _worth_splitting(op.name, values):
        return None
    kept = frozenset(walk.plates)
    match op.name, values:
        case ("+" | "-", [a, b]):
            x, y = t.terms(a, kept), t.terms(b, kept)
            if x is None or y is None:
                return None
            return t.plus(x, y if op.name == "+" else _negated(y))
        case ("neg", [a]):
            return _negated(a)
        case ("real", [a]):
            return a
        case ("*", [a, b]):
            if isinstance(a, Terms) and isinstance(b, Terms):
                a, b = (a, t.collapsed(b)) if len(a.parts) >= len(b.parts) else (b, t.collapsed(a))
            sums, factor = (a, b) if isinstance(a, Terms) else (b, a)
            return t.times(sums, factor)  # type: ignore[arg-type]
        case ("/", [a, b]) if isinstance(a, Terms) and isinstance(b, Labelled) and not b.ndim:
            return t.times(a, lift(lambda x: 1.0 / jnp.asarray(x, float), b))
        case ("sum", [a]):
            return t.total(a)
        case ("mean", [a]):
            return t.times(t.total(a), Labelled(1.0 / t.count(a)))
    return None


def _worth_splitting(name: str, values: list[Any]) -> bool:
    """A sum of two values that depend on different choices is kept as two parts."""
    if name not in ("+", "-") or not all(isinstance(v, Labelled) and not v.ndim for v in values):
        return False
    a, b = (({x for x in v.axes if x.draw is not None}, set(v.deps)) for v in values)
    return any(not (p <= q or q <= p) for p, q in zip(a, b, strict=True))


def _negated(x: Terms) -> Terms:
    parts = tuple(replace(p, value=-p.value) for p in x.parts)
    return Terms(parts, x.kept, x.dims, x.exact)


def _elementwise(walk: Walk, op: Prim) -> Labelled | None:
    """Element i of the result belongs to the iteration that element i of the arguments belongs to. None where there
    is nothing to keep, or the arguments belong to different plates."""
    args = [walk.array(a) for a in op.args]
    dims = {a.dims for a in args if any(d is not None for d in a.dims)}
    if len(dims) != 1:
        return None
    plates = tuple(d for d in next(iter(dims)) if d is not None)
    arrays = [a for a in args if a.ndim]
    if any(d in walk.plates for d in plates) or any(a.ndim != len(plates) for a in arrays):
        return None
    if op.name == "select" and args[0].ndim:
        return None
    found = lift(lambda *xs: operations.primitive(op.name, list(xs)), *(_by_iteration(a, plates) for a in args))
    for plate in reversed(plates):
        found = positional(found, plate)
    return found


def _by_iteration(x: Labelled, plates: tuple[Axis, ...]) -> Labelled:
    if not x.ndim:
        return x
    for plate in plates:
        x = named(x, plate)
    return x


__all__ = ["PURE", "primitive", "stopped"]
