"""Values of sum types. Not recursive ones: a tag, and the arguments of every constructor side by side."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from ppl.compiler.emit.arena import arena_data, empty, make_node
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.frame import Frame
from ppl.compiler.ir import types
from ppl.core.undefined import UNDEFINED, has_undefined


class Tagged(eqx.Module):
    """``fields[i]`` are the arguments of constructor i; those of constructors other than number ``tag`` are zeros."""

    tag: Any
    fields: tuple[tuple[Any, ...], ...]
    sum: str = eqx.field(static=True)

    def arguments(self, frame: Frame, position: int) -> tuple[Any, ...]:
        """Those of constructor ``position``, if it made the value."""
        return self.fields[position]

    def comparable(self) -> Any:
        """A PyTree in which equal values are equal: zeros stand for what a constructor lacks."""
        return (self.tag, self.fields)


def make_sum(frame: Frame, constructor: str, args: tuple[Any, ...]) -> Any:
    """A value made by a constructor. One of recursive type for which there is no room is a fault of the frame."""
    if any(map(has_undefined, args)):
        return UNDEFINED
    info, position = frame.code.constructor(constructor)
    if frame.code.recursion_of(info.name):
        node, fault = make_node(frame, info.name, constructor, position, args)
        if fault is not None:
            frame.weights.append(jnp.where(fault, jnp.nan, 0.0))
        return node
    fields = tuple(
        tuple(jax.tree.map(jnp.asarray, a) for a in args) if k == position else tuple(zero(frame, t) for t in c.args)
        for k, c in enumerate(info.constructors)
    )
    return Tagged(position, fields, info.name)


def sum_data(frame: Frame, t: types.Sum, value: Any) -> Any:
    """The value that data give: ``{"tag": "Box", "args": [1, 2]}``, or ``"Point"`` for a constructor without arguments.
    Its tag is an array, so that other data need no new compilation. Nested lists are arrays of values."""
    if isinstance(value, list):
        if not value:
            empty = jax.tree.map(jnp.asarray, zero(frame, t))
            return jax.tree.map(lambda a: jnp.zeros((0, *a.shape), a.dtype), empty)
        return jax.tree.map(lambda *elements: jnp.stack(elements), *(sum_data(frame, t, v) for v in value))
    if frame.code.recursion_of(t.name):
        return arena_data(frame, t.name, value, lambda kind, v: _data(frame, kind, v))
    tag, args = (value, []) if isinstance(value, str) else (value["tag"], value.get("args", []))
    info, position = frame.code.constructor(tag)
    kinds = info.constructors[position].args
    made = make_sum(frame, tag, tuple(_data(frame, k, a) for k, a in zip(kinds, args, strict=True)))
    return jax.tree.map(jnp.asarray, Tagged(position, made.fields, t.name))


def _data(frame: Frame, t: types.Type, value: Any) -> Any:
    match t:
        case types.Sum():
            return sum_data(frame, t, value)
        case types.Tuple(elements=elements):
            return tuple(_data(frame, e, v) for e, v in zip(elements, value, strict=True))
        case types.Record(fields=fields):
            return {name: _data(frame, e, value[name]) for name, e in fields}
    kind = types.element(t)
    return jnp.asarray(value, float if kind == types.REAL else bool if kind == types.BOOL else int)


def zero(frame: Frame, t: types.Type) -> Any:
    """Some value of the type: it says how values of the type lie in arrays. EmissionError where the type does not."""
    match t:
        case types.Scalar(name="real"):
            return jnp.zeros(())
        case types.Scalar(name="bool"):
            return jnp.zeros((), bool)
        case types.Scalar() | types.IndexType() | types.SizeType():
            return jnp.zeros((), int)
        case types.Array(element=element, shape=shape):
            lengths = tuple(frame.size(n) for n in shape)
            return jax.tree.map(lambda x: jnp.broadcast_to(x, lengths + jnp.shape(x)), zero(frame, element))
        case types.Tuple(elements=elements):
            return tuple(zero(frame, e) for e in elements)
        case types.Record(fields=fields):
            return {name: zero(frame, e) for name, e in fields}
        case types.Sum(name=name):
            info = frame.code.sum(name)
            if frame.code.recursion_of(name):
                return empty(frame, name)
            return Tagged(0, tuple(tuple(zero(frame, a) for a in c.args) for c in info.constructors), name)
    raise EmissionError(f"a value of type {t} cannot be kept in arrays, as a constructor or a recursion needs it")
