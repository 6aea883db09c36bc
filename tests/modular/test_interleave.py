"""Chains and their observations in separate loops are filtered as if they stood in one."""

import math

import numpy as np
import pytest

import ppl

JOINT = """
model m[T]() {
  x[0] ~ Normal(0, 1)
  data y[0]: real ~ Normal(x[0], sqrt(0.2))
  for t in 1..T {
    x[t] ~ Normal(0.9 * x[t - 1], sqrt(0.1))
    data y[t]: real ~ Normal(x[t], sqrt(0.2))
  }
}
"""
STATES = """
model m[T]() {
  x[0] ~ Normal(0, 1)
  for t in 1..T { x[t] ~ Normal(0.9 * x[t - 1], sqrt(0.1)) }
  OBSERVED
}
"""
SEPARATE = {
    "plate": STATES.replace("OBSERVED", "plate t in T { data y[t]: real ~ Normal(x[t], sqrt(0.2)) }"),
    "array": STATES.replace("OBSERVED", "data y: real[T] ~ Normal(x, sqrt(0.2))"),
    "loop": """
model m[T]() {
  for t in 0..T { x[t] ~ Normal(if t == 0 then 0 else 0.9 * x[t - 1], if t == 0 then 1 else sqrt(0.1)) }
  for t in 0..T { data y[t]: real ~ Normal(x[t], sqrt(0.2)) }
}
""",
    "computed": """
model m[T]() {
  var x = 0.0
  for t in 0..T {
    e[t] ~ Normal(0, 1)
    x = if t == 0 then e[t] else 0.9 * x + sqrt(0.1) * e[t]
    let level[t] = x
  }
  plate t in T { data y[t]: real ~ Normal(level[t], sqrt(0.2)) }
}
""",
    "noise in a plate": """
model m[T]() {
  plate t in T { e[t] ~ Normal(0, 1) }
  var x = 0.0
  for t in 0..T {
    x = if t == 0 then e[t] else 0.9 * x + sqrt(0.1) * e[t]
    data y[t]: real ~ Normal(x, sqrt(0.2))
  }
}
""",
    "noise in a plate, the first apart": """
model m[T]() {
  e: real[T] ~ Normal(0, 1)
  let x[0] = e[0]
  for t in 1..T { let x[t] = 0.9 * x[t - 1] + sqrt(0.1) * e[t] }
  plate t in T { data y[t]: real ~ Normal(x[t], sqrt(0.2)) }
}
""",
    "noise in a loop, data an array": """
model m[T]() {
  for t in 0..T { e[t] ~ Normal(0, 1) }
  var x = 0.0
  for t in 0..T {
    x = if t == 0 then e[t] else 0.9 * x + sqrt(0.1) * e[t]
    let level[t] = x
  }
  data y: real[T] ~ Normal(level, sqrt(0.2))
}
""",
}
T = 40
Y = np.cumsum(np.sin(np.arange(T))) / 2


def kalman():
    mean, var, total = 0.0, 1.0, 0.0
    for t, y in enumerate(Y):
        mean, var = (mean, var) if t == 0 else (0.9 * mean, 0.81 * var + 0.1)
        total -= 0.5 * (math.log(2 * math.pi * (var + 0.2)) + (y - mean) ** 2 / (var + 0.2))
        gain = var / (var + 0.2)
        mean, var = mean + gain * (y - mean), (1 - gain) * var
    return total


@pytest.mark.parametrize("name", SEPARATE)
def test_cut_at_every_observation(name):
    with ppl.environment():
        sequential = ppl.compiled(ppl.parse(SEPARATE[name]).m().given(y=Y), interleave=True).suspend()
    assert sequential.length == T
    assert sequential.parameters == ()


@pytest.mark.parametrize("name", ["plate", "computed", "noise in a plate, the first apart"])
def test_evidence(name):
    """A standard error of 0.06; all states drawn before the first observation would give one of 5 and more."""
    result = ppl.infer(ppl.parse(SEPARATE[name]).m().given(y=Y), "smc(2000)", seed=0)
    assert abs(result.log_evidence[0] - kalman()) < 0.4


@pytest.mark.parametrize("name", ["plate", "array", "loop"])
def test_the_density_is_that_of_one_loop(name):
    x = np.random.default_rng(0).normal(size=(T,))
    with ppl.environment():
        joint = ppl.compiled(ppl.parse(JOINT).m().given(y=Y)).log_density({"x": x})
        separate = ppl.compiled(ppl.parse(SEPARATE[name]).m().given(y=Y), interleave=True).log_density({"x": x})
    assert float(separate) == pytest.approx(float(joint), rel=1e-12)


@pytest.mark.parametrize("name", [n for n in SEPARATE if n.startswith("noise")])
def test_the_density_is_that_of_the_loops_apart(name):
    e = np.random.default_rng(1).normal(size=(T,))
    with ppl.environment():
        model = ppl.parse(SEPARATE[name]).m().given(y=Y)
        found = [ppl.compiled(model, interleave=together).log_density({"e": e}) for together in (False, True)]
    assert float(found[1]) == pytest.approx(float(found[0]), rel=1e-12)
