"""The named arrays of a run: random variables, outputs (components of compound ones by dotted names) and their
dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as T
from ppl.core.target import is_auxiliary
from ppl.inference.run import Posterior


def variables(posterior: Posterior, data: bool = False, auxiliary: bool = False) -> dict[str, np.ndarray]:
    """Draws and outputs, and the returned value as ``return``: numeric arrays with leading axes [chain, draw].
    ``data``: the values of the data sites too; ``auxiliary``: variables that the compiler has added. Missing entries
    that were inferred stand in their places among the given ones."""
    draws = {name: a for name, a in posterior.draws.items() if auxiliary or not is_auxiliary(name)}
    completed = {name: posterior.data.get(name, a) for name, a in draws.items()}
    found = {**completed, **posterior.data} if data else completed
    for name, value in posterior.outputs.items():
        found.update(flatten(name, value))
    if posterior.value is not None and "return" not in posterior.outputs:
        found.update(flatten("return", posterior.value))
    return {name: a for name, a in found.items() if a.ndim >= 2}


def flatten(name: str, value: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of a nested value: ``t.a`` for fields, ``t.0`` for components. What is no number is left out."""
    if isinstance(value, Mapping):
        for k, v in value.items():
            yield from flatten(f"{name}.{k}", v)
    elif isinstance(value, tuple | list):
        for k, v in enumerate(value):
            yield from flatten(f"{name}.{k}", v)
    else:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            yield name, array


def axes_of(model: ir.Model) -> dict[str, tuple[str, ...]]:
    """A dimension name for each axis of the sites, parameters and outputs of a model; "" where it has none."""
    axes = {p.name: _axes(p.var.type) for p in model.params}
    axes |= {name: _axes(t) for name, t in model.outputs}
    for site in model.sites:
        named = site.axes + ("",) * (len(T.shape(site.type)) - len(site.axes))
        axes[site.name] = tuple(a or b for a, b in zip(named, _axes(site.type), strict=True))
    return axes


def _axes(type_: T.Type) -> tuple[str, ...]:
    """The size variable of each axis that is one alone."""
    return tuple(str(s) if str(s) in s.variables else "" for s in T.shape(type_))


def dimensions(
    arrays: Mapping[str, tuple[int, ...]], axes: Mapping[str, tuple[str, ...]], sizes: Mapping[str, int]
) -> dict[str, list[str]]:
    """Dimension names of arrays of these shapes: unique within an array, and of one length throughout."""
    lengths: dict[str, int] = dict(sizes)
    out = {}
    for name, shape in arrays.items():
        named = axes.get(name, ())
        dims: list[str] = []
        for k, n in enumerate(shape):
            dim = named[k] if k < len(named) and len(named) == len(shape) else ""
            if dim in dims:
                dim = f"{dim}_{k}"
            if not dim or dim == name or lengths.get(dim, n) != n:
                dim = f"{name}_dim_{k}"
            lengths.setdefault(dim, n)
            dims.append(dim)
        out[name] = dims
    return out
