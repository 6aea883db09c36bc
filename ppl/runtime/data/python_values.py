"""Python values: numbers, nested lists, arrays of NumPy and JAX, pandas and xarray by what they offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ppl.runtime.data.raw import Constant, Raw


def read_values(values: Mapping[str, Any], source: str = "") -> list[Raw]:
    """A table with columns (a DataFrame, a Dataset) gives an entry per column, like any mapping."""
    return [_entry(str(name), values[name], source or f"argument `{name}`") for name in values]


def _entry(name: str, value: Any, source: str) -> Raw:
    categories = getattr(getattr(value, "cat", None), "categories", None)
    if categories is None:
        categories = getattr(value, "categories", None)
    levels = None if categories is None else tuple(map(str, categories))
    return Raw(name, _plain(value), source, levels)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, np.generic):
        return np.asarray(value)
    if isinstance(value, bool | int | str | type(None)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else Constant(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(v) for v in value]
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "to_numpy"):
        return value.to_numpy()
    if hasattr(value, "__array__"):
        return np.asarray(value)
    return value
