"""Leaves to numbers, losing nothing: what cannot be kept exactly is a finding."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from ppl.runtime.data.raw import CONSTANTS, Cell, Constant

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_EXACT = 2**53


class Misfit(Exception):
    """A leaf that is no number of the wanted kind: ``code``, what was found, what was needed, a help."""

    def __init__(self, code: str, found: str, needed: str, help: str = ""):
        super().__init__(found)
        self.code, self.found, self.needed, self.help = code, found, needed, help


def number(leaf: Any, kind: str) -> int | float | None:
    """The number that ``leaf`` stands for, None if it is missing. ``kind``: real, int or bool."""
    if leaf is None:
        return None
    if isinstance(leaf, str):
        leaf = _from_text(leaf, kind)
    if isinstance(leaf, bool):
        if kind == "bool":
            return int(leaf)
        raise Misfit("E708", f"found {str(leaf).lower()}", _NEEDED[kind], "write 1 for true and 0 for false")
    if isinstance(leaf, int):
        return _from_int(leaf, kind)
    if isinstance(leaf, float):
        return _from_float(leaf, kind)
    raise Misfit("E708", f"found {_kind_of(leaf)}", _NEEDED[kind])


_NEEDED = {"real": "a number", "int": "an integer", "bool": "true or false (or 1 or 0)"}


def _from_text(text: str, kind: str) -> int | float | bool:
    word = text.strip().lower()
    if kind != "bool" and word in CONSTANTS:
        return CONSTANTS[word]
    if isinstance(text, Cell):
        if kind == "bool" and word in ("true", "false"):
            return word == "true"
        if _INTEGER.fullmatch(text):
            return _int(text)
        if _DECIMAL.fullmatch(text):
            return float(text)
    raise Misfit("E705", f'found the text "{_short(text)}"', _NEEDED[kind], _advice(text, word))


def _int(text: str) -> int:
    if len(text) > 400:
        raise Misfit("E706", f"found an integer of {len(text)} digits", "a 64-bit number")
    return int(text)


def _advice(text: str, word: str) -> str:
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        return f"a decimal comma? write {text.replace(',', '.')}"
    if re.fullmatch(r"[+-]?0x[0-9a-f]+", word):
        return f"write it in decimal: {int(word, 16)}"
    if word in ("true", "false"):
        return "write 1 for true and 0 for false"
    if _DECIMAL.fullmatch(text):
        return "write the number without quotes"
    return ""


def _from_int(value: int, kind: str) -> int | float:
    if kind == "bool":
        if value in (0, 1):
            return value
        raise Misfit("E708", f"found {value}", _NEEDED[kind])
    if not -(2**63) <= value < 2**63:
        raise Misfit("E706", f"found {_short(str(value))}", "an integer of 64 bits", "rescale the column")
    if abs(value) > _EXACT and int(float(value)) != value:
        found = f"found {value}, which a 64-bit float rounds to {int(float(value))}"
        raise Misfit("E707", found, "a number that densities can use without loss", "subtract an offset, or rescale")
    return value if kind == "int" else float(value)


def _from_float(value: float, kind: str) -> int | float:
    if math.isinf(value) and not isinstance(value, Constant):
        raise Misfit("E706", "found a number beyond 1.8e308", "a 64-bit float", 'write "Infinity" if that is meant')
    if kind == "real":
        return value
    if math.isnan(value):
        return value
    if not value.is_integer():
        raise Misfit("E708", f"found {value:g}", _NEEDED[kind])
    return _from_int(int(value), kind)


def from_numpy(array: np.ndarray, kind: str) -> tuple[np.ndarray, str]:
    """A flat numeric array as float64 or int64 (bool as int64) and a note on the conversion ("" if there was none).

    Raises ``Misfit`` (E715 complex, E707 lossy); integers given as floats and values that do not fit the kind are left
    to ``number``, entry by entry: the result is then the array unchanged, of object dtype."""
    note = ""
    if array.dtype.kind == "c":
        if np.any(array.imag != 0):
            found = f"has the dtype {array.dtype} with imaginary parts that are not zero"
            raise Misfit("E715", found, "real numbers", "take the real part or the modulus")
        array, note = array.real, f"{array.dtype}: the imaginary parts are all zero and were dropped"
    if not array.dtype.isnative:
        note = note or f"{array.dtype.name} of the other byte order was converted"
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        wide, array = array, array.astype(np.float64)
        if not np.array_equal(wide, array.astype(wide.dtype), equal_nan=True):
            raise Misfit("E707", f"has the dtype {wide.dtype} with digits that a 64-bit float loses", "64-bit floats")
        note = note or f"{wide.dtype} was converted to float64 without loss"
    if array.dtype.kind == "f" and array.dtype.itemsize < 4:
        note = note or f"{array.dtype} was converted to float64 without loss"
    if array.dtype.kind == "b":
        if kind != "bool":
            note = note or "bool was converted to 0 and 1"
        return array.astype(np.float64 if kind == "real" else np.int64), note
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and np.any((array > _EXACT) | (array < -_EXACT)):
        return array.astype(object), note
    if kind == "real":
        return array.astype(np.float64), note
    if array.dtype.kind in "iu" and kind == "int":
        return array.astype(np.int64), note
    return array.astype(object), note


def _kind_of(leaf: Any) -> str:
    return {"dict": "an object", "list": "an array"}.get(type(leaf).__name__, f"a value of type {type(leaf).__name__}")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"
