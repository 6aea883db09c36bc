"""Extern functions as PyTrees: an Equinox module's arrays are leaves, all else is static."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx


class Extern(eqx.Module):
    """A JAX callable from outside of the language."""

    arrays: Any
    static: Any = eqx.field(static=True)

    @staticmethod
    def of(function: Callable[..., Any]) -> Extern:
        arrays, static = eqx.partition(function, eqx.is_array)
        return Extern(arrays, _Hashed(static))

    @property
    def function(self) -> Callable[..., Any]:
        """The callable as it was given."""
        return eqx.combine(self.arrays, self.static.value)

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


class _Hashed:
    """Equal to itself, and to what compares equal where that can be compared."""

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and (
            other.value is self.value or bool(eqx.tree_equal(other.value, self.value))
        )

    def __hash__(self) -> int:
        return hash(type(self.value))
