"""Values of recursive sum types: the nodes of the tree in preorder, in arrays of a static capacity.

The children of node i follow it: the first is i + 1, each other one where the one before it ends. So a part of a value
is the same arrays with another ``root``, and making a value from others copies theirs one behind the other. What is
known while tracing (a value written in the program) stays in NumPy, so that matching on it is decided then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.parts import children_of, join, plain, split


class Arena(eqx.Module):
    """``fields[c][i]``: argument i of each node that was made by constructor c, without its parts of recursive type;
    zeros where another one made the node, and behind the last. ``sizes``: the number of nodes of each part.

    ``lost``: the value had more nodes than there is room for; its reals are NaN."""

    tags: Any
    sizes: Any
    fields: dict[str, tuple[Any, ...]]
    root: Any
    lost: Any
    sum: str = eqx.field(static=True)

    @property
    def tag(self) -> Any:
        return _at(self.tags, self.root)

    @property
    def size(self) -> Any:
        return _at(self.sizes, self.root)

    @property
    def capacity(self) -> int:
        return int(self.tags.shape[-1])

    def arguments(self, frame: Frame, position: int) -> tuple[Any, ...]:
        """Those of the node at the root, if constructor ``position`` made it."""
        made = frame.code.sum(self.sum).constructors[position]
        start = self.root + 1
        parts: list[Arena] = []
        for name in (name for t in made.args for name in children_of(frame, t, self.sum)):
            parts.append(Arena(self.tags, self.sizes, self.fields, start, self.lost, name))
            start = start + _at(self.sizes, start)
        left = iter(parts)
        own = jax.tree.map(lambda x: self._value(_at(x, self.root)), self.fields[made.name])
        return tuple(join(frame, t, p, left, self.sum) for t, p in zip(made.args, own, strict=True))

    def _value(self, x: Any) -> Any:
        if isinstance(self.lost, bool) or not jnp.issubdtype(jnp.result_type(x), jnp.inexact):
            return x
        return jnp.where(self.lost, jnp.nan, x)

    def comparable(self) -> Any:
        """Equal for equal values: the part alone, at the front, zeros behind it."""
        own = (self.tags, self.sizes, self.fields)
        return _copied([self], own)


def empty(frame: Frame, name: str) -> Arena:
    """Some value: room, and nothing in it."""
    capacity = frame.code.capacity

    def room(x: Any) -> Any:
        return np.zeros((capacity, *np.shape(x)), jnp.result_type(x))

    fields = {
        c.name: jax.tree.map(room, tuple(plain(frame, t, name) for t in c.args)) for c in frame.code.constructors(name)
    }
    return Arena(np.zeros(capacity, np.int32), np.ones(capacity, np.int32), fields, np.int32(0), False, name)


def make_node(frame: Frame, name: str, constructor: str, position: int, args: tuple[Any, ...]) -> tuple[Arena, Any]:
    """A node over its parts, and whether there is no room for it (None: surely there is).

    EmissionError where that is known while compiling."""
    made = frame.code.sum(name).constructors[position]
    own: list[Any] = []
    parts: list[Arena] = []
    for t, a in zip(made.args, args, strict=True):
        value, inner = split(frame, t, a, name)
        own.append(value)
        parts += inner
    like = empty(frame, name)
    size = 1 + sum((p.size for p in parts), 0)
    fields = {c: None if c == constructor else jax.tree.map(lambda x: x[0], f) for c, f in like.fields.items()}
    row = (np.int32(position), size, fields | {constructor: tuple(own)})
    tags, sizes, fields = _copied(parts, (like.tags, like.sizes, like.fields), row)
    capacity = frame.code.capacity
    lost: Any = False
    for p in parts:
        lost = p.lost if lost is False else lost if p.lost is False else jnp.logical_or(lost, p.lost)
    fault: Any = None
    if _known(size):
        if size > capacity:
            raise EmissionError(f"a value of type {name} has {size} nodes; there is room for {capacity}")
    else:
        fault = size > capacity
        lost = fault if lost is False else jnp.logical_or(lost, fault)
    return Arena(tags, sizes, fields, np.int32(0), lost, name), fault


def _copied(parts: list[Arena], like: Any, row: Any = None) -> Any:
    """The nodes of the parts one behind the other, in front of them one with the values ``row``; zeros behind them. A
    triple of tags, sizes and fields, as ``like``."""
    room = len(like[0])
    place = np.arange(room)
    source: Any = place * 0 + len(parts) * room + (row is not None)  # of zeros, the last of the rows put together
    start: Any = int(row is not None)
    for k, p in enumerate(parts):
        end = start + p.size
        xp = np if _known(end) and _known(start) and _known(source) and _known(p.root) else jnp
        source = xp.where((place >= start) & (place < end), place - start + p.root + k * room, source)
        start = end
    if row is not None:
        source = (np if _known(source) else jnp).where(place == 0, len(parts) * room, source)

    def moved(zero: Any, own: Any, *leaves: Any) -> Any:
        xp: Any = np if _known(source) and _known(own) and all(map(_known, leaves)) else jnp
        rows = [*leaves, *([] if row is None else [xp.asarray(own, zero.dtype)[None]]), zero[:1] * 0]
        whole = xp.concatenate([xp.asarray(r) for r in rows])
        return whole[source] if xp is np else whole.at[source].get(mode="promise_in_bounds")

    wholes = [(p.tags, p.sizes, p.fields) for p in parts]
    return jax.tree.map(moved, like, like if row is None else row, *wholes)


def _at(array: Any, i: Any) -> Any:
    if _known(array) and _known(i):
        return array[min(max(int(i), 0), len(array) - 1)]
    return jax.lax.dynamic_index_in_dim(jnp.asarray(array), i, keepdims=False, allow_negative_indices=False)


def _known(x: Any) -> bool:
    return isinstance(x, (bool, int, float, np.generic, np.ndarray))


def arena_data(frame: Frame, name: str, value: Any, convert: Any) -> Arena:
    """The value that data give: ``{"tag": "Node", "args": […]}``. ``convert(type, value)`` reads what is no part."""
    rows: list[tuple[str, int, tuple[Any, ...], int]] = []

    def add(of: str, v: Any) -> None:
        tag, args = (v, []) if isinstance(v, str) else (v["tag"], v.get("args", []))
        info = frame.code.sum(of)
        position = next(k for k, c in enumerate(info.constructors) if c.name == tag)
        at = len(rows)
        rows.append((tag, position, (), 0))
        values, inner = [], []
        for t, a in zip(info.constructors[position].args, args, strict=True):
            own, parts = split(frame, t, a, name, convert)
            values.append(own)
            inner += list(zip(children_of(frame, t, name), parts, strict=True))
        for child, v in inner:
            add(child, v)
        rows[at] = (tag, position, tuple(values), len(rows) - at)

    add(name, value)
    out = empty(frame, name)
    n, room = len(rows), out.capacity
    fields = {}
    for c, zeros in out.fields.items():
        mine = [k for k, row in enumerate(rows) if row[0] == c]
        columns = zip(*(jax.tree.leaves(rows[k][2]) for k in mine), strict=True)
        filled = []
        for zero, column in zip(jax.tree.leaves(zeros), columns, strict=False):
            whole = np.array(zero)
            whole[mine] = np.stack([np.asarray(x) for x in column])
            filled.append(whole)
        fields[c] = jax.tree.unflatten(jax.tree.structure(zeros), filled) if mine else zeros
    tags = np.array([row[1] for row in rows] + [0] * (room - n), np.int32)
    sizes = np.array([row[3] for row in rows] + [1] * (room - n), np.int32)
    return jax.tree.map(jnp.asarray, replace(out, tags=tags, sizes=sizes, fields=fields, lost=False))


def nodes(value: Any) -> int:
    """How many nodes a value in data has, or the largest of several."""
    if isinstance(value, list):
        return max(map(nodes, value), default=0)
    if isinstance(value, dict) and "tag" in value:
        return 1 + sum(_inside(a) for a in value.get("args", []))
    return 1


def _inside(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_inside, value))
    if isinstance(value, dict):
        return nodes(value) if "tag" in value else sum(map(_inside, value.values()))
    return 1 if isinstance(value, str) else 0
