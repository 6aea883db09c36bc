"""Alive and nested SMC, backward simulation, and the filter alone: by name and from parts, against exact answers."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ppl
from ppl.core.errors import CompositionError, MethodError, NumericalError, UsageError
from ppl.inference.algorithms import alive
from ppl.inference.algorithms.smc import smc
from ppl.inference.filtering.program import Filter
from ppl.inference.representations import suspend
from ppl.inference.transformations import collapse, nested, spawn
from ppl.inference.validation.enumeration import expectation
from tests.modular.models import SMOOTHED_MEANS, SMOOTHED_VARS, Y, hmm
from tests.modular.test_enumerated_claims import exact, weighted_states

WALK = """
model walk[T]() {
  x[0] ~ Normal(0, 1)
  data y[0]: real ~ Normal(x[0], sqrt(0.2))
  for t in 1..T {
    x[t] ~ Normal(0.9 * x[t - 1], sqrt(0.1))
    data y[t]: real ~ Normal(x[t], sqrt(0.2))
  }
}
"""
BAND = """
model band() {
  x[0] ~ Normal(0, 1)
  for t in 1..5 {
    x[t] ~ Normal(0.9 * x[t - 1], 1)
    require abs(x[t]) < 0.5
  }
}
"""


def walk(y=Y):
    return ppl.parse(WALK).walk().given(y=np.asarray(y))


def joint_covariance():
    """Of the whole path given the data: the inverse of the tridiagonal precision."""
    precision = np.diag([1 + 0.81 / 0.1] + [1 / 0.1 + 0.81 / 0.1] * 3 + [1 / 0.1]) + np.eye(5) / 0.2
    for t in range(4):
        precision[t, t + 1] = precision[t + 1, t] = -0.9 / 0.1
    return np.linalg.inv(precision)


def test_backward_simulation_has_the_joint_law_of_the_smoother():
    """Means within 6 standard errors of 0.01 each, variances and lag-one covariances within 0.02 (again 6 and more)."""
    result = ppl.infer(walk(), "smc(1000, smooth=ffbs)", seed=0)
    x = result["x"][0]
    np.testing.assert_allclose(x.mean(0), SMOOTHED_MEANS, atol=0.06)
    found, truth = np.cov(x.T), joint_covariance()
    np.testing.assert_allclose(np.diag(truth), SMOOTHED_VARS, rtol=1e-6)
    np.testing.assert_allclose(found, truth, atol=0.03)
    assert result.posterior.log_weights is None
    assert len(set(x[:, 0].tolist())) > 300  # ancestors alone leave far fewer


def test_the_filter_is_not_the_smoother():
    """The negative: the filtered mean of x[0] is farther from the smoothed one than the tolerance above."""
    filtered = 0.5 / 1.2
    assert abs(filtered - SMOOTHED_MEANS[0]) > 0.06


@pytest.mark.slow
def test_backward_simulation_of_discrete_states():
    source = """
    model chain[T]() {
      z[0] ~ Categorical([0.6, 0.4])
      data y[0]: int ~ Categorical(if z[0] == 0 then [0.9, 0.1] else [0.3, 0.7])
      for t in 1..T {
        z[t] ~ Categorical(if z[t - 1] == 0 then [0.7, 0.3] else [0.2, 0.8])
        data y[t]: int ~ Categorical(if z[t] == 0 then [0.9, 0.1] else [0.3, 0.7])
      }
    }
    """
    result = ppl.infer(ppl.parse(source).chain().given(y=[0, 1, 1, 0]), "smc(1000, smooth=ffbs)", seed=1)
    paths = hmm(4).paths()
    total = sum(paths.values())
    marginals = [sum(p for z, p in paths.items() if z[t] == 1) / total for t in range(4)]
    np.testing.assert_allclose(result["z"][0].mean(0), marginals, atol=0.1)  # 6 standard errors of 0.016


TIED = {
    "second lag": """
model m[T]() {
  for t in 0..T {
    x[t] ~ Normal(if t >= 2 then x[t - 1] - x[t - 2] else 0, 1)
    data y[t]: real ~ Normal(x[t], 1)
  }
}""",
    "parameter": """
model m[T]() {
  s ~ HalfNormal(1)
  for t in 0..T {
    x[t] ~ Normal(if t >= 1 then x[t - 1] else 0, s)
    data y[t]: real ~ Normal(x[t], 1)
  }
}""",
    "sum": """
