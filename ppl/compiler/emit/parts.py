"""A constructor's argument, and the parts of recursive type inside of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.frame import Frame
from ppl.compiler.ir import types as ty


def children_of(frame: Frame, t: ty.Type, group: str) -> list[str]:
    """The names of the types of the parts in a value of type ``t``, in order: those types that lie in the recursion of
    ``group``."""
    match t:
        case ty.Sum(name=name):
            return [name] if name in frame.code.recursion_of(group) else []
        case ty.Tuple(elements=elements):
            return [c for e in elements for c in children_of(frame, e, group)]
        case ty.Record(fields=fields):
            return [c for _, e in fields for c in children_of(frame, e, group)]
        case ty.Array(element=element):
            inner = children_of(frame, element, group)
            return inner * len(_places(frame, t)) if inner else []
    return []


def plain(frame: Frame, t: ty.Type, group: str) -> Any:
    """Some value of type ``t`` without its parts."""
    if not children_of(frame, t, group):
        return frame.code.zero(frame, t)
    match t:
        case ty.Tuple(elements=elements):
            return tuple(plain(frame, e, group) for e in elements)
        case ty.Record(fields=fields):
            return {n: plain(frame, e, group) for n, e in fields}
        case ty.Array(element=element):
            return tuple(plain(frame, element, group) for _ in _places(frame, t))
    return ()


def split(
    frame: Frame, t: ty.Type, value: Any, group: str, convert: Callable[[ty.Type, Any], Any] | None = None
) -> tuple[Any, list[Any]]:
    """The value without its parts (empty tuples in their places), and the parts."""
    if not children_of(frame, t, group):
        return (value if convert is None else convert(t, value)), []
    pairs: list[tuple[Any, list[Any]]]
    match t:
        case ty.Sum():
            return (), [value]
        case ty.Tuple(elements=elements):
            pairs = [split(frame, e, v, group, convert) for e, v in zip(elements, value, strict=True)]
            return tuple(p for p, _ in pairs), [x for _, inner in pairs for x in inner]
        case ty.Record(fields=fields):
            pairs = [split(frame, e, value[n], group, convert) for n, e in fields]
            return {n: p for (n, _), (p, _) in zip(fields, pairs, strict=True)}, [x for _, i in pairs for x in i]
        case ty.Array(element=element):
            pairs = [split(frame, element, _element(value, at), group, convert) for at in _places(frame, t)]
            return tuple(p for p, _ in pairs), [x for _, inner in pairs for x in inner]
    raise EmissionError(f"a value of type {t} inside of a recursive type cannot be compiled")


def join(frame: Frame, t: ty.Type, own: Any, parts: Iterator[Any], group: str) -> Any:
    """``split`` undone: takes as many parts as the type has."""
    if not children_of(frame, t, group):
        return own
    match t:
        case ty.Sum():
            return next(parts)
        case ty.Tuple(elements=elements):
            return tuple(join(frame, e, p, parts, group) for e, p in zip(elements, own, strict=True))
        case ty.Record(fields=fields):
            return {n: join(frame, e, own[n], parts, group) for n, e in fields}
        case ty.Array(element=element, shape=shape):
            each = [join(frame, element, p, parts, group) for p in own]
            lengths = tuple(frame.size(n) for n in shape)
            flat = jax.tree.map(lambda *xs: jnp.stack([jnp.asarray(x) for x in xs]), *each)
            return jax.tree.map(lambda x: x.reshape(lengths + x.shape[1:]), flat)
    raise EmissionError(f"a value of type {t} inside of a recursive type cannot be compiled")


def _places(frame: Frame, t: ty.Array) -> list[tuple[int, ...]]:
    return list(product(*(range(frame.size(n)) for n in t.shape)))


def _element(value: Any, at: tuple[int, ...]) -> Any:
    if isinstance(value, list):
        for k in at:
            value = value[k]
        return value
    return jax.tree.map(lambda x: x[at], value)
