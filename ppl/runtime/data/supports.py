"""Are values in their support? Each check names the first entries that are not."""

from __future__ import annotations

import numpy as np

from ppl.compiler.ir import supports as S
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import Size
from ppl.runtime.data.convert import Report
from ppl.runtime.data.structured import STRUCTURED
from ppl.runtime.data.tensor import path


def check_support(
    report: Report,
    code: str,
    array: np.ndarray,
    absent: np.ndarray,
    support: S.Support,
    element: T.Type,
    sizes: dict[str, int],
    finite: bool,
) -> None:
    """Add a problem of ``code`` for every value outside ``support`` (and outside ``0..K`` for an ``index<K>``).

    ``finite``: infinities are outside whatever the support says (a density at them is not a number)."""
    name = report.raw.name
    if isinstance(element, T.IndexType) and not element.size.variables - sizes.keys():
        _check_index(report, array, absent, element.size, sizes)
        return
    if isinstance(support, S.Structured):
        check = STRUCTURED.get(support.name)
        if check is not None and not absent.any():
            for at, found, needed in check(array):
                report.add("E713", path(name, at), found, needed)
        return
    outside = _outside(array, support, sizes)
    if finite and array.dtype.kind == "f":
        outside |= ~np.isfinite(array)
    report.add_entries(code, array, outside & ~absent, _needed(support, sizes))


def _check_index(report: Report, array: np.ndarray, absent: np.ndarray, size: Size, sizes: dict[str, int]) -> None:
    n = size.evaluate(sizes)
    wrong = ((array < 0) | (array >= n)) & ~absent
    if not wrong.any():
        return
    help = "indices start at 0: subtract 1 from every entry" if array.min() >= 1 and array.max() == n else ""
    needed = f"an index in 0..{n}" + (f" ({size} = {n})" if str(size) != str(n) else "")
    report.add_entries("E712", array, wrong, needed, help)


def _outside(array: np.ndarray, support: S.Support, sizes: dict[str, int]) -> np.ndarray:
    match support:
        case S.Interval():
            low = array <= support.lower if support.lower_open and support.lower > -np.inf else array < support.lower
            high = array >= support.upper if support.upper_open and support.upper < np.inf else array > support.upper
            return low | high
        case S.Integers():
            lower, upper = _bound(support.lower, sizes), _bound(support.upper, sizes)
            wrong = np.zeros(array.shape, bool) if array.dtype.kind != "f" else array != np.round(array)
            if lower is not None:
                wrong = wrong | (array < lower)
            return wrong if upper is None else wrong | (array > upper)
        case S.Booleans():
            return (array != 0) & (array != 1)
        case S.Finite():
            return ~np.isin(array, support.values)
        case _:
            return np.zeros(array.shape, bool)


def _bound(bound: int | Size | None, sizes: dict[str, int]) -> int | None:
    if isinstance(bound, Size):
        return None if bound.variables - sizes.keys() else bound.evaluate(sizes)
    return bound


def _needed(support: S.Support, sizes: dict[str, int]) -> str:
    if isinstance(support, S.Interval) and support == S.REALS:
        return "a finite real"
    if isinstance(support, S.Integers):
        return str(S.Integers(_bound(support.lower, sizes), _bound(support.upper, sizes)))
    if isinstance(support, S.Booleans):
        return "0 or 1"
    return str(support)