model m[T]() {
  var x = 0.0
  for t in 0..T {
    e[t] ~ Normal(0, 1)
    x = x + e[t]
    data y[t]: real ~ Normal(x, 1)
  }
}""",
}


@pytest.mark.parametrize("name", TIED)
def test_paths_that_are_tied_together_are_refused(name):
    with pytest.raises(MethodError, match="more than the draws of the step before"):
        ppl.infer(ppl.parse(TIED[name]).m().given(y=np.zeros(5)), "smc(10, smooth=ffbs)")


def test_nested_smc_is_properly_weighted():
    """By enumeration: two particles that try two continuations each."""
    with jax.enable_x64(True):
        program = (smc(2, ess=1.1) @ nested(collapse @ spawn(2)))(suspend(hmm(1)))
        assert program.claim.name == "PROPERLY_WEIGHTED"
        got = expectation(lambda source: program.run(source)[0], weighted_states)
        np.testing.assert_allclose(got, exact(hmm(1)), rtol=1e-12)
        one = (smc(1) @ nested(collapse @ spawn(2)))(suspend(hmm(2)))
        got = expectation(lambda source: one.run(source)[0], weighted_states)
        np.testing.assert_allclose(got, exact(hmm(2)), rtol=1e-12)


def test_what_is_nested_must_give_one_weighted_value():
    with pytest.raises(CompositionError, match="gives Population") as error:
        nested(spawn(3))
    assert "nested(collapse @ spawn)" in str(error.value)


def survival():
    """P(all |x[t]| < 0.5), t = 1 … 4, by the trapezoid rule."""
    grid = np.linspace(-0.5, 0.5, 1001)
    weights = np.full(1001, grid[1] - grid[0])
    weights[[0, -1]] /= 2

    def normal(x, mean, sd):
        return np.exp(-0.5 * ((x - mean) / sd) ** 2) / sd / math.sqrt(2 * math.pi)

    p = normal(grid, 0, math.sqrt(1.81))
    for _ in range(3):
        p = normal(grid[:, None], 0.9 * grid[None, :], 1) @ (p * weights)
    return float((p * weights).sum())


@pytest.fixture(scope="module")
def alive_runs():
    """3000 runs with five particles: evidence and trials."""
    with ppl.environment():
        target = ppl.compiled(ppl.parse(BAND).band()).suspend()

        def one(key):
            result = alive.alive_smc(key, target, 5)
            return result.particles.log_evidence, result.trials

        return jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), 3000))


def test_alive_evidence_is_unbiased(alive_runs):
    """|z| < 5: false alarms below 6e-7."""
    ratios = np.exp(np.asarray(alive_runs[0])) / survival()
    assert abs(ratios.mean() - 1) < 5 * ratios.std() / math.sqrt(len(ratios))


def test_dividing_by_all_trials_is_refuted(alive_runs):
    """The negative: n + 1 of τ alive, estimated by n / τ."""
    trials = np.asarray(alive_runs[1])
    ratios = np.prod(5 / trials, axis=1) / survival()
    assert abs(ratios.mean() - 1) > 5 * ratios.std() / math.sqrt(len(ratios))


def test_alive_by_name():
    result = ppl.infer(ppl.parse(BAND).band(), "alive(500)", seed=0)
    assert abs(result.log_evidence[0] - math.log(survival())) < 0.5  # a standard error of 0.08
    assert (np.abs(result["x"][0, :, 1:]) < 0.5).all()
    with pytest.raises(NumericalError, match=r"step 0 \(an observed value or constraint at t = 1\): fewer than 501 of"):
        ppl.infer(ppl.parse(BAND).band(), "alive(500, max_trials=600)", seed=0)


def temporary_bytes(paths, length):
    with ppl.environment():
        program = Filter(ppl.compiled(walk(np.zeros(length))), 500, "systematic", 0.5, paths)
        state = {"key": jnp.zeros(2, jnp.uint32)}
        compiled = jax.jit(program.advance).lower(state, 0, 1).compile().memory_analysis()
    return compiled.temp_size_in_bytes + compiled.output_size_in_bytes


@pytest.mark.slow
def test_memory_of_the_filter_alone_does_not_grow_with_time():
    """But for a few numbers a step: 100 bytes, where trajectories take 4000 and more."""
    short, long = (temporary_bytes(False, length) for length in (100, 1100))
    assert long - short < 100 * 1000
    assert temporary_bytes(True, 1100) > 4000 * 1000


def test_the_filter_alone_keeps_the_evidence_and_what_is_drawn_once():
    plain, alone = (ppl.infer(walk(), m, seed=3) for m in ("smc(300)", "smc(300, paths=false)"))
    assert plain.log_evidence[0] == alone.log_evidence[0]
    assert "x" not in alone.draws
    with pytest.raises(UsageError, match="needs paths=true"):
        ppl.smc(10, paths=False, smooth="ffbs")
