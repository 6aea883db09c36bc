"""SMC's by-products and particle MCMC against what they should be."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm

import ppl
from ppl.core.errors import NumericalError
from ppl.core.sequential import SequentialTarget
from ppl.inference.algorithms.smc import smc
from ppl.inference.filtering.genealogy import relative_variance
from ppl.inference.representations import suspend
from ppl.inference.resampling import multinomial
from ppl.inference.trajectories import distinct_ancestors, trace_back
from tests.modular.models import LOG_EVIDENCE, UNKNOWN_A, Y, linear_gaussian

AUTOREGRESSION = """
model autoregression[T]() {
  a ~ Uniform(-1, 1)
  x[0] ~ Normal(0, 1)
  data y[0]: real ~ Normal(x[0], sqrt(0.2))
  for t in 1..T {
    x[t] ~ Normal(a * x[t - 1], sqrt(0.1))
    data y[t]: real ~ Normal(x[t], sqrt(0.2))
  }
}
"""


class WithHistory(SequentialTarget):
    """The linear Gaussian model whose particles copy their histories along: the slow way, for comparison."""

    length: int

    def start(self, key):
        return (jnp.zeros(()), jnp.zeros(5)), jnp.zeros(())

    def advance(self, key, state, step):
        x, _, log_weight = linear_gaussian().advance(key, state[0], step)
        return (x, state[1].at[step].set(x)), x, log_weight


def test_trajectories_are_those_of_a_filter_that_copies_histories():
    with ppl.environment():
        program = smc(50, ess=0.9, records=True)(suspend(WithHistory(length=5)))
        particles, report = jax.jit(lambda key: program.run(key))(jax.random.key(3))
        found = trace_back(report["records"], report["ancestors"], jnp.arange(50))
    assert np.asarray(report["resampled"]).sum() >= 2
    np.testing.assert_array_equal(np.asarray(found).T, particles.values[1])


def test_variance_from_one_genealogy_agrees_with_replicates():
    """Ẑ² V is unbiased for Var(Ẑ) with multinomial resampling at every step (Lee and Whiteley 2018). 4000 replicates,
    both sides with standard errors below 4 %: 25 % is beyond 5 of them, false alarms below 1e-6."""
    with ppl.environment():
        program = smc(100, multinomial, ess=2.0, records=True)(suspend(linear_gaussian()))

        def one(key):
            particles, report = program.run(key)
            ratio = jnp.exp(particles.log_evidence - LOG_EVIDENCE)
            return ratio, ratio**2 * relative_variance(particles.weights, report["ancestors"], report["resampled"])

        ratios, variances = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), 4000))
    assert abs(np.mean(variances) / np.var(ratios) - 1) < 0.25


@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.slow), 20])
def test_posterior_of_pmmh_does_not_depend_on_the_number_of_particles(n):
    """On the compiled program. 64 chains are 64 independent means of ``a``: |t| < 6 with 63 degrees of freedom, false
    alarms below 2e-7, after a warm-up that leaves the chains' starts behind."""
    target = ppl.parse(AUTOREGRESSION).autoregression().given(y=np.asarray(Y))
    result = ppl.infer(target, f"pmmh({n}, chains=64, warmup=300, draws=400)", seed=2)
    for values, truth in (
        (result["a"].mean(axis=1), UNKNOWN_A["mean"]),
        ((result["a"] > 0.5).mean(axis=1), UNKNOWN_A["above_half"]),
    ):
        assert abs(values.mean() - truth) < 6 * values.std(ddof=1) / math.sqrt(len(values))


def test_dead_particles_name_the_observation():
    """A hard limit that no particle can meet: NumericalError, exit code 5, with the observation's name and index."""
    source = """
    model bounded[T]() {
      x[0] ~ Uniform(0, 1)
      data y[0]: real ~ Uniform(x[0] - 1, x[0] + 1)
      for t in 1..T {
        x[t] ~ Normal(x[t - 1], 0.1)
        data y[t]: real ~ Uniform(x[t] - 1, x[t] + 1)
      }
    }
    """
    target = ppl.parse(source).bounded().given(y=[0.0, 0.5, 0.6, 50.0, 0.5])
    with pytest.raises(NumericalError, match=r"`y` at t = 3") as caught:
        ppl.infer(target, "smc(50)", seed=0)
    assert caught.value.exit_code == 5


def test_reference_answer_of_the_linear_gaussian_model():
    """The Kalman filter's evidence, so that the table in ``models`` is not trusted blindly."""
    mean, var, total = 0.0, 1.0, 0.0
    for t, y in enumerate(np.asarray(Y)):
        mean, var = (mean, var) if t == 0 else (0.9 * mean, 0.81 * var + 0.1)
        total += float(norm.logpdf(y, mean, math.sqrt(var + 0.2)))
        gain = var / (var + 0.2)
        mean, var = mean + gain * (y - mean), (1 - gain) * var
    assert total == pytest.approx(LOG_EVIDENCE, abs=1e-5)


def test_ancestor_diversity():
    """Particles of each step with descendants at the end: all of the last step, and never more in an earlier one."""
    with ppl.environment():
        program = smc(200, multinomial, ess=2.0, records=True)(suspend(linear_gaussian()))
        _, report = jax.jit(lambda key: program.run(key))(jax.random.key(5))
        alive = np.asarray(distinct_ancestors(report["ancestors"]))
    assert alive[-1] == 200
    assert (np.diff(alive) >= 0).all() and alive[0] < 100


def test_observations_that_differ_in_number_by_branch():
    """The ground-truth problem branch_obs_counts: a closed form. A standard error of 0.006, |z| < 6."""
    source = """
    model main() -> bool {
      first ~ Bernoulli(0.3)
      if first {
        observe 1.2 ~ Normal(0, 1)
      } else {
        observe 1.2 ~ Normal(1, 1)
        observe 0.4 ~ Normal(1, 1)
      }
      return first
    }
    """
    result = ppl.infer(ppl.parse(source).main(), "smc(4000)", seed=0)
    assert abs(result.log_evidence[0] - -1.9006639306862287) < 0.036
    assert abs(result.summary()["first"]["mean"] - 0.38975092144798906) < 0.05


def test_work_between_observations():
    """What stands between two observations reads what was computed there.

    Exact, of one particle: its weight is the likelihood of what it drew."""
    source = """
    model main() {
      x ~ Normal(0, 1)
      observe 0.3 ~ Normal(x, 1)
      let m = 2 * x + 5
      z ~ Normal(m, 1)
      observe 1.0 ~ Normal(z, 1)
      let late = if z > 4 then 1.0 else 2.0
      observe 2.0 ~ Normal(late, 1)
    }
    """
    with ppl.environment():
        sequential = ppl.compiled(ppl.parse(source).main()).suspend()
        state, weight = sequential.start(jax.random.key(0))
        for t in range(sequential.length):
            state, _, more = sequential.advance(jax.random.key(t + 1), state, t)
            weight = weight + more
        trace = sequential.trace(state, {})  # no loops, so no records of steps are needed
    x, z = float(trace["x"]), float(trace["z"])
    assert abs(z - (2 * x + 5)) < 6
    late = 1.0 if z > 4 else 2.0
    expected = norm.logpdf(0.3, x) + norm.logpdf(1.0, z) + norm.logpdf(2.0, late)
    assert float(weight) == pytest.approx(float(expected), rel=1e-9)
