"""Compiled programs against the reference interpreter, which shares no code with the emitter: density, weight, values.

The latents are simulated by the compiled program, so its sampler is seen as well; then both give the density there."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.compiler.emit.bind import bind
from ppl.compiler.emit.target import EmittedTarget
from ppl.compiler.ir.nodes import Program
from ppl.compiler.passes.query import Query, prepare
from ppl.compiler.pipeline import check_text
from ppl.reference import density as reference_density


class Case(NamedTuple):
    text: str
    args: dict = {}
    sizes: dict = {}
    data: dict = {}
    externs: dict = {}


R = np.random.default_rng(7)

CASES = {
    "eight schools": Case(
        """
        model m[J](se: pos[J]) {
          mu ~ Normal(0, 5)
          tau ~ HalfCauchy(5)
          plate j in J { theta[j] ~ Normal(mu, tau); data y[j] ~ Normal(theta[j], se[j]) }
          output spread = sd(theta)
        }""",
        {"se": np.array([15.0, 10, 16, 11])},
        {"J": 4},
        {"y": np.array([28.0, 8, -3, 7])},
    ),
    "stochastic volatility": Case(
        """
        model m[T]() {
          phi ~ Beta(20, 1.5)
          s ~ HalfNormal(0.3)
          h[0] ~ Normal(0, s / sqrt(1 - phi^2))
          for t in 1..T { h[t] ~ Normal(phi * h[t-1], s) }
          plate t in T { data y[t] ~ Normal(0, exp(h[t] / 2)) }
        }""",
        sizes={"T": 6},
        data={"y": R.normal(size=6)},
    ),
    "two lags and a state": Case(
        """
        model m[T]() {
          a ~ Normal(0, 0.5)
          x[0] ~ Normal(0, 1)
          x[1] ~ Normal(a, 1)
          var level = 0.0
          for t in 2..T {
            x[t] ~ Normal(a * x[t-1] - 0.3 * x[t-2] + level, 1)
            level = 0.5 * level + x[t]
          }
          data last ~ Normal(level, 1)
        }""",
        sizes={"T": 6},
        data={"last": np.array(0.4)},
    ),
    "bounds that depend on earlier draws": Case(
        """
        model m[T]() {
          u[0] ~ Uniform(0, 1)
          for t in 1..T { u[t] ~ Uniform(0, u[t-1]) }
          data y ~ Normal(u[T - 1], 1)
        }""",
        sizes={"T": 4},
        data={"y": np.array(0.2)},
    ),
    "vectors and matrices": Case(
        """
        model m[N, K](x: real[N, K]) {
          w ~ Dirichlet(ones(K))
          beta: real[K] ~ Normal(0, 2)
          L ~ LKJCholesky(K, 2)
          sigma: pos[K] ~ HalfNormal(1)
          plate n in N { data y[n] ~ MultiNormalChol(x[n] * beta + w, diag(sigma) @ L) }
        }""",
        {"x": R.normal(size=(3, 2))},
        {"N": 3, "K": 2},
        {"y": R.normal(size=(3, 2))},
    ),
    "nested plates and a transposed subscript": Case(
        """
        model m[N, K]() {
          plate k in K { m[k] ~ Normal(0, 1) }
          plate n in N { plate k in K { z[k, n] ~ Normal(m[k], 1); data y[n, k] ~ StudentT(4, z[k, n], 1) } }
          output total = sum(z)
        }""",
        sizes={"N": 3, "K": 2},
        data={"y": R.normal(size=(3, 2))},
    ),
    "branches": Case(
        """
        model m() {
          z ~ Normal(0, 1)
          if z > 0 { x ~ Normal(sqrt(z), 1) } else { x ~ Normal(0, sqrt(-z)) }
          data y ~ Normal(x, 1)
          factor -0.5 * x^2
        }""",
        data={"y": np.array(0.3)},
    ),
    "branches inside a plate": Case(
        """
        model m[N](c: bool[N]) {
          a ~ Normal(0, 1)
          plate n in N {
            if c[n] { data y[n] ~ Normal(a, 1) } else { data y[n] ~ Laplace(-a, 2) }
          }
        }""",
        {"c": np.array([True, False, True])},
        {"N": 3},
        {"y": np.array([0.1, -0.5, 2.0])},
    ),
    "random function in a plate": Case(
        """
        model line() -> (real) -> real {
          a ~ Normal(0, 1)
          b ~ Normal(0, 1)
          return fn(x: real) => a * x + b
        }
        model m[N, K](x: real[N], g: index<K>[N]) {
          plate k in K { f[k] ~ line() }
          plate n in N { data y[n] ~ Normal(f[g[n]](x[n]), 0.5) }
          output at_two = [f[k](2.0) for k in K]
        }""",
        {"x": np.array([0.5, -1.0, 2.0]), "g": np.array([0, 1, 1])},
        {"N": 3, "K": 2},
        {"y": np.array([0.1, 0.2, -0.4])},
    ),
    "user distribution": Case(
        """
        dist Kumaraswamy(a: pos, b: pos) over prob {
          logpdf(x) { return log(a) + log(b) + (a - 1) * log(x) + (b - 1) * log(1 - x^a) }
          sample { u ~ Uniform(0, 1); return (1 - (1 - u)^(1 / b))^(1 / a) }
        }
        model m[N]() {
          a ~ Exponential(1)
          p ~ Kumaraswamy(a, 2)
          plate n in N { data y[n] ~ Bernoulli(p) }
        }""",
        sizes={"N": 3},
        data={"y": np.array([True, False, True])},
    ),
    "extern function": Case(
        """
        extern fn warp(x: real) -> real
        model m() { a ~ Normal(0, 1); data y ~ Normal(warp(a), 1) }""",
        data={"y": np.array(0.3)},
        externs={"warp": lambda x: x * x + 1},
    ),
    "sum type": Case(
        """
        type Shape = | Circle(real) | Box(real, real)
        fn area(s: Shape) -> real { return match s with { Circle(r) => pi * r^2, Box(a, b) => a * b } }
        model m() {
          r ~ HalfNormal(1)
          let s = if r > 1 then Circle(r) else Box(r, 2.0)
          data y ~ Normal(area(s), 1)
        }""",
        data={"y": np.array(2.0)},
    ),
    "distribution as a value": Case(
        """
        fn noise(heavy: bool, s: pos) -> Dist<real> { return if heavy then StudentT(3, 0, s) else Normal(0, s) }
        model m[N](heavy: bool) {
          s ~ HalfNormal(1)
          let d = noise(heavy, s)
          plate n in N { data y[n] ~ d }
          factor logprob(d, 0.5)
        }""",
        {"heavy": np.array(True)},
        {"N": 2},
        {"y": np.array([0.3, -0.4])},
    ),
    "discrete latents": Case(
        """
        model m[N]() {
          p ~ Beta(1, 1)
          plate n in N { z[n] ~ Bernoulli(p); data y[n] ~ Normal(if z[n] then 2.0 else 0.0, 1) }
          k ~ Poisson(3)
          data total ~ Binomial(10 + k, p)
        }""",
        sizes={"N": 3},
        data={"y": np.array([0.2, 1.9, 0.5]), "total": np.array(4)},
    ),
    "observed expression and hard constraint": Case(
        """
        model m() {
          a ~ Normal(1, 1)
          b ~ Normal(1, 1)
          observe a + b ~ Normal(2.5, 0.1)
          require a + b > -100
        }""",
    ),
}


def checked(text: str) -> Program:
    result = check_text(text)
    assert result.program is not None, [(d.code, d.message) for d in result.diagnostics.errors]
    return result.program


def compiled(case: Case, marginalise: bool = False) -> EmittedTarget:
    query = Query("m", frozenset(case.data), marginalise)
    plan = prepare(checked(case.text), query)
    return bind(plan.program, "m", case.args, case.sizes, case.data, case.externs, frozenset(plan.deferred))


@partial(jax.jit, static_argnames="method")
def run(target, method, *args):
    return getattr(target, method)(*args)


@pytest.fixture(params=CASES, scope="module")
def bound(request):
    case = CASES[request.param]
    target = compiled(case)
    prior = run(target, "simulate", jax.random.key(1))
    return case, target, {v.name: prior.trace[v.name] for v in target.latents}, prior


def reference(case: Case, trace: dict, data: dict) -> float:
    args = {n: np.asarray(a) for n, a in case.args.items()} | case.sizes
    trace, data = ({n: np.asarray(v) for n, v in d.items()} for d in (trace, data))
    return reference_density(checked(case.text), "m", args, data, trace, case.externs)


def test_density(bound):
    case, target, trace, prior = bound
    whole = trace | {n: v for n, v in prior.trace.items() if n not in trace and n not in target.data}
    expected = reference(case, whole, case.data)
    assert run(target, "log_density", whole) == pytest.approx(expected, rel=1e-9)


def test_generated_weight(bound):
    case, target, trace, _ = bound
    weight = run(target, "generate", jax.random.key(0), trace).log_weight
    assert weight == pytest.approx(float(run(target, "log_density", trace)), rel=1e-9)


def test_change_of_variables(bound):
    _, target, trace, _ = bound
    continuous = {v.name: trace[v.name] for v in target.latents if not v.discrete}
    u = run(target, "unconstrain", trace)
    back, log_det = run(target, "constrain", u)
    for name, value in continuous.items():
        np.testing.assert_allclose(back[name], value, rtol=1e-6)
    expected = run(target, "log_density", trace) + log_det
    assert run(target, "log_density_unconstrained", u) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.slow
def test_gradient_is_finite(bound):
    _, target, trace, _ = bound
    if any(v.discrete for v in target.latents):
        pytest.skip("no gradient with respect to discrete variables")
    u = run(target, "unconstrain", trace)
    gradient = jax.jit(jax.grad(lambda u, t: t.log_density_unconstrained(u)))(u, target)
    assert all(bool(jnp.isfinite(g).all()) for g in jax.tree.leaves(gradient))


@pytest.mark.slow
def test_simulated_data_score_as_data(bound):
    """The joint density of everything simulated, by both implementations."""
    case, target, trace, prior = bound
    given = {n: np.asarray(v) for n, v in prior.data.items()}
    again = compiled(case._replace(data=given))
    whole = {n: v for n, v in prior.trace.items()}
    assert run(again, "log_density", whole) == pytest.approx(reference(case, whole, given), rel=1e-9)
