"""Supports of results from the supports of arguments: interval arithmetic.

Law: if every argument lies in its support, the result lies in the support that the rule gives (in exact arithmetic).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import atan, cosh, exp, expm1, inf, isnan, log, log1p, pi, sinh, sqrt

from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import (
    ANYTHING,
    BOOLEANS,
    COUNTS,
    INTEGERS,
    NONNEGATIVE,
    POSITIVE,
    REALS,
    SIMPLEX,
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


# --- rules ------------------------------------------------------------------------------------------------------


def _add(x: Interval, y: Interval) -> Interval:
    return Interval(x.lower + y.lower, x.upper + y.upper, x.lower_open or y.lower_open, x.upper_open or y.upper_open)


def _negate(x: Interval) -> Interval:
    return Interval(-x.upper, -x.lower, x.upper_open, x.lower_open)


def _multiply(x: Interval, y: Interval) -> Interval:
    corners = []
    for a, a_open in ((x.lower, x.lower_open), (x.upper, x.upper_open)):
        for b, b_open in ((y.lower, y.lower_open), (y.upper, y.upper_open)):
            if a == 0 or b == 0:  # zero is reached as soon as one factor reaches it
                corners.append((0.0, (a_open or a != 0) and (b_open or b != 0)))
            else:
                corners.append((a * b, a_open or b_open))
    lower, upper = min(c for c, _ in corners), max(c for c, _ in corners)
    return Interval(lower, upper, all(o for c, o in corners if c == lower), all(o for c, o in corners if c == upper))


def _reciprocal(y: Interval) -> Interval:
    if y.lower > 0 or (y.lower == 0 and y.upper > 0):
        return Interval(
            0.0 if y.upper == inf else 1 / y.upper,
            inf if y.lower == 0 else 1 / y.lower,
            y.upper == inf or y.upper_open,
            y.lower_open,
        )
    if y.upper < 0 or (y.upper == 0 and y.lower < 0):
        return _negate(_reciprocal(_negate(y)))
    return REALS


def _monotone(f: Callable[[float], float]) -> Callable[[Interval], Interval]:
    def rule(x: Interval) -> Interval:
        return Interval(_safe(f, x.lower), _safe(f, x.upper), x.lower_open, x.upper_open)

    return rule


def _safe(f: Callable[[float], float], v: float) -> float:
    try:
        return f(v)
    except OverflowError:
        return inf if v > 0 else -inf


def _exp(x: Interval) -> Interval:
    lower = 0.0 if x.lower == -inf else _safe(exp, x.lower)
    return Interval(lower, _safe(exp, x.upper), lower == 0.0 or x.lower_open, x.upper_open)


def _log(x: Interval) -> Interval:
    return Interval(
        log(x.lower) if x.lower > 0 else -inf,
        log(x.upper) if 0 < x.upper < inf else inf,
        x.lower_open and x.lower > 0,
        x.upper_open,
    )


def _log1p(x: Interval) -> Interval:
    lower = log1p(x.lower) if x.lower > -1 else -inf
    return Interval(lower, log1p(x.upper) if -1 < x.upper < inf else inf, x.lower_open and x.lower > -1, x.upper_open)


def _sqrt(x: Interval) -> Interval:
    return Interval(
        sqrt(x.lower) if x.lower > 0 else 0.0,
        sqrt(x.upper) if x.upper > 0 else inf,
        x.lower_open and x.lower >= 0,
        x.upper_open,
    )


def _abs(x: Interval) -> Interval:
    if x.lower >= 0:
        return x
    if x.upper <= 0:
        return _negate(x)
    top = max(-x.lower, x.upper)
    return Interval(0.0, top, False, all(o for v, o in ((-x.lower, x.lower_open), (x.upper, x.upper_open)) if v == top))


def _sigmoid(x: Interval) -> Interval:
    def f(v: float) -> float:
        return 1 / (1 + exp(-v)) if v >= 0 else exp(v) / (1 + exp(v))

    lo, hi = f(x.lower) if x.lower > -inf else 0.0, f(x.upper) if x.upper < inf else 1.0
    return Interval(lo, hi, lo == 0.0 or x.lower_open, hi == 1.0 or x.upper_open)


def _softplus(x: Interval) -> Interval:
    def f(v: float) -> float:
        return v if v > 30 else log1p(_safe(exp, v))

    lower = 0.0 if x.lower == -inf else f(x.lower)
    return Interval(lower, f(x.upper), lower == 0.0 or x.lower_open, x.upper_open)


def _cosh(x: Interval) -> Interval:
    a = _abs(x)
    return Interval(_safe(cosh, a.lower), abs(_safe(cosh, a.upper)))


def _power(x: Interval, y: Interval) -> Interval:
    if y.lower == y.upper and y.lower == int(y.lower) if abs(y.lower) < inf else False:
        n = int(y.lower)
        if n >= 0 and n % 2 == 0:
            a = _abs(x)
            return Interval(
                _safe(lambda v: v**n, a.lower),
                _safe(lambda v: v**n, a.upper),
                a.lower_open and n > 0,
                a.upper_open and n > 0,
            )
        if n >= 0:
            return Interval(
                x.lower**n if x.lower > -inf else -inf, _safe(lambda v: v**n, x.upper), x.lower_open, x.upper_open
            )
        return _reciprocal(_power(x, Interval(float(-n), float(-n))))
    if x.lower > 0 or (x.lower == 0 and x.lower_open):
        if x.upper <= 1 and y.lower >= 0:
            return Interval(0.0, 1.0, lower_open=y.upper < inf)
        return POSITIVE
    return NONNEGATIVE if x.lower == 0 else REALS


def _modulo(x: Interval, y: Interval) -> Interval:
    if y.lower > 0:
        return Interval(0.0, y.upper, upper_open=True)
    return REALS


def _bounded(x: Interval, y: Interval) -> Interval:
    """min(x, y)."""
    lower, upper = min(x.lower, y.lower), min(x.upper, y.upper)
    return Interval(
        lower,
        upper,
        all(i.lower_open for i in (x, y) if i.lower == lower),
        any(i.upper_open for i in (x, y) if i.upper == upper),
    )


def _minimum(*xs: Interval) -> Interval:
    return xs[0] if len(xs) == 1 else _bounded(*xs)


def _maximum(*xs: Interval) -> Interval:
    return xs[0] if len(xs) == 1 else _negate(_bounded(_negate(xs[0]), _negate(xs[1])))


def _total(x: Interval) -> Interval:
    if x.lower >= 0:
        return NONNEGATIVE  # an empty sum is 0
    return Interval(-inf, 0.0) if x.upper <= 0 else REALS


def _prod(x: Interval) -> Interval:
    if x.lower > 0 or (x.lower == 0 and x.lower_open):
        return Interval(0.0, 1.0, lower_open=True) if x.upper <= 1 else POSITIVE
    if x.lower >= 0:
        return UNIT_INTERVAL if x.upper <= 1 else NONNEGATIVE
    return REALS


_REAL_RULES: dict[str, Callable[..., Interval]] = {
    "add": _add,
    "subtract": lambda x, y: _add(x, _negate(y)),
    "multiply": _multiply,
    "divide": lambda x, y: _multiply(x, _reciprocal(y)) if _reciprocal(y) != REALS else REALS,
    "negate": _negate,
    "power": _power,
    "modulo": _modulo,
    "exp": _exp,
    "log": _log,
    "log1p": _log1p,
    "expm1": _monotone(lambda v: -1.0 if v == -inf else expm1(v)),
    "sqrt": _sqrt,
    "sine": lambda x: Interval(-1.0, 1.0),
    "asin": lambda x: Interval(-pi / 2, pi / 2),
    "acos": lambda x: Interval(0.0, pi),
    "atan": _monotone(atan),
    "atan2": lambda y, x: Interval(-pi, pi),
    "sinh": _monotone(sinh),
    "cosh": _cosh,
    "tanh": lambda x: Interval(-1.0, 1.0),
    "sigmoid": _sigmoid,
    "logit": lambda x: REALS,
    "softplus": _softplus,
    "abs": _abs,
    "gamma": lambda x: POSITIVE if x.lower > 0 or (x.lower == 0 and x.lower_open) else REALS,
    "beta": lambda x, y: POSITIVE if min(x.lower, y.lower) >= 0 else REALS,
    "sign": lambda x: Interval(-1.0 if x.lower < 0 else 0.0, 1.0 if x.upper > 0 else 0.0),
    "round": lambda x: Interval(x.lower - 1, x.upper + 1),
    "clip": lambda x, lo, hi: _maximum(_minimum(x, hi), lo),
    "minimum": _minimum,
    "maximum": _maximum,
    "total": _total,
    "product": _prod,
    "average": lambda x: x,
    "nonnegative": lambda *x: NONNEGATIVE,
    "nonpositive": lambda *x: Interval(-inf, 0.0),
    "unit": lambda *x: UNIT_INTERVAL,
    "hull2": lambda x, y, *rest: interval(join(x, y)),
    "third": lambda x, xs, ys: ys,
    "zero": lambda *x: Interval(0.0, 0.0),
    "one": lambda *x: Interval(1.0, 1.0),
}

_POSITIVE_DEFINITE = {"cov", "corr"}


def _structural(rule: str, args: Sequence[Support]) -> Support | None:
    first = args[0] if args else ANYTHING
    name = first.name if isinstance(first, Structured) else ""
    match rule:
        case "same":
            return first
        case "last":
            return args[-1]
        case "join":
            return join(*args)
        case "booleans":
            return BOOLEANS
        case "counts" | "index":
            return COUNTS
        case "simplex":
            return SIMPLEX
        case "any":
            return ANYTHING
        case "transpose":
            return first if name in _POSITIVE_DEFINITE or not name else REALS
        case "covariance":
            return Structured("cov") if name in _POSITIVE_DEFINITE else REALS
        case "determinant":
            return POSITIVE if name in _POSITIVE_DEFINITE else REALS
        case "cholesky":
            return Structured("chol_corr" if name == "corr" else "chol_cov")
        case "quadratic":
            return NONNEGATIVE if name in _POSITIVE_DEFINITE else REALS
        case "identity":
            return Structured("corr")
        case "diagonal":
            return interval(first) if name in _POSITIVE_DEFINITE else _diagonal(interval(first))
        case "reals":
            return REALS
    return None


def _diagonal(x: Interval) -> Support:
    return (
        Structured("cov")
        if x.lower > 0 or (x.lower == 0 and x.lower_open)
        else Interval(min(x.lower, 0.0), max(x.upper, 0.0))
    )


def apply(rule: str, args: Sequence[Support]) -> Support:
    """The support of the result of a builtin with this support rule. Integers stay integers where they surely do."""
    structural = _structural(rule, args)
    if structural is not None:
        return structural
    result = _REAL_RULES[rule](*map(interval, args))
    if isnan(result.lower) or isnan(result.upper) or result.lower > result.upper:
        return REALS
    return result


def as_integers(s: Support) -> Support:
    """The integers of an interval: for results of type int."""
    if not isinstance(s, Interval):
        return s
    lo, hi = (None if abs(b) == inf else round(b) for b in (s.lower, s.upper))
    return INTEGERS if lo is None and hi is None else Integers(lo, hi)


def scaled(s: Support) -> Support:
    """Elements of an array: a structured vector's entries."""
    return interval(s) if isinstance(s, Structured) else s
