"""The lattice of supports: inclusion, disjointness, the smallest support that holds several."""

from __future__ import annotations

from math import inf, pi

from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import (
    ANYTHING,
    BOOLEANS,
    NONNEGATIVE,
    REALS,
    UNIT_INTERVAL,
    Anything,
    Booleans,
    Finite,
    Integers,
    Interval,
    Product,
    Structured,
    Support,
)

_STRUCTURED_ELEMENTS = {
    "simplex": UNIT_INTERVAL,
    "positive_ordered": NONNEGATIVE,
    "corr": Interval(-1.0, 1.0),
    "chol_corr": Interval(-1.0, 1.0),
    "circle": Interval(-pi, pi),
}


def interval(s: Support) -> Interval:
    """The smallest interval known to hold every element of a value with support ``s``."""
    if isinstance(s, Interval):
        return s
    if isinstance(s, Integers):
        lo = (
            s.lower
            if isinstance(s.lower, int)
            else 0
            if isinstance(s.lower, Size) and s.lower.provably_nonnegative()
            else -inf
        )
        hi = s.upper if isinstance(s.upper, int) else inf
        return Interval(float(lo), float(hi))
    if isinstance(s, Finite):
        return Interval(min(s.values), max(s.values)) if s.values else REALS
    if isinstance(s, Structured):
        return _STRUCTURED_ELEMENTS.get(s.name, REALS)
    return REALS


def constant(value: int | float | bool) -> Support:
    if isinstance(value, bool):
        return BOOLEANS
    return Integers(value, value) if isinstance(value, int) else Interval(value, value)


def join(*supports: Support) -> Support:
    """The smallest support known that holds all of them."""
    if not supports:
        return ANYTHING
    out = supports[0]
    for s in supports[1:]:
        out = _join(out, s)
    return out


def _join(a: Support, b: Support) -> Support:
    if a == b:
        return a
    if isinstance(a, Anything) or isinstance(b, Anything):
        return ANYTHING
    if isinstance(a, Product) and isinstance(b, Product) and len(a.components) == len(b.components):
        return Product(tuple(map(_join, a.components, b.components)))
    if isinstance(a, (Product, Booleans)) or isinstance(b, (Product, Booleans)):
        return ANYTHING
    if isinstance(a, Integers) and isinstance(b, Integers):
        return Integers(_least(a.lower, b.lower), _greatest(a.upper, b.upper))
    if isinstance(a, Structured) and isinstance(b, Structured) and {a.name, b.name} == {"cov", "corr"}:
        return Structured("cov")
    x, y = interval(a), interval(b)
    lower, upper = min(x.lower, y.lower), max(x.upper, y.upper)
    lower_open = all(i.lower_open for i in (x, y) if i.lower == lower)
    upper_open = all(i.upper_open for i in (x, y) if i.upper == upper)
    return Interval(lower, upper, lower_open, upper_open)


def _least(a: int | Size | None, b: int | Size | None) -> int | Size | None:
    if a == b:
        return a
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    return None


def _greatest(a: int | Size | None, b: int | Size | None) -> int | Size | None:
    if a == b:
        return a
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    return None


def included(a: Support, b: Support) -> bool | None:
    """Whether every value of ``a`` is one of ``b``: True or False if proved, None if not known.

    False needs a witness that is surely taken: so an open bound counts as reached in the limit only where the interval
    goes strictly beyond."""
    if isinstance(b, Anything) or a == b:
        return True
    if isinstance(a, Anything):
        return None
    if isinstance(a, Booleans) or isinstance(b, Booleans):
        return isinstance(a, Booleans) and isinstance(b, Booleans)
    if isinstance(a, Product) or isinstance(b, Product):
        if not (isinstance(a, Product) and isinstance(b, Product)) or len(a.components) != len(b.components):
            return None
        parts = [included(x, y) for x, y in zip(a.components, b.components, strict=True)]
        return False if False in parts else True if all(parts) else None
    if isinstance(b, Structured):
        if isinstance(a, Structured):
            wider = {("corr", "cov"), ("positive_ordered", "ordered"), ("chol_corr", "chol_cov")}
            return (a.name, b.name) in wider
        return None
    x, y = interval(a), interval(b)
    if isinstance(b, Integers) and not isinstance(a, Integers):
        return None
    if y.lower == -inf and y.upper == inf:
        return True
    below = x.lower < y.lower or (x.lower == y.lower and y.lower_open and not x.lower_open)
    above = x.upper > y.upper or (x.upper == y.upper and y.upper_open and not x.upper_open)
    if not below and not above:
        return None if isinstance(b, Integers) and isinstance(b.upper, Size) and a != b else True
    return False


def disjoint(a: Support, b: Support) -> bool:
    """Proved that no value of ``a`` is one of ``b``."""
    if isinstance(a, (Anything, Booleans, Product)) or isinstance(b, (Anything, Booleans, Product)):
        return False
    if isinstance(b, Structured) and b.name not in _STRUCTURED_ELEMENTS:
        return False
    x, y = interval(a), interval(b)
    if x.upper < y.lower or (x.upper == y.lower and (x.upper_open or y.lower_open)):
        return True
    return x.lower > y.upper or (x.lower == y.upper and (x.lower_open or y.upper_open))
