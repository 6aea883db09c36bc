"""Names, sizes and the place in the program where the interpreter stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ppl.compiler.ir import types
from ppl.compiler.ir.nodes import Var
from ppl.compiler.ir.sizes import Size
from ppl.reference.errors import InvalidProgram
from ppl.reference.values import is_number, scalar, stack


@dataclass(frozen=True)
class Place:
    """``prefix`` and ``indices``: of the addresses inside the submodel being run. ``loops``: positions (from 0) in the
    loops around, for outputs. ``sizes``: values of the size variables."""

    prefix: str = ""
    indices: tuple[int, ...] = ()
    loops: tuple[int, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)


class Environment:
    """Values by Var id; inner environments see the outer ones.

    ``submodels``: prefix and indices under which the variables of a Var drawn from a model were recorded. ``windows``:
    of the loops being run, by the id of their index, what ``Lag`` needs."""

    def __init__(self, parent: Environment | None, place: Place):
        self.parent, self.place = parent, place
        self.values: dict[str, Any] = {}
        self.submodels: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.windows: dict[str, Any] = {}

    def child(self, place: Place | None = None) -> Environment:
        return Environment(self, place or self.place)

    def bind(self, var: Var, value: Any) -> None:
        self.values[var.id] = cast(value, var.type)

    def lookup(self, id: str) -> Any:
        env: Environment | None = self
        while env is not None:
            if id in env.values:
                return env.values[id]
            env = env.parent
        raise InvalidProgram(f"the variable {id} has no value here")

    def find(self, table: str, id: str) -> Any:
        """The entry of ``submodels`` or ``windows``, from the innermost environment that has it."""
        env: Environment | None = self
        while env is not None:
            if id in getattr(env, table):
                return getattr(env, table)[id]
            env = env.parent
        return None

    def size(self, size: Size) -> int:
        """A size; its variables are size variables or loop indices."""
        if (n := size.value) is not None:
            return n
        sizes = self.place.sizes
        return size.evaluate({v: sizes[v] if v in sizes else int(self.lookup(v)) for v in size.variables})

    def shape(self, type: types.Type) -> tuple[int, ...]:
        return tuple(self.size(n) for n in types.shape(type))


def cast(value: Any, type: types.Type) -> Any:
    """Numbers as the type says (a trace may hold an index as a float); arrays of numbers as float64, int64 or bool."""
    value = scalar(value)
    kind = type.element if isinstance(type, types.Array) else type
    if isinstance(kind, types.Scalar):
        dtype = _DTYPES.get(kind.name)
    else:
        dtype = int if isinstance(kind, types.IndexType | types.SizeType) else None
    if dtype is None:
        return value
    if isinstance(value, np.ndarray):
        return value.astype(dtype) if value.dtype != object else value
    return dtype(value) if is_number(value) else value


_DTYPES = {"real": float, "int": int, "bool": bool}


class Elements:
    """The elements of a random variable or output, by index, as they are drawn."""

    def __init__(self) -> None:
        self.of: dict[tuple[int, ...], Any] = {}

    def whole(self) -> Any:
        """The value, or the array of the values. Elements that no path drew are NaN (None among objects)."""
        if () in self.of:
            return self.of[()]
        shape = tuple(np.max(list(self.of), axis=0) + 1)
        some = stack(list(self.of.values()))
        if some.dtype.kind == "O":
            out = np.full(shape + some.shape[1:], None, dtype=object)
        elif len(self.of) == np.prod(shape):
            out = np.zeros(shape + some.shape[1:], dtype=some.dtype)
        else:
            out = np.full(shape + some.shape[1:], np.nan)
        for index, value in zip(self.of, some, strict=True):
            out[index] = value
        return out


def bind_sizes(type: types.Type, value: Any, sizes: dict[str, int]) -> None:
    """Find size variables from a value of ``type``; ``sizes`` gains them. Sizes that disagree are an error."""
    if isinstance(type, types.Array):
        for size, n in zip(type.shape, np.shape(value), strict=False):
            _bind_size(size, n, sizes)
    elif isinstance(type, types.Tuple):
        for t, v in zip(type.elements, value, strict=True):
            bind_sizes(t, v, sizes)
    elif isinstance(type, types.Record):
        for name, t in type.fields:
            bind_sizes(t, value[name], sizes)


def _bind_size(size: Size, n: int, sizes: dict[str, int]) -> None:
    """Solves ``size`` = n where one variable is unknown and stands alone with coefficient c: (n − rest) / c."""
    known = size.substitute({v: Size.const(k) for v, k in sizes.items()})
    if known.value is not None:
        if known.value != n:
            raise InvalidProgram(f"an axis of length {n} where {size} = {known.value}")
        return
    linear = [(m, c) for m, c in known.terms if m]
    if len(linear) == 1 and len(linear[0][0]) == 1:
        (name,), coefficient = linear[0]
        sizes[name] = (n - known.constant_part) // coefficient
