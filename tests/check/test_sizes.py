"""Sizes are a commutative ring of polynomials in normal form: equal as functions if and only if equal as objects."""

from __future__ import annotations

import random

from ppl.compiler.ir.sizes import ONE, ZERO, Size

NAMES = ("N", "K", "T")


def polynomial(rng: random.Random) -> Size:
    out = Size.const(rng.randint(-3, 3))
    for _ in range(rng.randint(0, 4)):
        term = Size.const(rng.randint(-3, 3))
        for _ in range(rng.randint(0, 3)):
            term = term * Size.var(rng.choice(NAMES))
        out = out + term
    return out


def samples(n: int = 200):
    rng = random.Random(1)
    for _ in range(n):
        env = {name: rng.randint(0, 20) for name in NAMES}
        yield polynomial(rng), polynomial(rng), polynomial(rng), env


def test_ring_laws():
    for a, b, c, _ in samples():
        assert a + b == b + a and a * b == b * a
        assert (a + b) + c == a + (b + c) and (a * b) * c == a * (b * c)
        assert a * (b + c) == a * b + a * c
        assert a + ZERO == a and a * ONE == a and a - a == ZERO


def test_evaluation_is_a_homomorphism():
    for a, b, _, env in samples():
        assert (a + b).evaluate(env) == a.evaluate(env) + b.evaluate(env)
        assert (a * b).evaluate(env) == a.evaluate(env) * b.evaluate(env)
        assert (-a).evaluate(env) == -a.evaluate(env)


def test_substitution_commutes_with_evaluation():
    for a, b, c, env in samples():
        inner = {"N": b, "K": c}
        outside = {**env, "N": b.evaluate(env), "K": c.evaluate(env)}
        assert a.substitute(inner).evaluate(env) == a.evaluate(outside)


def test_provably_nonnegative_is_sound():
    for a, _, _, env in samples():
        if a.provably_nonnegative():
            assert a.evaluate(env) >= 0


def test_text():
    n, k = Size.var("N"), Size.var("K")
    assert str(n * n - Size.const(2) * k + 1) == "N*N - 2*K + 1"
    assert str(ZERO) == "0" and str(Size.const(-3)) == "-3"
