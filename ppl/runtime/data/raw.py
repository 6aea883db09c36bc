"""Data as read, before a model says what they should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Cell(str):
    """Text of a table's cell or of ``--data name=value``: may be read as a number (a JSON string may not)."""

    __slots__ = ()


class Constant(float):
    """A NaN or infinity that was written as such; a plain infinite float is a literal that overflowed."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """One named value: a leaf (int, float, bool, str, None), nested lists of leaves, a dict, or a NumPy array.

    ``source`` names the file or option it came from. ``levels`` are the categories of a pandas categorical."""

    name: str
    value: Any
    source: str = ""
    levels: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


CONSTANTS = {
    "nan": Constant("nan"),
    "inf": Constant("inf"),
    "+inf": Constant("inf"),
    "-inf": Constant("-inf"),
    "infinity": Constant("inf"),
    "+infinity": Constant("inf"),
    "-infinity": Constant("-inf"),
}
"""How tables and CmdStan's JSON files write non-finite numbers, in lower case."""
