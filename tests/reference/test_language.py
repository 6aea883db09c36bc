"""The interpreter on programs as text: constructs that need more than loops and plates."""

import numpy as np
import pytest
from scipy import special, stats

from ppl.compiler.pipeline import check_text
from ppl.reference import density, enumerate_exact, evaluate, gaussian, generate, quadrature, simulate


def program(text: str):
    result = check_text(text)
    assert result.ok, [(d.code, d.message) for d in result.diagnostics.errors]
    return result.program


EXPRESSIONS = """
type Expr = | Const(real) | X | Add(Expr, Expr) | Mul(Expr, Expr)

fn value(e: Expr, x: real) -> real {
  return match e with {
    Const(c) => c,
    X => x,
    Add(a, b) => value(a, x) + value(b, x),
    Mul(a, b) => value(a, x) * value(b, x)
  }
}

fn twice(x: real) -> real { return value(Add(X, Mul(Const(2), X)), x) }

model tree() -> Expr {
  kind ~ Categorical([0.4, 0.4, 0.2])
  if kind == 0 {
    return X
  } else {
    if kind == 1 {
      c ~ DiscreteUniform(0, 1)
      return Const(c)
    } else {
      left ~ tree()
      right ~ tree()
      return Add(left, right)
    }
  }
}

model main() -> real {
  e ~ tree()
  return value(e, 3)
}
"""


def test_sum_types_and_recursion():
    p = program(EXPRESSIONS)
    assert evaluate(p, "twice", 5.0) == 15.0
    paths = enumerate_exact(p, "main", least=1e-4)
    single = {v: np.exp(paths.log_evidence) * paths.pmf("return", v) for v in (0, 1, 3)}
    # value 0: Const(0), or sums of zeros: p0 = 0.2 + 0.2 p0²
    p0 = (1 - np.sqrt(1 - 0.8 * 0.2)) / 0.4
    assert single[0] == pytest.approx(p0, abs=2 * paths.lost + 1e-9)
    # value 1: Const(1), or 0 + 1 in either order
    assert single[1] == pytest.approx(0.2 / (1 - 0.4 * p0), abs=2 * paths.lost + 1e-9)


def test_closures_capture_the_iteration_that_made_them():
    p = program("""
      fn add(n: real) -> (real) -> real { return fn(x: real) => x + n }
      fn shifted(k: int) -> real {
        let fs = [fn(x: real) => 10 * i + x for i in 3]
        return fs[k](1.0)
      }
      model main() -> real {
        a ~ DiscreteUniform(1, 2)
        let f = add(a)
        return f(f(0))
      }
    """)
    assert [evaluate(p, "shifted", k) for k in range(3)] == [1.0, 11.0, 21.0]
    assert enumerate_exact(p, "main").pmf("return", 4.0) == pytest.approx(0.5)


def test_submodels_in_plates_have_dotted_addresses():
    p = program("""
      model unit(m: real) -> real { z ~ Normal(m, 1); w ~ Bernoulli(0.5); return z + (if w then 1 else 0) }
      model main() {
        plate i in 3 {
          x[i] ~ unit(i)
          observe 0.5 ~ Normal(x[i], 2)
        }
      }
    """)
    run = simulate(p, "main", rng=0)
    assert set(run.trace) == {"x.z", "x.w"} and run.trace["x.z"].shape == (3,)
    z, w = np.array([0.1, 0.2, 0.3]), np.array([True, False, True])
    expected = stats.norm(np.arange(3), 1).logpdf(z).sum() + 3 * np.log(0.5) + stats.norm(z + w, 2).logpdf(0.5).sum()
    assert density(p, "main", trace={"x.z": z, "x.w": w}) == pytest.approx(expected, rel=1e-13)


