"""Supports of results from the supports of arguments: interval arithmetic.

Law: if every argument lies in its support, the result lies in the support that the rule gives (in exact arithmetic).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan

from ppl.compiler.check.interval_rules import REAL_RULES
from ppl.compiler.check.support_lattice import constant, disjoint, included, interval, join
from ppl.compiler.ir.supports import (
    ANYTHING,
    BOOLEANS,
    COUNTS,
    INTEGERS,
    NONNEGATIVE,
    POSITIVE,
    REALS,
    SIMPLEX,
    Integers,
    Interval,
    Structured,
    Support,
)

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
    result = REAL_RULES[rule](*map(interval, args))
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


__all__ = ["apply", "as_integers", "constant", "disjoint", "included", "interval", "join", "scaled"]
