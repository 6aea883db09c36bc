"""Subscripts, and arrays put together from pieces."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.layout import assemble
from ppl.compiler.ir.nodes import Assemble, IndexOp, SliceAtom, Var
from ppl.compiler.ir.types import shape as type_shape
from ppl.core.select import gate
from ppl.core.undefined import UNDEFINED, has_undefined, is_undefined


def index(frame: Frame, op: IndexOp) -> Any:
    """``a[i, :, 0..2]``. Where the compiler has not proved an index in range, one outside reads NaN."""
    base = frame.read(op.base, gated=False)
    subscripts = tuple(_subscript(frame, s) for s in op.subscripts)
    if is_undefined(base) or any(map(is_undefined, subscripts)):
        return UNDEFINED
    value = take(base, subscripts, op.checked)
    if isinstance(op.base, Var):
        for condition in frame.conditions(op.base.id):
            value = gate(condition, value)
    return value


def _subscript(frame: Frame, s: Any) -> Any:
    if isinstance(s, SliceAtom):
        return slice(None if s.lower is None else frame.size(s.lower), None if s.upper is None else frame.size(s.upper))
    return frame.read(s)


def take(base: Any, subscripts: tuple[Any, ...], checked: bool) -> Any:
    """Leaf by leaf: an array of functions or records is a structure of arrays."""
    if isinstance(base, tuple) and len(subscripts) == 1 and isinstance(subscripts[0], (int, np.integer)):
        return base[subscripts[0]]
    return jax.tree.map(lambda leaf: _take(leaf, subscripts, checked), base)


def _take(array: Any, subscripts: tuple[Any, ...], checked: bool) -> Any:
    if all(isinstance(s, slice) or _is_inside(s, n) for s, n in zip(subscripts, np.shape(array), strict=False)):
        return array[subscripts]
    mode = "promise_in_bounds" if checked else "fill"
    return jnp.asarray(array).at[subscripts].get(mode=mode, wrap_negative_indices=False)


def _is_inside(subscript: Any, length: int) -> bool:
    return isinstance(subscript, (int, np.integer)) and 0 <= int(subscript) < length


def assembled(frame: Frame, op: Assemble, var: Var) -> Any:
    """The whole array of a site: what was given for it, or its pieces."""
    if op.site in frame.whole:
        value = frame.whole[op.site]
        return value if frame.gated is None else gate(frame.gated, value)
    values = [frame.read(p.value) for p in op.pieces]
    if any(map(is_undefined, values)):
        return UNDEFINED
    boxes = [tuple(slice(frame.size(lo), frame.size(hi)) for lo, hi in p.ranges) for p in op.pieces]
    lengths = tuple(frame.size(n) for n in type_shape(var.type)[: len(boxes[0])])
    return jax.tree.map(lambda *leaves: _join(lengths, boxes, leaves), *values)


def _join(lengths: tuple[int, ...], boxes: list[tuple[slice, ...]], leaves: tuple[Any, ...]) -> Any:
    event = np.shape(leaves[0])[len(lengths) :]
    whole = assemble(lengths, event, list(zip(boxes, leaves, strict=True)))
    if whole is not None:
        return whole
    whole = jnp.zeros(lengths + event, jnp.result_type(*leaves))
    for box, leaf in zip(boxes, leaves, strict=True):
        whole = whole.at[box].set(leaf)
    return whole


def stacked(values: list[Any]) -> Any:
    """Values of one structure along a new leading axis."""
    if any(map(has_undefined, values)):
        return UNDEFINED
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(x) for x in leaves]), *values)
