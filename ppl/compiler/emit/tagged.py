"""Values of sum types that are not recursive: a tag, and the arguments of every constructor side by side."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.frame import Frame
from ppl.compiler.ir import types
from ppl.core.undefined import UNDEFINED, has_undefined


class Tagged(eqx.Module):
    """``fields[i]`` are the arguments of constructor i; those of constructors other than number ``tag`` are zeros."""

    tag: Any
    fields: tuple[tuple[Any, ...], ...]
    sum: str = eqx.field(static=True)

    def comparable(self) -> Any:
        """A PyTree in which equal values are equal: zeros stand for what a constructor lacks."""
        return (self.tag, self.fields)


def make_tagged(frame: Frame, constructor: str, args: tuple[Any, ...]) -> Any:
    """EmissionError for recursive sums: their size is not known when compiling."""
    if any(map(has_undefined, args)):
        return UNDEFINED
    info, position = frame.code.constructor(constructor)
    if info.recursive:
        raise _recursive(info.name)
    fields = tuple(
        tuple(jax.tree.map(jnp.asarray, a) for a in args) if k == position else tuple(_zero(frame, t) for t in c.args)
        for k, c in enumerate(info.constructors)
    )
    return Tagged(position, fields, info.name)


def tagged_data(frame: Frame, t: types.Sum, value: Any) -> Tagged:
    """The value that data give: ``{"tag": "Box", "args": [1, 2]}``, or ``"Point"`` for a constructor without arguments.
    Its tag is an array, so that other data need no new compilation. Nested lists are arrays of values."""
    if isinstance(value, list):
        if not value:
            empty = jax.tree.map(jnp.asarray, _zero(frame, t))
            return jax.tree.map(lambda a: jnp.zeros((0, *a.shape), a.dtype), empty)
        return jax.tree.map(lambda *elements: jnp.stack(elements), *(tagged_data(frame, t, v) for v in value))
    tag, args = (value, []) if isinstance(value, str) else (value["tag"], value.get("args", []))
    info, position = frame.code.constructor(tag)
    if info.recursive:
        raise _recursive(info.name)
    kinds = info.constructors[position].args
    made = make_tagged(frame, tag, tuple(_data(frame, k, a) for k, a in zip(kinds, args, strict=True)))
    return jax.tree.map(jnp.asarray, Tagged(position, made.fields, t.name))


def _data(frame: Frame, t: types.Type, value: Any) -> Any:
    match t:
        case types.Sum():
            return tagged_data(frame, t, value)
        case types.Tuple(elements=elements):
            return tuple(_data(frame, e, v) for e, v in zip(elements, value, strict=True))
        case types.Record(fields=fields):
            return {name: _data(frame, e, value[name]) for name, e in fields}
    kind = types.element(t)
    return jnp.asarray(value, float if kind == types.REAL else bool if kind == types.BOOL else int)


def _recursive(name: str) -> EmissionError:
    return EmissionError(f"values of the recursive type {name} have no fixed size: this method cannot compile them")


def _zero(frame: Frame, t: types.Type) -> Any:
    match t:
        case types.Scalar(name="real"):
            return jnp.zeros(())
        case types.Scalar(name="bool"):
            return jnp.zeros((), bool)
        case types.Scalar() | types.IndexType() | types.SizeType():
            return jnp.zeros((), int)
        case types.Array(element=element, shape=shape):
            lengths = tuple(frame.size(n) for n in shape)
            return jax.tree.map(lambda x: jnp.broadcast_to(x, lengths + x.shape), _zero(frame, element))
        case types.Tuple(elements=elements):
            return tuple(_zero(frame, e) for e in elements)
        case types.Record(fields=fields):
            return {name: _zero(frame, e) for name, e in fields}
        case types.Sum(name=name):
            info = frame.code.sum(name)
            if not info.recursive:
                return Tagged(0, tuple(tuple(_zero(frame, a) for a in c.args) for c in info.constructors), name)
    raise EmissionError(f"a constructor with an argument of type {t} cannot be compiled by this method")
