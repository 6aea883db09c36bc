"""Interval arithmetic: the support of a real result from those of real arguments.

Law: if every argument lies in its interval, the result lies in the one that the rule gives (in exact arithmetic)."""

from __future__ import annotations

from collections.abc import Callable
from math import atan, cosh, exp, expm1, inf, log, log1p, pi, sinh, sqrt

from ppl.compiler.check.support_lattice import interval, join
from ppl.compiler.ir.supports import (
    NONNEGATIVE,
    POSITIVE,
    REALS,
    UNIT_INTERVAL,
    Interval,
)


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


REAL_RULES: dict[str, Callable[..., Interval]] = {
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
