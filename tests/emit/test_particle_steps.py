"""``smc(n)`` inside of a model: its evidence is unbiased, its posterior tends to the exact one.

Statistical comparisons are at five standard errors (false-alarm rate 6e-7 each), with fixed seeds."""

import jax
import numpy as np
import pytest
from scipy.stats import norm

import ppl

CHAIN = """
model chain[T](start: real) {
  x[0] ~ Bernoulli(start)
  data y[0]: real ~ Normal(if x[0] then 1 else -1, 1)
  for t in 1..T {
    x[t] ~ Bernoulli(if x[t - 1] then 0.8 else 0.3)
    data y[t]: real ~ Normal(if x[t] then 1 else -1, 1)
  }
}
model evidence[T](e: real[T]) {
  p ~ Uniform(0, 1)
  c ~ marginal(chain(p), keep = y, by = METHOD) given {y = e}
}
model posterior[T](e: real[T]) {
  p ~ Uniform(0, 1)
  let d = infer {
    var old = false
    for t in 0..T {
      z[t] ~ Bernoulli(if t == 0 then p else if old then 0.8 else 0.3)
      old = z[t]
      observe e[t] ~ Normal(if z[t] then 1 else -1, 1)
    }
    u ~ Bernoulli(if old then 0.9 else 0.5)
    factor if u then 0.3 else 0.0
    return z[1] and u
  } by METHOD
  data y ~ d
}
"""
E = np.array([1.2, -0.4, 0.3, 2.0])
P = 0.3


def density(name, method, data, seeds=None):
    """exp of the log density at p = 0.3, for each seed."""
    with ppl.environment():
        target = ppl.compiled(getattr(ppl.parse(CHAIN.replace("METHOD", method)), name)(e=E).given(data))
        if seeds is None:
            return float(np.exp(target.log_density({"p": P})))
        (name,) = [v.name for v in target.latents if v.name.endswith(" seed")]
        log_p = jax.jit(jax.vmap(lambda s: target.log_density({"p": P, name: s})))(seeds)
    return np.exp(np.asarray(log_p) + np.log(2**30 + 1))


def forward():
    """The evidence by the forward algorithm."""
    moves, at = np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([1 - P, P])
    for t, e in enumerate(E):
        at = (at if t == 0 else at @ moves) * norm([-1, 1], 1).pdf(e)
    return at.sum()


def test_the_evidence_is_unbiased():
    exact = forward()
    found = density("evidence", "smc(4)", {}, np.arange(10_000))
    assert abs(found.mean() - exact) < 5 * found.std() / np.sqrt(len(found))


@pytest.mark.slow
def test_the_posterior_tends_to_the_exact_one():
    exact = density("posterior", "enumerate", {"y": True})
    few, many = (density("posterior", f"smc({n})", {"y": True}, np.arange(300)) for n in (20, 500))
    assert abs(many.mean() - exact) < 5 * many.std() / np.sqrt(len(many)) + 1 / 500
    assert np.abs(many - exact).mean() < 0.4 * np.abs(few - exact).mean()  # √(20/500) = 0.2


def test_resampling_keeps_the_evidence_of_a_long_chain_in_hand():
    """Forty steps, fifty particles: without resampling the estimates vary much more."""
    data = np.tile(E, 10)
    spread = {}
    for method in ("smc(50)", "importance(50)"):
        with ppl.environment():
            target = ppl.compiled(ppl.parse(CHAIN.replace("METHOD", method)).evidence(e=data))
            (name,) = [v.name for v in target.latents if v.name.endswith(" seed")]
            log_p = jax.jit(jax.vmap(lambda s, t=target, n=name: t.log_density({"p": P, n: s})))(np.arange(300))
        spread[method] = np.asarray(log_p).std()
    assert spread["smc(50)"] < 0.6 * spread["importance(50)"]
