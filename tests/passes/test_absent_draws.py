"""Branches that draw different variables, run by every kind of method, against exact answers."""

import math

import numpy as np
import pytest

import ppl
from ppl.compiler.diagnostics.diagnostic import ModelError
from ppl.compiler.pipeline import check_text

TWO = """
model two() {
  c ~ Bernoulli(0.5)
  if c {
    a ~ Normal(0, 1)
    data y ~ Normal(a, 1)
  } else {
    k ~ Categorical([0.2, 0.3, 0.5])
    plate j in 2 { z[j] ~ Exponential(1) }
    data y ~ Normal(k, 2)
    observe z[0] + z[1] ~ Exponential(1)
  }
}
"""


def normal(x, mean, sd):
    return math.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))


# z[0] + z[1] is Gamma(2, 1): E exp(−(z₀ + z₁)) = 1/4
FIRST = 0.5 * normal(2, 0, math.sqrt(2))
SECOND = 0.5 * 0.25 * sum(p * normal(2, k, 2) for k, p in enumerate([0.2, 0.3, 0.5]))
LOG_EVIDENCE, P_FIRST = math.log(FIRST + SECOND), FIRST / (FIRST + SECOND)


@pytest.mark.parametrize("method", ["importance(20000)", "smc(20000)"])
def test_weighted_methods(method):
    """|z| < 6 for the evidence (relative standard error 0.006), the branch and the mean of ``a`` (1, error 0.01)."""
    result = ppl.infer(ppl.parse(TWO).two().given(y=2.0), method, seed=0)
    assert abs(result.log_evidence[0] - LOG_EVIDENCE) < 0.036
    table = result.summary()
    assert abs(table["c"]["mean"] - P_FIRST) < 0.03
    assert abs(table["a"]["mean"] - 1) < 0.06 and abs(table["a"]["sd"] - math.sqrt(0.5)) < 0.06
    taken = result["c"][0].astype(bool)
    np.testing.assert_array_equal(np.isnan(result["a"][0]), ~taken)
    np.testing.assert_array_equal(np.isnan(result["z"][0]), np.stack([taken, taken], -1))
    assert any("`a` is drawn on some paths only" in note for note in result.notes)


SCALARS = TWO.replace("plate j in 2 { z[j] ~ Exponential(1) }", "u ~ Exponential(1)\n    v ~ Exponential(1)").replace(
    "z[0] + z[1]", "u + v"
)


@pytest.mark.parametrize(
    "method", ["mh(draws=2000)", pytest.param("nuts(warmup=300, draws=1000)", marks=pytest.mark.slow)]
)
def test_markov_chains(method):
    """NUTS sums ``c`` and ``k`` out. 4000 effective draws and more of ``c``: a standard error of 0.008, |z| < 6."""
    result = ppl.infer(ppl.parse(SCALARS).two().given(y=2.0), method, seed=0)
    assert abs(result.summary()["c"]["mean"] - P_FIRST) < 0.05
    assert abs(result.summary()["a"]["mean"] - 1) < 0.15


def test_density_without_the_noise_is_that_of_the_path():
    """log γ(trace) less the noise's log density, at the two paths."""
    with ppl.environment():
        target = ppl.compiled(ppl.parse(TWO).two().given(y=2.0))
        trace = {"c": True, "a": 0.3, "k": 1, "z": np.array([0.4, 0.6])}
        first = float(target.log_density(trace)) - (-math.log(3) - 1.0)
        assert first == pytest.approx(math.log(0.5 * normal(0.3, 0, 1) * normal(2, 0.3, 1)), rel=1e-12)
        second = float(target.log_density({**trace, "c": False})) - math.log(normal(0.3, 0, 1))
        assert second == pytest.approx(math.log(0.5 * 0.3 * math.exp(-1) * normal(2, 1, 2) * math.exp(-1)), rel=1e-12)


DISCRETE = """
model part(p: prob) -> int {
  n ~ Binomial(2, p)
  return n
}

model nested() -> int {
  var total = 0
  a ~ Bernoulli(0.3)
  if a {
    b ~ Categorical([0.5, 0.25, 0.25])
    if b == 2 {
      x ~ part(0.4)
      total = x
    }
  } else {
    for t in 0..2 {
      up[t] ~ Bernoulli(if t == 0 then 0.5 else if up[t - 1] then 0.9 else 0.2)
      if up[t] { total = total + 1 }
    }
  }
  data y: int ~ Poisson(total + 1)
  return total
}
"""


def test_exact_enumeration_of_nested_branches_submodels_and_loops():
    def poisson(n, rate):
        return math.exp(-rate) * rate**n / math.factorial(n)

    law = {0: 0.3 * (0.75 + 0.25 * 0.36) + 0.7 * 0.5 * 0.8, 1: 0.3 * 0.25 * 0.48 + 0.7 * (0.5 * 0.1 + 0.5 * 0.2)}
    law[2] = 0.3 * 0.25 * 0.16 + 0.7 * 0.5 * 0.9
    assert sum(law.values()) == pytest.approx(1)
    evidence = sum(p * poisson(2, t + 1) for t, p in law.items())
    result = ppl.infer(ppl.parse(DISCRETE).nested().given(y=2), "enumerate")
    assert result.log_evidence[0] == pytest.approx(math.log(evidence), rel=1e-10)
    mean = sum(t * p * poisson(2, t + 1) for t, p in law.items()) / evidence
    assert result.summary()["return"]["mean"] == pytest.approx(mean, rel=1e-10)


def test_prior_draws_mark_what_is_absent():
    result = ppl.prior(ppl.parse(TWO).two(), 200, seed=0)
    np.testing.assert_array_equal(np.isnan(result["a"]), ~result["c"].astype(bool))


def test_what_has_no_standard_noise_is_refused():
    source = "model m() {\n  c ~ Bernoulli(0.5)\n  if c { S ~ LKJ(3, 2) } else { a ~ Normal(0, 1) }\n}\n"
    with pytest.raises(ModelError, match="E602"):
        ppl.infer(ppl.parse(source).m(), "importance(10)")


def test_elements_that_branches_draw_in_different_forms_are_refused():
    from ppl.api.refusals import refusals

    text = "model m() {\n  c ~ Bernoulli(0.5)\n  if c {\n    z[0] ~ Normal(0, 1)\n    z[1] ~ Normal(0, 2)\n  } else {\n"
    text += "    plate j in 2 { z[j] ~ Normal(1, 1) }\n  }\n  data y ~ Normal(0, 1)\n}\n"
    found = refusals(check_text(text).program, "m")
    assert {d.code for d in found} == {"E602"} and len(found) == 3
