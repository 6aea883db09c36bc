"""Run-time values of the reference interpreter that are neither numbers, arrays, tuples nor dicts (records)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SumValue:
    """A constructor of a sum type applied to its arguments."""

    constructor: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return self.constructor + (f"({', '.join(map(str, self.args))})" if self.args else "")


@dataclass(frozen=True, eq=False)
class FunctionValue:
    """A function of the language: ``name`` is for messages (and tells builtins apart), ``call`` applies it."""

    name: str
    call: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)


def is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float | np.number | np.bool_)


def stack(values: Sequence[Any]) -> np.ndarray:
    """A new leading axis. Numbers and numeric arrays give a numeric array; anything else an array of objects."""
    if all(is_number(v) or (isinstance(v, np.ndarray) and v.dtype != object) for v in values):
        return np.stack([np.asarray(v) for v in values]) if values else np.zeros(0)
    if all(isinstance(v, np.ndarray) for v in values):
        return np.stack(values)
    out = np.empty(len(values), dtype=object)
    for i, v in enumerate(values):
        out[i] = v
    return out


def scalar(value: Any) -> Any:
    """A zero-dimensional array as the number (or object) that it holds."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def key(value: Any) -> Hashable:
    """A hashable form in which equal values of the language are equal (``1``, ``1.0`` and ``true`` are one value)."""
    value = scalar(value)
    if isinstance(value, np.ndarray):
        return tuple(key(v) for v in value)
    if isinstance(value, tuple | list):
        return tuple(key(v) for v in value)
    if isinstance(value, dict):
        return tuple((name, key(v)) for name, v in sorted(value.items()))
    if isinstance(value, SumValue):
        return (value.constructor, *(key(a) for a in value.args))
    if is_number(value):
        return float(value)
    return value


def equal(a: Any, b: Any) -> bool:
    return key(a) == key(b)
