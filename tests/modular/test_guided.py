"""Proposals and potentials change the path and not the measure."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm

import ppl
from ppl.core.errors import CompositionError, MethodError, UsageError
from ppl.core.random import categorical
from ppl.inference.algorithms.guided import guided
from ppl.inference.algorithms.smc import smc
from ppl.inference.representations import suspend
from ppl.inference.transformations import advance, hoist, spawn, twist
from ppl.inference.validation.enumeration import expectation
from tests.modular.models import LOG_EVIDENCE, SMOOTHED_MEANS, Y, hmm, linear_gaussian
from tests.modular.test_enumerated_claims import exact, weighted_states

SOURCE = """
model walk[T]() {
  x[0] ~ Normal(0, 1)
  data y[0]: real ~ Normal(x[0], sqrt(0.2))
  for t in 1..T {
    x[t] ~ Normal(0.9 * x[t - 1], sqrt(0.1))
    data y[t]: real ~ Normal(x[t], sqrt(0.2))
  }
}

## p(x[t] | x[t - 1], y[t]).
guide optimal[T](y: real[T]) for walk[T] {
  x[0] ~ Normal(y[0] / 1.2, sqrt(0.2 / 1.2))
  for t in 1..T {
    let before = 0.9 * x[t - 1]
    x[t] ~ Normal(before + (y[t] - before) / 3, sqrt(0.2 / 3))
  }
}

guide wide[T]() for walk[T] {
  for t in 0..T { x[t] ~ Normal(0, 1) }
}

guide learnt[T]() for walk[T] {
  param m: real = 0
  x[0] ~ Normal(m, 1)
  for t in 1..T { x[t] ~ Normal(x[t - 1], 1) }
}
"""


def optimal(key, state, step):
    """p(xₜ | xₜ₋₁, yₜ): for it the weight does not depend on the draw."""
    mean, var = jnp.where(step == 0, 0.0, 0.9 * state), jnp.where(step == 0, 1.0, 0.1)
    gain = var / (var + 0.2)
    centre, sd = mean + gain * (Y[step] - mean), jnp.sqrt((1 - gain) * var)
    x = centre + sd * jax.random.normal(key)
    return x, norm.logpdf(x, centre, sd)


def ahead(state, step):
    """log p(yₜ₊₁ | xₜ), which the auxiliary filter looks at."""
    mean, var = jnp.where(step == 0, 0.0, 0.9 * state), jnp.where(step == 0, 1.2, 0.3)
    return norm.logpdf(Y[jnp.minimum(step, 4)], mean, jnp.sqrt(var))


def walk(proposal=None):
    return ppl.compiled(ppl.parse(SOURCE).walk().given(y=np.asarray(Y)), proposal=proposal)


@pytest.fixture(scope="module")
def ratios():
    """Ẑ/Z, 2000 replicates with 5 particles."""

    def estimates(program):
        keys = jax.random.split(jax.random.key(0), 2000)
        return np.asarray(jax.jit(jax.vmap(lambda k: program.run(k)[0].log_evidence))(keys))

    with ppl.environment():
        plain, by_hand = suspend(linear_gaussian()), suspend(guided(linear_gaussian(), optimal))
        programs = {
            "bootstrap": smc(5)(plain),
            "twisted": (smc(5) @ twist(ahead))(plain),
            "fully adapted": (smc(5) @ twist(ahead))(by_hand),
            "compiled": smc(5)(suspend(walk("optimal").suspend())),
        }
        return {name: np.exp(estimates(p) - LOG_EVIDENCE) for name, p in programs.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bootstrap", "twisted", "fully adapted", "compiled"])
def test_evidence_is_unbiased(ratios, name):
    """|z| < 5: false alarms below 6e-7."""
    r = ratios[name]
    assert abs(r.mean() - 1) < 5 * r.std() / math.sqrt(len(r))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fully adapted", "compiled"])
def test_the_optimal_proposal_lowers_the_variance(ratios, name):
    """To about a half here; the ratio of two such variances has a standard error below 0.1."""
    assert ratios[name].var() < 0.75 * ratios["bootstrap"].var()


def propose_hmm(key, state, step):
    q = jnp.array([[0.35, 0.65], [0.8, 0.2]])[state]
    z = categorical(key, jnp.log(q))
    return z, jnp.log(q[z])


@pytest.mark.parametrize("ess", [0.0, 0.9])
def test_guided_and_twisted_smc_are_properly_weighted(ess):
    """E Ẑ f = ∫ γ f by enumeration of all that two particles can do on two observations."""
    with jax.enable_x64(True):
        look = jnp.log(jnp.array([[0.3, 1.7], [2.0, 0.4]]))
        program = (smc(2, ess=ess) @ twist(lambda z, t: look[t, z]))(suspend(guided(hmm(2), propose_hmm)))
        got = expectation(lambda source: program.run(source)[0], weighted_states)
        np.testing.assert_allclose(got, exact(hmm(2)), rtol=1e-12)


def test_a_proposal_without_its_density_is_refuted():
    """The negative: p alone in the weight."""
    with jax.enable_x64(True):
        program = smc(2)(suspend(guided(hmm(2), lambda k, s, t: (propose_hmm(k, s, t)[0], jnp.zeros(())))))
        got = expectation(lambda source: program.run(source)[0], weighted_states)
        assert abs(got[0] / exact(hmm(2))[0] - 1) > 0.1


def test_compiled_weights_are_p_over_q():
    """Exactly, draw by draw: log w = log p(x, y) − log q(x); and replaying what was drawn gives the same weights."""
    with ppl.environment():
        target = walk("optimal")
        sequential = target.suspend()

        def run(key):
            state, log_weight = sequential.start(key)
            first = state

            def step(state, inputs):
                t, k = inputs
                new, record, increment = sequential.advance(k, state, t)
                again = sequential.replay(state, record, t)[1]
                return new, (record, increment, again)

            steps = jnp.arange(sequential.length), jax.random.split(key, sequential.length)
            state, (records, increments, again) = jax.lax.scan(step, first, steps)
            trace = sequential.trace(state, records)
            log_q = target.proposal.log_density(trace)
            return log_weight + increments.sum(), target.log_density(trace) - log_q, log_weight + again.sum()

        total, expected, again = jax.jit(jax.vmap(run))(jax.random.split(jax.random.key(1), 20))
    np.testing.assert_allclose(total, expected, rtol=1e-10)
    np.testing.assert_allclose(again, expected, rtol=1e-10)


def test_a_guide_by_name():
    """From a method expression: the posterior mean by the Kalman smoother. Standard error below 0.01; six of them."""
    result = ppl.infer(ppl.parse(SOURCE).walk().given(y=np.asarray(Y)), "smc(4000, proposal=optimal)", seed=0)
    np.testing.assert_allclose(result.summary()["x"]["mean"], SMOOTHED_MEANS, atol=0.06)


def test_refusals():
    with ppl.environment():
        with pytest.raises(UsageError, match="no guide `none_such`") as unknown:
            walk("none_such")
        assert "optimal, wide, learnt" in str(unknown.value)
        with pytest.raises(MethodError, match="learnable parameter `m`"):
            walk("learnt")
        with pytest.raises(
            MethodError, match="`x` step by step: unlike the model it draws its elements in other loops"
        ):
            walk("wide")
    with pytest.raises(CompositionError, match="needs Sequential"):
        twist(ahead)(hoist(spawn(3))(suspend(linear_gaussian())))
    with pytest.raises(CompositionError, match="before any particle is drawn"):
        (twist(ahead) @ advance)(suspend(linear_gaussian()))