def test_user_distributions():
    p = program("""
      dist Kumaraswamy(a: pos, b: pos) over prob {
        logpdf(x) { return log(a) + log(b) + (a - 1) * log(x) + (b - 1) * log(1 - x^a) }
        sample { u ~ Uniform(0, 1); return (1 - (1 - u)^(1 / b))^(1 / a) }
      }
      model main() { x ~ Kumaraswamy(2, 3) }
    """)
    posterior = quadrature(p, "main", nodes=40)
    assert posterior.log_evidence == pytest.approx(0, abs=1e-12)
    assert posterior.mean("x") == pytest.approx(3 * special.beta(1.5, 3), abs=1e-12)
    assert 0 < simulate(p, "main").trace["x"] < 1


def test_outputs_in_loops_have_the_axes_of_the_loops():
    p = program("""
      model main() {
        plate i in 2 { plate j in 3 { x[i, j] ~ Delta(10 * i + j); output y = x[i, j] + 1.0 } }
        var s = 0.0
        for t in 1..4 { s = s + t; output total = s }
      }
    """)
    outputs = simulate(p, "main").outputs
    np.testing.assert_array_equal(outputs["y"], [[1, 2, 3], [11, 12, 13]])
    np.testing.assert_array_equal(outputs["total"], [1, 3, 6])


def test_lags_of_two_and_of_values_that_are_let():
    p = program("""
      model main[T]() {
        x[0] ~ Normal(0, 1)
        x[1] ~ Normal(0, 1)
        let m[0] = 0.0
        for t in 1..T - 1 { let m[t] = 0.5 * m[t - 1] + x[t]; x[t + 1] ~ Normal(x[t] - 0.5 * x[t - 1] + m[t], 1) }
        output last = m[T - 2]
      }
    """)
    x = np.array([0.3, -0.4, 1.0, 0.2])
    m1 = x[1]
    m2 = 0.5 * m1 + x[2]
    means = [0, 0, x[1] - 0.5 * x[0] + m1, x[2] - 0.5 * x[1] + m2]
    got = generate(p, "main", {"T": 4}, None, {"x": x})
    assert got.log_weight == pytest.approx(stats.norm(means, 1).logpdf(x).sum(), rel=1e-13)
    assert got.outputs["last"] == pytest.approx(m2)


def test_missing_entries_are_integrated_out():
    p = program("""
      model main[N]() { mu ~ Normal(0, 1); plate i in N { data y[i]: real? ~ Normal(mu, 1) } }
    """)
    full = gaussian(p, "main", None, {"y": [0.5, 1.0]}, sites=["mu"])
    holes = gaussian(p, "main", None, {"y": [0.5, None, 1.0]}, sites=["mu", "y"])
    assert holes.log_evidence == pytest.approx(full.log_evidence, rel=1e-12)
    assert holes.mean("mu") == pytest.approx(full.mean("mu"), rel=1e-12)


def test_builtins_of_higher_order():
    p = program(
        """
      fn collatz(n: int) -> int {
        return fori(0, n, fn(i: int, s: int) => if s % 2 == 0 then s - 1 else s + 3, 7)
      }
      fn decay(k: pos) -> real[2] {
        let y = ode_solve(fn(t: real, y: real[1]) => -k * y, [2.0], 0, [0.5, 1.0])
        return y[:, 0]
      }
    """
        + "model main() { x ~ Normal(0, 1) }"
    )
    assert evaluate(p, "collatz", 2) == 9
    np.testing.assert_allclose(evaluate(p, "decay", 0.7), 2 * np.exp([-0.35, -0.7]), rtol=1e-9)


def test_marginals_sum_the_other_variables_out():
    p = program("""
      model inner() -> real {
        z ~ Bernoulli(0.3)
        x ~ Binomial(2, if z then 0.9 else 0.2)
        return x + 0.0
      }
      model main() {
        m ~ marginal(inner(), keep = (x), by = enumerate)
      }
    """)
    expected = [0.3 * stats.binom(2, 0.9).pmf(k) + 0.7 * stats.binom(2, 0.2).pmf(k) for k in range(3)]
    got = [np.exp(density(p, "main", trace={"m.x": k})) for k in range(3)]
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    np.testing.assert_allclose([enumerate_exact(p, "main").pmf("m.x", k) for k in range(3)], expected, rtol=1e-12)
