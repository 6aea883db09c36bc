"""The passes on programs as they are written: the density is kept, and discrete variables are summed out exactly."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Role
from ppl.compiler.passes.base import replace_model
from ppl.compiler.passes.elementwise import element_by_element
from ppl.compiler.passes.fuse import fuse
from ppl.compiler.passes.query import Plan, Query, prepare
from ppl.compiler.passes.schedule import PASSES, run_passes
from ppl.compiler.pipeline import check_text
from ppl.reference import density, simulate

WEIGHTS = {"w": [0.2, 0.5, 0.3], "mu": [-1.0, 0.5, 2.0]}
CHAIN = WEIGHTS | {"P": [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4]]}
Y = {"y": [0.3, -1.2, 2.5, 0.4]}

SUMMED = {
    "one plate": ("""
        model m[N, K](w: simplex[K], mu: real[K]) {
          plate i in N { z[i] ~ Categorical(w); data y[i] ~ Normal(mu[z[i]], 1) }
          output first = z[0]
        }""", WEIGHTS | Y, ["z"]),
    "two plates": ("""
        model m[N, K](w: simplex[K], mu: real[K]) {
          plate i in N { z[i] ~ Categorical(w) }
          let twice = 2 * mu
          plate j in N { data y[j] ~ Normal(twice[z[j]], 1) }
        }""", WEIGHTS | Y, ["z"]),
    "a vector of draws": ("""
        model m[N](p: prob[N]) {
          z: bool[N] ~ Bernoulli(p)
          plate i in N { data y[i] ~ Normal(if z[i] then 1 else 0, 1) }
        }""", {"p": [0.1, 0.6, 0.5, 0.9]} | Y, ["z"]),
    "independent copies": ("""
        model m[N, K](w: simplex[K], mu: real[K]) {
          z: index<K>[N] ~ Categorical(w)
          plate i in N { data y[i] ~ Normal(mu[z[i]], 1) }
        }""", WEIGHTS | Y, ["z"]),
    "vectors throughout": ("""
        model m[N, K](w: simplex[K], mu: real[K], s: pos[K]) {
          z: index<K>[N] ~ Categorical(w)
          data y: real[N] ~ Normal(2 * mu[z] + 1, s[z])
          output z0 = z[0]
        }""", WEIGHTS | {"s": [1.0, 2.0, 0.5]} | Y, ["z"]),
    "an observed vector": ("""
        model m[N](y: real[N], p: prob[N]) {
          z: bool[N] ~ Bernoulli(p)
          observe y ~ Normal(where(z, 1, -1), 2)
        }""", {"p": [0.1, 0.6, 0.5, 0.9]} | Y, ["z"]),
    "two in one iteration": ("""
        model m[N, K](w: simplex[K], mu: real[K]) {
          plate i in N {
            z[i] ~ Categorical(w)
            big[i] ~ Bernoulli(if z[i] == 0 then 0.9 else 0.2)
            data y[i] ~ Normal(mu[z[i]], if big[i] then 3 else 1)
          }
        }""", WEIGHTS | {"y": [0.3, 2.0]}, ["z", "big"]),
    "outside of its plate": ("""
        model m[N](a: pos, b: pos) {
          change ~ DiscreteUniform(0, N - 1)
          plate t in N { data y[t] ~ Normal(if t < change then a else b, 1) }
        }""", {"a": 1.0, "b": 2.0} | Y, ["change"]),
    "a value of a list": ("""
        model m[N]() {
          s ~ Discrete([0.5, 1, 2], [0.2, 0.3, 0.5])
          plate i in N { data y[i] ~ Normal(0, s) }
        }""", Y, ["s"]),
    "of a submodel": ("""
        model component[K](w: simplex[K], mu: real[K]) -> real { k ~ Categorical(w); return mu[k] }
        model m[N, K](w: simplex[K], mu: real[K]) {
          plate i in N { c[i] ~ component(w, mu); data y[i] ~ Normal(c[i], 1) }
        }""", WEIGHTS | Y, ["c.k"]),
    "a branch": ("""
        model m() {
          heads ~ Bernoulli(0.3)
          if heads { x ~ Normal(0, 1) } else { x ~ Normal(5, 2) }
          data y ~ Normal(x, 1)
        }""", {"y": 1.5}, ["heads"]),
    "a chain": ("""
        model m[T, K](w: simplex[K], P: real[K, K], mu: real[K]) {
          z[0] ~ Categorical(w); data y[0] ~ Normal(mu[z[0]], 1)
          for t in 1..T { z[t] ~ Categorical(P[z[t - 1]]); data y[t] ~ Normal(mu[z[t]], 1) }
        }""", CHAIN | Y, ["z"]),
    "a chain observed in a plate": ("""
        model m[T, K](w: simplex[K], P: real[K, K], mu: real[K], s: pos[T]) {
          z[0] ~ Categorical(w)
          for t in 1..T { z[t] ~ Categorical(P[z[t - 1]]) }
          plate t in T { data y[t] ~ Normal(mu[z[t]], s[t]) }
          output last = z[T - 1]
        }""", CHAIN | {"s": [1.0, 2.0, 0.5, 1.0]} | Y, ["z"]),
    "a switching regression": ("""
        model m[T, K](w: simplex[K], P: real[K, K], mu: real[K]) {
          z[0] ~ Categorical(w); data y[0] ~ Normal(mu[z[0]], 1)
          for t in 1..T { z[t] ~ Categorical(P[z[t - 1]]); data y[t] ~ Normal(mu[z[t]] + 0.5 * y[t - 1], 1) }
        }""", CHAIN | Y, ["z"]),
    "chains in a plate": ("""
        model m[N, T, K](w: simplex[K], P: real[K, K], mu: real[K]) {
          plate i in N {
            z[i, 0] ~ Categorical(w)
            for t in 1..T { z[i, t] ~ Categorical(P[z[i, t - 1]]) }
            plate t in T { data y[i, t] ~ Normal(mu[z[i, t]], 1) }
          }
        }""", CHAIN | {"y": [[0.3, -1.2], [0.1, 2.0]]}, ["z"]),
}  # fmt: skip


def checked(text: str):
    result = check_text(text)
    assert result.ok, [d.message for d in result.diagnostics.errors]
    return result.program


def discrete_paths(model, sizes: dict[str, int]):
    """All values of the discrete latents, site by site and element by element."""
    sites = [s for s in model.sites if s.discrete and s.role is Role.LATENT]
    options = []
    for s in sites:
        shape = tuple(n.evaluate(sizes) for n in ty.shape(s.type))
        element = ty.element(s.type)
        values = range(element.size.evaluate(sizes)) if isinstance(element, ty.IndexType) else range(2)
        if s.name == "change":
            values = range(sizes["N"])
        if s.name == "s":
            values = (0.5, 1.0, 2.0)
        count = int(np.prod(shape, dtype=int))
        options.append([np.reshape(v, shape) if shape else v[0] for v in product(values, repeat=count)])
    for values in product(*options):
        yield dict(zip((s.name for s in sites), values, strict=True))


def prepared(name: str) -> tuple[Plan, dict, dict]:
    text, inputs, _ = SUMMED[name]
    plan = prepare(checked(text), Query("m", frozenset({"y"}), marginalise=True))
    y = np.asarray(inputs["y"])
    rows, columns = (*y.shape, 0, 0)[0], (*y.shape, *y.shape, 0, 0)[1]
    return plan, inputs, {"N": rows, "T": columns, "K": 3}


@pytest.mark.parametrize("name", SUMMED)
def test_discrete_variables_are_summed_out_exactly(name):
    plan, inputs, sizes = prepared(name)
    assert sorted(plan.marginalised) == sorted(SUMMED[name][2])
    assert plan.refusals == () and plan.deferred == ()
    given = {"x": 0.7} if name == "a branch" else {}
    before = run_passes(checked(SUMMED[name][0]), "m").program
    paths = list(discrete_paths(before.model("m"), sizes))
    exact = logsumexp([density(before, "m", inputs, None, given | z) for z in paths])
    assert np.isfinite(exact)
    assert density(plan.program, "m", inputs, None, given) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    "name", ["two plates", "independent copies", "a vector of draws", "a chain observed in a plate"]
)
def test_joining_loops_keeps_density_and_values(name):
    text, inputs, (site,) = SUMMED[name]
    before = run_passes(checked(text), "m").program
    model, notes = fuse(element_by_element(before.model("m"), {site}), {site})
    assert [n.kind for n in notes] == ["fused"]
    after = replace_model(before, model)
    for seed in range(3):
        run = simulate(before, "m", inputs, rng=seed)
        assert density(after, "m", inputs, None, run.trace) == pytest.approx(
            density(before, "m", inputs, None, run.trace), rel=1e-12
        )


def test_loops_are_not_joined_over_what_stands_between():
    """The second plate needs the sum over all z: it cannot run along with the first."""
    program = checked("""
        model m[N]() {
          plate i in N { z[i] ~ Bernoulli(0.5) }
          let share = sum([if z[i] then 1 else 0 for i in N]) / N
          plate i in N { data y[i] ~ Normal(if z[i] then 1 else share, 1) }
        }""")
    plan = prepare(program, Query("m", frozenset({"y"}), marginalise=True))
    assert plan.marginalised == ()
    assert [r.reason for r in plan.refusals] == [
        "`z` cannot be summed out locally: it is read outside the iteration that draws it, by the distribution of `y`"
    ]


KEPT = {
    "a second-order walk": ("""
        model m[T](s: pos) {
          x[0] ~ Normal(0, 1); x[1] ~ Normal(0, 1)
          for t in 2..T { x[t] ~ Normal(2 * x[t - 1] - x[t - 2], s) }
          plate t in T { data y[t] ~ Normal(x[t], 1) }
          output last = x[T - 1]
        }""", {"s": 0.5} | Y),
    "state variables": ("""
        model m[T]() {
          a ~ Beta(2, 2)
          var level = 0.0
          var seen = 0
          for t in 0..T {
            data y[t] ~ Normal(level, 1)
            level = a * level + (1 - a) * y[t]
            if y[t] > 0 { seen = seen + 1 }
          }
          factor -0.1 * seen
          output final = level
        }""", Y),
    "walks in a plate": ("""
        model m[N, T]() {
          plate i in N {
            x[i, 0] ~ Normal(0, 1)
            for t in 1..T { x[i, t] ~ Normal(x[i, t - 1], 1) }
            data y[i] ~ Normal(x[i, T - 1], 1)
          }
        }""", {"T": 3} | Y),
    "a plate of each time": ("""
        model m[N, T]() {
          plate i in N { x[0, i] ~ Normal(0, 1) }
          for t in 1..T { plate i in N { x[t, i] ~ Normal(0.5 * x[t - 1, i], 1) } }
          plate i in N { data y[i] ~ Normal(sum(x[:, i]), 1) }
        }""", {"T": 3} | Y),
    "a random function": ("""
        model line() -> (real) -> real {
          a ~ Normal(0, 1); b ~ Normal(0, 1)
          return fn(x: real) => a * x + b
        }
        model m[N](x: real[N]) {
          f ~ line()
          plate i in N { data y[i] ~ Normal(f(x[i]), 0.1) }
          output at_two = f(2)
        }""", {"x": [0.0, 1.0, 2.0, 3.0]} | Y),
    "helper functions and guards": ("""
        fn smooth(x: real[3], k: int) -> real { return (x[0] + k * x[1] + x[2]) / 3 }
        model m[N](x: real[N + 2]) {
          b ~ Normal(0, 1)
          let scale = exp(sqrt(4) / 2 - 1)
          plate i in N { data y[i] ~ Normal(b * smooth([x[i], x[i + 1], x[i + 2]], 1 + 1) + scale, scale) }
        }""", {"x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]} | Y),
    "a submodel with a loop, in a plate": ("""
        model walk(n: size, s: pos) -> real[n] {
          x[0] ~ Normal(0, s)
          for t in 1..n { x[t] ~ Normal(x[t - 1], s) }
          return x
        }
        model m[N]() {
          plate k in 2 { w[k] ~ walk(N, 2) }
          plate i in N { data y[i] ~ Normal(w[0, i] + w[1, i], 1) }
        }""", Y),
    "a submodel in a loop": ("""
        model step(from_: real, s: pos) -> real { x ~ Normal(from_, s); return x * 0.9 }
        model m[T]() {
          z[0] ~ step(0, 1)
          for t in 1..T { z[t] ~ step(z[t - 1], 1) }
          plate t in T { data y[t] ~ Normal(z[t], 1) }
          output raw = z.x
        }""", Y),
    "variables of submodels": ("""
        model part(s: pos) -> real { a ~ Normal(0, s); b ~ Normal(a, 1); return a + b }
        model m[N]() {
          g ~ part(1)
          plate i in N { c[i] ~ part(2); data y[i] ~ Normal(c[i] + c[i].a, 1) }
          let first = c[0].a
          output all = c.a
          output one = g.b
          factor -first^2
        }""", Y),
    "arrays built in order": ("""
        model m[T](a: real) {
          let level[0] = 0.0
          for t in 1..T { let level[t] = a * level[t - 1] + 1 }
          b ~ Normal(0, 1)
          plate t in T { data y[t] ~ Normal(level[t] * b, 1) }
        }""", {"a": 0.5} | Y),
    "a guarded lag": ("""
        model m[T]() {
          for t in 0..T { x[t] ~ Normal(if t == 0 then 0 else x[t - 1], 1); data y[t] ~ Normal(x[t], 1) }
        }""", Y),
    "matrices read along both axes": ("""
        model m[N, K](X: real[N, K], g: index<K>[N]) {
          beta: real[K] ~ Normal(0, 1)
          let eta = [sum([X[i, k] * beta[k] for k in K]) for i in N]
          plate i in N, k in K { th[k, i] ~ Normal(X[i, k], 1) }
          plate i in N { data y[i] ~ Normal(eta[i] + beta[g[i]] + sum(th[:, i]), 1) }
        }""", {"X": [[1.0, 2.0], [3.0, 4.0], [0.0, 1.0], [5.0, 6.0]], "g": [0, 1, 1, 0]} | Y),
    "submodels with defaults": ("""
        model effect(scale: pos = 2, n: size) -> real[n] {
          tau ~ HalfNormal(scale)
          plate j in n { raw[j] ~ Normal(0, 1) }
          return tau * raw
        }
        model m[N]() {
          e ~ effect(n = N)
          g ~ effect(scale = 3, n = 2)
          plate i in N { data y[i] ~ Normal(e[i] + g[0], 1) }
          output tau = e.tau
        }""", Y),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_each_pass_keeps_the_density(name):
    text, inputs = KEPT[name]
    program = checked(text)
    run = simulate(program, "m", inputs, rng=1)
    base = density(program, "m", inputs, None, run.trace)
    assert np.isfinite(base)
    for p in PASSES:
        passed = run_passes(program, "m", after=p.name).program
        assert density(passed, "m", inputs, None, run.trace) == pytest.approx(base, rel=1e-12), p.name
        again = simulate(passed, "m", inputs, rng=1)
        assert again.outputs.keys() == run.outputs.keys()


def test_axes_of_inlined_variables_are_called_after_the_sizes_of_the_caller():
    text = """
model regression[N](x: real[N]) -> real[N] {
  a ~ Normal(0, 1)
  plate i in N { f[i] ~ Normal(a * x[i], 1) }
  return f
}
model top[J](u: real[J]) {
  g ~ regression(u)
  plate j in J { data y[j] ~ Normal(g[j], 1) }
}
"""
    model = run_passes(check_text(text).program, "top", after="inline").program.model("top")
    assert {s.name: s.axes for s in model.sites if s.axes} == {"g.f": ("J",), "y": ("J",)}
