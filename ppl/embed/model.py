"""The decorator ``@ppl.model`` and what it makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from ppl.api.applied import Applied
from ppl.compiler.ir import nodes as ir
from ppl.embed import primitives
from ppl.runtime.precision import precision

NOT_STAGED = (ir.Program(), ir.Model("", "model", (), (), None, ir.Block(())))
STATIC = (bool, int, str, bytes, type(None))


@dataclass(frozen=True, eq=False)
class PythonModel:
    """A model written as a Python function: call it with its arguments.

    Arrays, floats and PyTrees of them are data; ints, strings, ``None`` and functions are known when it is compiled."""

    function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Embedded:
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        return Embedded.of(self.function, dict(bound.arguments))

    def __repr__(self) -> str:
        return f"<model {self.function.__name__}{inspect.signature(self.function)}>"


def model(function: Callable[..., Any]) -> PythonModel:
    """Decorator: a Python function that calls ``ppl.sample`` and its like is a model."""
    return PythonModel(function)


@dataclass(frozen=True, eq=False, repr=False)
class Embedded(Applied):
    """A Python function applied to its arguments, as a target. It is staged when it is first used for inference."""

    function: Callable[..., Any] = lambda: None
    arguments: tuple[tuple[str, Any], ...] = ()
    bits: int = 64

    @staticmethod
    def of(function: Callable[..., Any], arguments: dict[str, Any], bits: int = 64) -> Embedded:
        if primitives.tracing():
            return Embedded(*NOT_STAGED, {}, function=function, arguments=tuple(arguments.items()))  # a submodel
        from ppl.embed.stage import stage
        from ppl.runtime.data import Raw

        with precision(bits):
            staged = stage(function, arguments)
        raws = {n: Raw(n, np.asarray(a), f"argument `{n}`") for n, a in staged.arguments.items()}
        return Embedded(
            staged.program, staged.program.models[0], {function.__name__: _source(function)}, raws, staged.externs,
            function=function, arguments=tuple(arguments.items()), bits=bits,
        )  # fmt: skip

    def run(self) -> Any:
        """Run the function here, as a part of the model that is being traced."""
        return self.function(**dict(self.arguments))

    def at_precision(self, bits: int) -> Embedded:
        if bits == self.bits:
            return self
        other = Embedded.of(self.function, dict(self.arguments), bits)
        return replace(other, raws={**self.raws, **other.raws})


def is_static(value: Any) -> bool:
    """Whether an argument is known when the model is compiled; a PyTree is if it has no array in it."""
    leaves = jax.tree.leaves(value)
    return isinstance(value, STATIC) or not any(
        isinstance(a, float | np.ndarray | np.generic | jax.Array) for a in leaves
    )


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""
