"""The evidence of a particle filter as an objective: one particle is the ELBO, the estimate is unbiased, parameters
are found."""

import jax
import numpy as np
import pytest
from scipy.stats import multivariate_normal

import ppl
from ppl.api.variational import bound
from ppl.core.errors import MethodError, UsageError
from ppl.inference.methods.parse import parse

WALK = """
model walk[T]() {
  param a: real = 0.7
  param s: pos = 0.8
  x[0] ~ Normal(0, 1)
  for t in 1..T { x[t] ~ Normal(a * x[t - 1], s) }
  for t in 0..T { data y[t]: real ~ Normal(x[t], 0.5) }
}
guide ahead[T](y: real[T]) for walk[T] {
  param g: real = 0.6
  param w: pos = 0.5
  x[0] ~ Normal(g * y[0], w)
  for t in 1..T { x[t] ~ Normal(g * y[t], w) }
}
"""
Y = np.array([0.4, 1.1, 0.7])


def target():
    return ppl.parse(WALK).model("walk").given(y=Y)


def objective_of(method):
    with ppl.environment():
        return bound(target(), parse(method))[1].objective


def log_evidence(a, s):
    """y is Normal with covariance Σ_x + ¼ I."""
    covariance = np.zeros((3, 3))
    covariance[0, 0] = 1.0
    for t in range(1, 3):
        covariance[t, :t] = covariance[:t, t] = a * covariance[t - 1, :t]
        covariance[t, t] = a**2 * covariance[t - 1, t - 1] + s**2
    return multivariate_normal(np.zeros(3), covariance + 0.25 * np.eye(3)).logpdf(Y)


@pytest.mark.slow
def test_one_particle_is_the_elbo():
    """In value and in gradient, by every parameter of model and proposal."""
    n = 20_000
    found = []
    for k, method in enumerate(("vi(ahead, objective=smc(1), particles=1)", "vi(ahead, particles=1)")):
        objective = objective_of(method)
        params = objective.initial(jax.random.key(0))
        keys = jax.random.split(jax.random.key(k), n)
        both = jax.jit(jax.vmap(jax.value_and_grad(objective.surrogate), (None, 0)))(params, keys)
        found.append([(np.mean(a), np.std(a) / np.sqrt(n)) for a in jax.tree.leaves(both)])
    assert len(found[0]) == 5
    for (one, one_se), (two, two_se) in zip(*found, strict=True):
        assert abs(one - two) < 5 * np.hypot(one_se, two_se)  # false-alarm rate 6e-7 each
    assert abs(found[0][0][0] - log_evidence(0.7, 0.8)) > 10 * found[0][0][1]  # and it is not the evidence


def test_the_estimate_is_unbiased_for_the_evidence():
    objective = objective_of("vi(ahead, objective=smc(5, 1.1), particles=1)")
    params = objective.initial(jax.random.key(0))
    n = 5000
    log_z = jax.jit(jax.vmap(objective.surrogate, (None, 0)))(params, jax.random.split(jax.random.key(2), n))
    ratio = np.exp(np.asarray(log_z) - log_evidence(0.7, 0.8))
    assert abs(ratio.mean() - 1) < 5 * ratio.std() / np.sqrt(n)
    assert all(s.claim == "biased" for s in objective.strategies)


@pytest.mark.slow
def test_training_of_model_and_proposal():
    result = ppl.infer(target(), "vi(ahead, objective=smc(5), steps=600, particles=4, draws=20)", seed=1)
    fit = result.posterior.fit
    at = log_evidence(float(fit.params["a"]), float(fit.params["s"]))
    assert at - 0.2 < fit.bound.value < at + 5 * fit.bound.se and at > log_evidence(0.7, 0.8)
    assert result["x"].shape == (1, 20, 3) and set(fit.params) == {"a", "s", "g", "w"}


def test_what_it_is_not_for():
    coin = "model m() {\n  param p: prob = 0.5\n  z ~ Bernoulli(p)\n  data y: real ~ Normal(if z then 1 else 0, 1)\n}"
    with ppl.environment():
        with pytest.raises(MethodError, match="`z` is discrete"):
            bound(ppl.parse(coin).model("m").given(y=1.0), parse("vi(objective=smc(10))"))
        with pytest.raises(UsageError, match="signature: smc"):
            bound(target(), parse("vi(objective=smc)"))
        with pytest.raises(UsageError, match="takes a guide of the file"):
            bound(target(), parse("vi(mean_field, objective=smc(10))"))
