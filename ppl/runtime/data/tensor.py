"""A raw value as a regular array: nested lists to a shape with flat leaves, ragged ones refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl.runtime.data.problems import DataProblem, Problems
from ppl.runtime.data.raw import Raw

MAX_AXES = 32


@dataclass(frozen=True, slots=True)
class Tensor:
    """``leaves`` in row-major order: a flat NumPy array of numbers, or a list of Python leaves."""

    shape: tuple[int, ...]
    leaves: np.ndarray | list[Any]


def tensor(raw: Raw, problems: Problems) -> Tensor | None:
    """``raw`` as a regular array; None with a finding where it is ragged (E709) or of a dtype that is no number
    (E715)."""
    if isinstance(raw.value, np.ndarray):
        return _from_numpy(raw, problems)
    leaves: list[Any] = []
    shape = _shape(raw.value)
    if len(shape) > MAX_AXES:
        found = f"has {len(shape)} axes"
        problems.add(DataProblem("E709", raw.name, found, f"an array of at most {MAX_AXES} axes", raw.source))
        return None
    ragged = _collect(raw.value, shape, 0, leaves, ())
    if ragged is None:
        return Tensor(shape, leaves)
    where, found, needed = ragged
    problems.add(DataProblem("E709", path(raw.name, where), found, needed, raw.source, "make every row as long"))
    return None


def path(name: str, index: tuple[int, ...]) -> str:
    """``y[2, 3]``"""
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def describe(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a single value"
    if len(shape) == 1:
        return f"an array of length {shape[0]}"
    return "an array of shape " + " by ".join(map(str, shape))


def _shape(value: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    if isinstance(value, np.ndarray):
        shape += value.shape
    return tuple(shape)


def _collect(value: Any, shape: tuple[int, ...], depth: int, leaves: list[Any], at: tuple[int, ...]):
    """Append the leaves; at a ragged place return (index, found, needed)."""
    if isinstance(value, np.ndarray):  # a list of arrays from Python
        value = value.tolist()
    if depth == len(shape):
        if isinstance(value, list):
            return at, f"is {describe(_shape(value))}", "a single value, as in the entries before"
        leaves.append(value)
        return None
    if not isinstance(value, list):
        return at, "is a single value", f"{describe(shape[depth:])}, as in the entries before"
    if len(value) != shape[depth]:
        return at, f"has length {len(value)}", f"length {shape[depth]}, as in the entries before"
    if depth == len(shape) - 1 and not any(isinstance(v, list | np.ndarray) for v in value):
        leaves.extend(value)
        return None
    for i, v in enumerate(value):
        ragged = _collect(v, shape, depth + 1, leaves, (*at, i))
        if ragged is not None:
            return ragged
    return None


def _from_numpy(raw: Raw, problems: Problems) -> Tensor | None:
    array = raw.value
    if isinstance(array, np.ma.MaskedArray):
        if np.ma.getmaskarray(array).any():
            return Tensor(array.shape, array.reshape(-1).tolist())  # masked entries become None
        array = array.data
    if array.dtype.kind in "OUS":
        return Tensor(array.shape, [_leaf(v) for v in array.reshape(-1).tolist()])
    if array.dtype.kind in "biufc":
        return Tensor(array.shape, array.reshape(-1))
    problems.add(
        DataProblem(
            "E715", raw.name, f"has the dtype {array.dtype}", "numbers or bools", raw.source, "convert it first"
        )
    )
    return None


def _leaf(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return None if type(value).__name__ in ("NAType", "NaTType") else value
