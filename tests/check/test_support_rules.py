"""Interval rules are sound: if the arguments lie in their supports, the result lies in the one that the rule gives."""

from __future__ import annotations

import math
import random

import pytest

from ppl.compiler.check import support_rules as rules
from ppl.compiler.ir.supports import (
    NONNEGATIVE,
    POSITIVE,
    REALS,
    SIMPLEX,
    UNIT_INTERVAL,
    Integers,
    Interval,
    Structured,
)

FUNCTIONS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negate": lambda a: -a,
    "power": lambda a, b: a**b,
    "modulo": lambda a, b: a % b,
    "exp": math.exp,
    "log": math.log,
    "log1p": math.log1p,
    "expm1": math.expm1,
    "sqrt": math.sqrt,
    "sine": math.sin,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "atan2": math.atan2,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    "logit": lambda a: math.log(a / (1 - a)),
    "softplus": lambda a: math.log1p(math.exp(a)),
    "abs": abs,
    "gamma": math.gamma,
    "sign": lambda a: (a > 0) - (a < 0),
    "round": lambda a: float(round(a)),
    "minimum": min,
    "maximum": max,
    "clip": lambda x, lo, hi: min(max(x, lo), hi),
}
ARITY = {
    "add": 2,
    "subtract": 2,
    "multiply": 2,
    "divide": 2,
    "power": 2,
    "modulo": 2,
    "atan2": 2,
    "minimum": 2,
    "maximum": 2,
    "clip": 3,
}


def support(rng: random.Random) -> Interval:
    a, b = sorted(rng.choice([-math.inf, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0, math.inf]) for _ in range(2))
    if a == b or math.isinf(a) and math.isinf(b):
        return Interval(a, b) if a < b else Interval(0.0, 0.0)
    return Interval(a, b, rng.random() < 0.5, rng.random() < 0.5)


def point(rng: random.Random, s: Interval) -> float:
    """A value of the support, ends included where they belong to it."""
    lo, hi = max(s.lower, -20.0), min(s.upper, 20.0)
    choices = [rng.uniform(lo, hi), lo + (hi - lo) * 0.5]
    if lo == s.lower and not s.lower_open:
        choices.append(lo)
    if hi == s.upper and not s.upper_open:
        choices.append(hi)
    return rng.choice(choices)


def inside(x: float, s: Interval) -> bool:
    slack = 1e-9 * max(1.0, abs(x))
    return s.lower - slack <= x <= s.upper + slack


def strictly_inside(x: float, s: Interval) -> bool:
    return inside(x, s) and not (s.lower_open and x < s.lower) and not (s.upper_open and x > s.upper)


@pytest.mark.parametrize("rule", FUNCTIONS)
def test_results_lie_in_the_computed_support(rule: str):
    rng = random.Random(7)
    tried = 0
    for _ in range(3000):
        arguments = [support(rng) for _ in range(ARITY.get(rule, 1))]
        if rule == "clip" and arguments[1].upper > arguments[2].lower:
            continue
        xs = [point(rng, s) for s in arguments]
        if rule == "power" and rng.random() < 0.5:
            xs[1] = float(rng.randint(-2, 3))
            arguments[1] = Interval(xs[1], xs[1])
        try:
            y = FUNCTIONS[rule](*xs)
        except (ValueError, ZeroDivisionError, OverflowError):
            continue
        if isinstance(y, complex):
            continue
        tried += 1
        result = rules.interval(rules.apply(rule, arguments))
        assert strictly_inside(y, result), (xs, arguments, result, y)
    assert tried > 300


def test_zero_is_excluded_only_where_it_is():
    assert rules.apply("exp", [REALS]) == POSITIVE
    assert rules.apply("multiply", [POSITIVE, POSITIVE]) == POSITIVE
    assert rules.apply("add", [POSITIVE, NONNEGATIVE]) == POSITIVE
    assert rules.apply("abs", [REALS]) == NONNEGATIVE
    assert rules.apply("power", [REALS, Integers(2, 2)]) == NONNEGATIVE


def test_the_lattice():
    assert rules.included(POSITIVE, NONNEGATIVE) is True
    assert rules.included(REALS, POSITIVE) is False
    assert rules.included(Structured("corr"), Structured("cov")) is True
    assert rules.included(REALS, SIMPLEX) is None
    assert rules.disjoint(Interval(-2.0, -1.0), POSITIVE) and rules.disjoint(Interval(0.0, 0.0), POSITIVE)
    assert not rules.disjoint(NONNEGATIVE, POSITIVE)
    rng = random.Random(3)
    for _ in range(500):
        a, b = support(rng), support(rng)
        joined = rules.join(a, b)
        assert rules.included(a, joined) is not False and rules.included(b, joined) is not False
        x = point(rng, a)
        if rules.included(a, b):
            assert inside(x, b)
        if rules.disjoint(a, b):
            assert not strictly_inside(x, b) or not inside(x, b) or x in (b.lower, b.upper)


def test_supports_of_constants():
    assert rules.constant(0.5) == Interval(0.5, 0.5) and rules.constant(3) == Integers(3, 3)
    assert rules.included(rules.constant(0.5), UNIT_INTERVAL) is True
