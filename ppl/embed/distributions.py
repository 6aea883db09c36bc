"""Distributions as descriptions: ``ppl.Normal(0, 1)`` holds its arguments until the model is staged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl.compiler.ir.distributions import DISTRIBUTIONS, DistSignature


@dataclass(frozen=True, eq=False)
class Distribution:
    """``name`` applied to ``args``, pairs of parameter and value: numbers, arrays, distributions, or functions."""

    name: str
    args: tuple[tuple[str, Any], ...]

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{n}={v}' for n, v in self.args)})"


def constructor(name: str) -> Callable[..., Distribution]:
    """The function that makes descriptions of the distribution ``name``, with its own parameter names."""
    signature = DISTRIBUTIONS[name]

    def make(*args: Any, **kwargs: Any) -> Distribution:
        return Distribution(name, _arguments(signature, args, kwargs))

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"{signature}: see docs/language."
    return make


def _arguments(signature: DistSignature, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    names = [p.name for p in signature.params]
    if len(args) > len(names):
        raise TypeError(f"{signature} takes {len(names)} arguments and got {len(args)}")
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names:
            raise TypeError(f"{signature} has no parameter `{name}`")
        if name in given:
            raise TypeError(f"{signature} got `{name}` twice")
        given[name] = value
    for p in signature.params:
        if p.name not in given and not p.optional:
            raise TypeError(f"{signature} needs `{p.name}`")
        if p.name in given and p.kind == "dist" and not isinstance(given[p.name], Distribution):
            raise TypeError(f"{signature}: `{p.name}` must be a distribution, not {given[p.name]!r}")
    return tuple((n, given[n]) for n in names if given.get(n) is not None)


# --- the static form, with operands taken out -------------------------------------------------------------------


@dataclass(frozen=True)
class Operand:
    """The array at this position among the operands."""

    position: int


@dataclass(frozen=True)
class Structure:
    """A distribution without its arrays: hashable, so that JAX can keep it as a parameter of an equation.

    Arguments are ``Operand``, Python numbers, functions, ``Structure`` or tuples of ``Structure``."""

    name: str
    args: tuple[tuple[str, Any], ...]

    @property
    def signature(self) -> DistSignature:
        return DISTRIBUTIONS[self.name]


def flatten(d: Distribution) -> tuple[list[Any], Structure]:
    """Operands and structure. Python numbers stay in the structure: they are known when the model is compiled."""
    operands: list[Any] = []

    def go(value: Any) -> Any:
        if isinstance(value, Distribution):
            return Structure(value.name, tuple((n, go(v)) for n, v in value.args))
        if isinstance(value, list | tuple) and value and all(isinstance(v, Distribution) for v in value):
            return tuple(go(v) for v in value)
        if isinstance(value, bool | int | float) or (callable(value) and not hasattr(value, "dtype")):
            return value
        operands.append(np.asarray(value) if isinstance(value, list | tuple) else value)
        return Operand(len(operands) - 1)

    structure = go(d)
    return operands, structure
