"""Recursive functions and values of recursive types against the reference interpreter, under ``vmap`` and ``grad``."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.compiler.emit.errors import EmissionError
from ppl.reference import density as reference_density
from ppl.reference.values import SumValue
from tests.emit.test_against_reference import Case, checked, compiled

NUMBERS = """
fn fib(n: int) -> int { return if n < 2 then n else fib(n - 1) + fib(n - 2) }
fn ack(m: int, n: int) -> int {
  if m == 0 { return n + 1 }
  if n == 0 { return ack(m - 1, 1) }
  return ack(m - 1, ack(m, n - 1))
}
fn gcd(a: int, b: int) -> int { return if b == 0 then a else gcd(b, a % b) }
fn even(n: int) -> bool { return if n == 0 then true else odd(n - 1) }
fn odd(n: int) -> bool { return if n == 0 then false else even(n - 1) }
fn catalan(n: int) -> int {
  var s = 0
  for i in 0..5 { if i < n { s = s + catalan(i) * catalan(n - 1 - i) } }
  return if n == 0 then 1 else s
}
fn below(x: real, n: int) -> real { return if x < 1 then x + n else below(x / 2, n + 1) }
fn shifted(n: int, step: int = 2) -> int { return if n <= 0 then step else 1 + shifted(n - step) }
model m(n: int, k: int) {
  a ~ Normal(0, 1)
  data y1 ~ Normal(a + fib(n), 100)
  data y2 ~ Normal(a + ack(k, n % 3), 100)
  data y3 ~ Normal(a + gcd(12 * n, 18), 100)
  data y4 ~ Normal(a + (if even(n) then 1.0 else 0.0) + (if odd(n) then 3.0 else 0.0), 1)
  data y5 ~ Normal(a + catalan(n % 5), 100)
  data y6 ~ Normal(below(3 + 10 * a^2, 0), 1)
  data y7 ~ Normal(a + shifted(n), 1)
}
"""

REALS = """
type Way = | Once | Twice(real)
fn power(x: real, n: int) -> real { return if n == 0 then 1 else x * power(x, n - 1) }
fn mpower(M: real[2, 2], n: int) -> real[2, 2] {
  if n == 0 { return eye(2) }
  let before = mpower(M, n - 1)
  return before @ M / (1 + norm(before[0]))
}
fn split(x: real, n: int) -> (real, {low: real, high: real}) {
  if n == 0 { return (x, {low = x, high = x}) }
  let (m, r) = split(x / 2, n - 1)
  return (m + x, {low = r.low - 1, high = r.high * x})
}
fn iterate(f: (real) -> real, n: int, x: real) -> real { return if n == 0 then x else iterate(f, n - 1, f(x)) }
fn there(f: (real) -> real, n: int, x: real) -> real { return if n == 0 then x else back(n - 1, f, f(x)) }
fn back(n: int, f: (real) -> real, x: real) -> real { return if n == 0 then -x else there(f, n - 1, f(x)) }
fn total[N](x: real[N], i: int) -> real { return if i == N then 0 else x[i] + total(x, i + 1) }
fn go(w: Way, n: int, x: real) -> real {
  return match w with {
    Once => if n <= 0 then x else sin(go(Twice(x), n - 1, x))
    Twice(y) => if n <= 0 then y else go(Once, n - 1, x + y) + go(Once, n - 2, 1) * y
  }
}
fn series[N](x: real[N], n: int) -> real {
  return if n == 0 then 0 else sum([exp(-x[j]) * series(x, n - 1) + x[j] for j in N])
}
model m[N](n: int, x: real[N]) {
  a ~ Normal(0, 1)
  let own = fn(k: int) -> real => if k < 2 then a else own(k - 1) * x[0] + own(k - 2)
  data y1 ~ Normal(power(a, n), 1)
  data y2 ~ Normal(sum(mpower([[a, 0.5], [0.1, 1]], n)), 1)
  let (p, q) = split(a, n)
  data y3 ~ Normal(p + q.low + q.high, 1)
  data y4 ~ Normal(iterate(fn(u: real) => cos(a * u), n, 0.3) + there(fn(u: real) => a + u / 2, n, a), 1)
  plate i in N { data y5[i] ~ Normal(total(x, i) + power(x[i] * a, i), 1) }
  data y6 ~ Normal(go(if a > 0 then Once else Twice(a), 4, a), 1)
  data y7 ~ Normal(own(n), 1)
  data y8 ~ Normal(series(x, n % 3) * a, 1)
}
"""

TREES = """
type Expr = | Const(real) | X | Add(Expr, Expr) | Mul(Expr, Expr) | Sum(Expr[2], (int, real[2]))
type List = | Nil | Cons(real, List)
type Rose = | Stem(real, Forest)
type Forest = | Empty | More(Rose, Forest)
fn ev(e: Expr, x: real) -> real {
  return match e with {
    Const(c) => c
    X => x
    Add(a, b) => ev(a, x) + ev(b, x)
    Mul(a, b) => ev(a, x) * ev(b, x)
    Sum(s, (k, w)) => w[0] * ev(s[0], x) + w[1] * ev(s[1], x) + k
  }
}
fn slope(e: Expr) -> Expr {
  return match e with {
    Const(c) => Const(0)
    X => Const(1)
    Add(a, b) => Add(slope(a), slope(b))
    Mul(a, b) => Add(Mul(slope(a), b), Mul(a, slope(b)))
    Sum(s, (k, w)) => Sum([slope(s[0]), slope(s[1])], (0, w))
  }
}
fn upto(n: int) -> List { return if n == 0 then Nil else Cons(n, upto(n - 1)) }
fn add(l: List) -> real { return match l with { Nil => 0, Cons(h, t) => h + add(t) } }
fn merge(a: List, b: List) -> List {
  return match a with {
    Nil => b
    Cons(x, s) => match b with { Nil => a, Cons(y, t) => if x < y then Cons(x, merge(s, b)) else Cons(y, merge(a, t)) }
  }
}
fn weighted(l: List, w: real) -> real { return match l with { Nil => 0, Cons(h, t) => w * h + weighted(t, w / 2) } }
fn reverse(a: List, done: List) -> List { return match a with { Nil => done, Cons(h, t) => reverse(t, Cons(h, done)) } }
fn grown(r: Rose) -> real { return match r with { Stem(x, f) => exp(x) + all(f) } }
fn all(f: Forest) -> real { return match f with { Empty => 0, More(r, rest) => grown(r) + all(rest) } }
model m[N](e: Expr, l: List, r: Rose, n: int, x: real[N]) {
  a ~ Normal(0, 1)
  let w = Add(Mul(e, Const(a)), X)
  let f = fn(u: real) => ev(w, u)
  plate i in N { data y1[i] ~ Normal(f(x[i]), 1) }
  let both = merge(l, merge(upto(n), Cons(a, Nil)))
  data y2 ~ Normal(weighted(both, 1), 1)
  data y3 ~ Normal(grown(r) + a + add(l), 1)
  data y4 ~ Normal(if reverse(l, Nil) == l then 100.0 else a, 1)
  data y5 ~ Normal(if reverse(reverse(l, Nil), Nil) == l then a else 100, 1)
  let chosen = if a > 0 then slope(e) else Mul(Const(2), Add(X, Const(a)))
  data y6 ~ Normal(ev(chosen, a), 1)
}
"""


def node(tag: str, *args: Any) -> Any:
    return {"tag": tag, "args": list(args)} if args else tag


def as_value(value: Any) -> Any:
    """Data as the reference interpreter takes them."""
    if isinstance(value, str):
        return SumValue(value)
    if isinstance(value, dict):
        return SumValue(value["tag"], tuple(map(as_argument, value["args"])))
    return value


def as_argument(value: Any) -> Any:
    if isinstance(value, list):
        inner = [as_argument(v) for v in value]
        if any(isinstance(v, SumValue) for v in inner):
            out = np.empty(len(inner), dtype=object)
            out[:] = inner
            return out
        return np.asarray(inner)
    if isinstance(value, tuple):
        return tuple(map(as_argument, value))
    return as_value(value)


SMALL = """
type Expr = | Const(real) | X | Add(Expr, Expr)
type List = | Nil | Cons(real, List)
fn ev(e: Expr, x: real) -> real { return match e with { Const(c) => c, X => x, Add(a, b) => ev(a, x) + ev(b, x)^2 } }
fn add(l: List) -> real { return match l with { Nil => 0, Cons(h, t) => h + add(t) } }
fn scaled(l: List, s: real) -> List { return match l with { Nil => Nil, Cons(h, t) => Cons(s * h, scaled(t, s)) } }
model m[N](e: Expr, l: List, n: int, x: real[N]) {
  a ~ Normal(0, 1)
  plate i in N { data y1[i] ~ Normal(ev(e, x[i] * a), 1) }
  let k = scaled(l, a)
  data y2 ~ Normal(if k == l then 7.0 else add(k), 1)
  data y3 ~ Normal(if scaled(l, 1) == l then a else 7.0, 1)
}
"""

X, ADD, MUL = "X", node("Add", "X", node("Const", 2.0)), node("Mul", "X", "X")
ROSE = node("Stem", 0.5, node("More", node("Stem", 0.1, "Empty"), node("More", node("Stem", -1.0, "Empty"), "Empty")))
EXPR = node("Add", MUL, node("Sum", [ADD, node("Mul", node("Const", 3.0), X)], (2, [0.5, -1.0])))
LIST = node("Cons", 0.5, node("Cons", 1.5, node("Cons", 2.5, "Nil")))

POINTS = np.array([-0.7, 0.4, 1.3])
DATA = {f"y{k}": np.array(0.1 * k) for k in range(1, 9)}
GRID = np.array([0.2, -0.5, 0.9])


class Program(NamedTuple):
    text: str
    args: dict
    sizes: dict = {}
    data: dict = {}


CASES = {
    f"{name}, n = {n}": Program(text, {"n": n, **args}, sizes, data)
    for name, text, ns, args, sizes, data in (
        ("numbers", NUMBERS, (0, 6, 7), {"k": 2}, {}, {k: DATA[k] for k in list(DATA)[:7]}),
        ("reals", REALS, (0, 5), {"x": GRID}, {"N": 3}, DATA | {"y5": GRID}),
        (
            "small trees",
            SMALL,
            (4,),
            {"e": node("Add", ADD, "X"), "l": LIST, "x": GRID},
            {"N": 3},
            {"y1": GRID, "y2": DATA["y2"], "y3": DATA["y3"]},
        ),
        (
            "trees",
            TREES,
            (4,),
            {"e": EXPR, "l": LIST, "r": ROSE, "x": GRID},
            {"N": 3},
            {k: DATA[k] for k in list(DATA)[:6]} | {"y1": GRID},
        ),
    )
    for n in ns
}


def reference(case: Program, a: float) -> float:
    args = {n: as_value(v) if isinstance(v, (dict, str)) else np.asarray(v) for n, v in case.args.items()}
    return float(reference_density(checked(case.text), "m", args | case.sizes, case.data, {"a": np.array(a)}, {}))


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n.startswith("trees") else n for n in CASES]
)
def test_density_and_derivative_in_lanes(name: str):
    case = CASES[name]
    args = {n: v if isinstance(v, (dict, str)) else np.asarray(v) for n, v in case.args.items()}
    target = compiled(Case(case.text, args, case.sizes, case.data))

    @jax.jit
    def both(target, a):
        return jax.vmap(jax.value_and_grad(lambda x: target.log_density({"a": x})))(a)

    values, slopes = both(target, jnp.asarray(POINTS))
    h = 1e-5
    np.testing.assert_allclose(values, [reference(case, a) for a in POINTS], rtol=1e-10)
    differences = [(reference(case, a + h) - reference(case, a - h)) / (2 * h) for a in POINTS]
    np.testing.assert_allclose(slopes, differences, rtol=1e-6, atol=1e-6)


def outputs(text: str, args: dict | None = None) -> dict:
    target = compiled(Case(text, {n: np.asarray(v) for n, v in (args or {}).items()}))
    return dict(jax.jit(lambda t, k: t.prior(k))(target, jax.random.key(0)).outputs)


def test_where_constants_steer_the_recursion_nothing_of_it_is_left():
    text = """
    fn power(x: real, n: int) -> real { return if n == 0 then 1 else x * power(x, n - 1) }
    type List = | Nil | Cons(real, List)
    fn add(l: List) -> real { return match l with { Nil => 0, Cons(h, t) => h + add(t) } }
    fn last[N](x: real[N]) -> real { return if N == 1 then x[0] else last(x[1..N]) }
    model m() {
      a ~ Normal(0, 1)
      data y ~ Normal(power(a, 5) + add(Cons(1, Cons(2, Cons(a, Nil)))) + last([1, 2, 5]), 1)
    }"""
    target = compiled(Case(text, data={"y": np.array(0.0)}))
    density = jax.make_jaxpr(lambda a: target.log_density({"a": a}))(0.5)
    assert "while" not in str(density)
    expected = -np.log(2 * np.pi) - 0.5 * 0.5**2 - 0.5 * (0.5**5 + 3.5 + 5) ** 2
    assert target.log_density({"a": jnp.asarray(0.5)}) == pytest.approx(expected)


DEEP = """
fn down(n: int) -> int { return if n == 0 then 0 else 1 + down(n - 1) }
fn half(x: real, n: int) -> real { return if n == 0 then x else half(x, n - 1) / 2 }
fn loop(n: int, k: int) -> int { return if n == 0 then k else loop(n - 1, k + 1) }
"""


def test_too_deep_is_nan_and_never_a_wrong_number():
    text = (
        DEEP
        + """
    model m(n: int) {
      a ~ Normal(0, 1)
      let d = down(n)
      output deep = half(a, n)
      output tail = loop(n, 0)
      data y ~ Normal(if d > 5 then a else 2 * a, 1)
    }"""
    )

    def density(n: int):
        target = compiled(Case(text, {"n": np.array(n)}, data={"y": np.array(0.1)}))
        done = target.complete(jax.random.key(0), {"a": jnp.asarray(0.3)}).outputs
        return float(jax.jit(lambda t: t.log_density({"a": jnp.asarray(0.3)}))(target)), done

    value, done = density(1000)
    assert value == pytest.approx(-np.log(2 * np.pi) - 0.5 * 0.3**2 - 0.5 * 0.2**2) and np.isfinite(done["deep"])
    value, done = density(1001)
    assert np.isnan(value) and np.isnan(done["deep"]) and done["tail"] == 1001


def test_lanes_are_as_deep_as_each_needs():
    text = (
        DEEP
        + """
    model m() {
      k ~ Poisson(3)
      data y ~ Normal(down(k * 400), 1)
    }"""
    )
    target = compiled(Case(text, data={"y": np.array(0.0)}))
    values = jax.jit(jax.vmap(lambda k: target.log_density({"k": k})))(jnp.arange(5))
    assert list(np.isnan(values)) == [False, False, False, True, True]
    for k in range(3):
        expected = k * np.log(3) - 3 - sum(np.log(np.arange(1, k + 1))) - 0.5 * np.log(2 * np.pi) - 0.5 * (400 * k) ** 2
        assert values[k] == pytest.approx(expected)


def test_the_branch_not_taken_does_not_run():
    text = """
    fn up(n: int, k: int) -> int { return if n == 0 then k else up(n - 1, k + 1) }
    fn length(x: real, k: int) -> int { return if x < 1 then k else length(x / 2, k + 1) }
    model m(n: int) {
      output a = if n >= 0 then up(n, 0) else length(9, n)
    }"""
    assert outputs(text, {"n": -7})["a"] == -3
    assert outputs(text, {"n": 5})["a"] == 5


def test_a_fault_in_a_comprehension_reaches_the_density():
    text = (
        DEEP + "model m[N](n: int[N]) { a ~ Normal(0, 1); let d = [down(n[i]) for i in N]; "
        "data y ~ Normal(if sum(d) > 5 then a else 2 * a, 1) }"
    )
    for deep in (7, 1001):
        args = {"n": np.array([2, deep])}
        target = compiled(Case(text, args, {"N": 2}, {"y": np.array(0.1)}))
        value = jax.jit(lambda t: t.log_density({"a": jnp.asarray(0.3)}))(target)
        assert np.isnan(value) == (deep > 1000)


def test_a_recursive_model_gives_values_of_recursive_type():
    """p(y) by the recursion over levels: the sum of the list is a convolution of its items."""
    text = """
    type List = | Nil | Cons(real, List)
    fn add(l: List) -> real { return match l with { Nil => 0, Cons(h, t) => h + add(t) } }
    fn size(l: List) -> int { return match l with { Nil => 0, Cons(h, t) => 1 + size(t) } }
    model items(levels: int) -> List {
      if levels == 0 { return Nil }
      stop ~ Bernoulli(0.4)
      if stop { return Nil }
      big ~ Bernoulli(0.3)
      rest ~ items(levels - 1)
      return Cons(if big then 2.0 else 1.0, rest)
    }
    model m() {
      l ~ items(3)
      data y ~ Normal(add(l), 1)
      output n = size(l)
    }"""
    target = compiled(Case(text, data={"y": np.array(2.2)}))
    draws = 20000
    runs = jax.jit(jax.vmap(lambda k: target.generate(k, {})))(jax.random.split(jax.random.key(3), draws))
    sums = {0: 1.0}
    for _ in range(3):
        longer: dict[int, float] = {0: 0.4}
        for s, p in sums.items():
            for item, q in ((1, 0.7), (2, 0.3)):
                longer[s + item] = longer.get(s + item, 0) + 0.6 * q * p
        sums = longer
    evidence = sum(p * np.exp(-0.5 * (2.2 - s) ** 2) / np.sqrt(2 * np.pi) for s, p in sums.items())
    weights = np.exp(np.asarray(runs.log_weight))
    # 5 standard errors: false alarms below 1e-6
    assert abs(weights.mean() - evidence) < 5 * weights.std() / np.sqrt(draws)
    n = np.asarray(runs.outputs["n"])
    for k, p in enumerate((0.4, 0.24, 0.144, 0.216)):
        assert abs((n == k).mean() - p) < 5 * np.sqrt(p * (1 - p) / draws)


def test_a_value_too_large_is_nan():
    text = """
    type List = | Nil | Cons(real, List)
    fn upto(n: int, done: List) -> List { return if n == 0 then done else upto(n - 1, Cons(n, done)) }
    fn add(l: List) -> real { return match l with { Nil => 0, Cons(h, t) => h + add(t) } }
    model m(n: int) { output s = add(upto(n, Nil)) }"""
    assert outputs(text, {"n": 127})["s"] == 127 * 64
    assert np.isnan(outputs(text, {"n": 128})["s"])


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "fn f(n: int) -> real { let g = fn(x: real) => if n < 1 then x else f(n - 1); return g(1) }",
            "stands inside of its own body",
        ),
        (
            "fn f(n: int, g: (real) -> real) -> real { "
            "return if n < 1 then g(1) else f(n - 1, fn(x: real) => g(x) + 1) }",
            "changes from one application",
        ),
        (
            "fn g(n: int) -> (real) -> real { if n < 1 { return fn(x: real) => x }; let h = g(n - 1); "
            "return fn(x: real) => h(x) + 1 }\nfn f(n: int) -> real { let h = g(n); return h(2) }",
            "`g` gives a value of type",
        ),
    ],
)
def test_what_no_machine_can_run_is_refused(text: str, said: str):
    call = "f(n)" if "g: (" not in text else "f(n, fn(x: real) => x)"
    text += f"\nmodel m(n: int) {{ data y ~ Normal({call}, 1) }}"
    target = compiled(Case(text, {"n": np.array(3)}, data={"y": np.array(0.1)}))
    with pytest.raises(EmissionError, match=said):
        jax.jit(lambda t: t.log_density({}))(target)


def test_derivatives_of_second_order():
    text = """
    fn power(x: real, n: int) -> real { return if n == 0 then 1 else x * power(x, n - 1) }
    model m(n: int) { a ~ Normal(0, 1); factor power(a, n) }"""
    target = compiled(Case(text, {"n": np.array(4)}))
    of = jax.jit(lambda t, a: t.log_density({"a": a}))
    a = jnp.asarray(0.7)
    assert jax.hessian(of, 1)(target, a) == pytest.approx(12 * 0.7**2 - 1)
    assert jax.grad(jax.grad(of, 1), 1)(target, a) == pytest.approx(12 * 0.7**2 - 1)
    assert jax.jvp(lambda x: of(target, x), (a,), (1.0,))[1] == pytest.approx(4 * 0.7**3 - 0.7)
