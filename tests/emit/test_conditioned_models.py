"""Draws from conditioned models, and from models with variables integrated out.

``school(mu) given {y = e}`` has the evidence Normal(e; mu, 1 1ᵀ + 4 I). Statistical comparisons are at five standard
errors (false-alarm rate 6e-7 each), with fixed seeds."""

import jax
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import ppl
from ppl.compiler.diagnostics.diagnostic import ModelError
from ppl.reference import density

TEXT = """
model school[N](mu: real) -> real {
  theta ~ Normal(mu, 1)
  plate i in N { data y[i]: real ~ Normal(theta, 2) }
  return theta
}
model measured[N](mu: real) {
  theta ~ Normal(mu, 1)
  plate i in N { data y[i]: real ~ Normal(theta, 2) }
}
model coin(p: real) -> bool { z ~ Bernoulli(p); w ~ Bernoulli(if z then 0.9 else 0.2); return w }

model direct[N](e: real[N]) {
  mu ~ Normal(0, 3)
  s ~ (school(mu) given {y = e})
  output twice = s + s.theta
}
model hidden[N](e: real[N]) {
  mu ~ Normal(0, 3)
  let conditioned = school(mu) given {y = e}
  s ~ marginal(conditioned, keep = y)
}
model estimated[N](e: real[N]) {
  mu ~ Normal(0, 3)
  s ~ marginal(measured(mu), keep = y, by = importance(3)) given {y = e}
}
model each[K, N](e: real[K, N]) {
  mu ~ Normal(0, 3)
  plate k in K { s[k] ~ marginal(measured(mu), keep = y, by = importance(3)) given {y = e[k]} }
}
model summed(e: bool) {
  p ~ Uniform(0, 1)
  s ~ marginal(coin(p), keep = w, by = enumerate) given {w = e}
  output same = s
}
model kept() {
  p ~ Uniform(0, 1)
  c ~ marginal(coin(p), keep = w)
  data y ~ Normal(if c.w then 1 else 0, 1)
}
"""
E = np.array([1.0, 2.0, 4.0])
COVARIANCE = np.ones((3, 3)) + 4 * np.eye(3)
MU, P = 0.7, 0.3


@pytest.fixture(scope="module")
def module():
    return ppl.parse(TEXT)


def test_what_is_given_is_observed(module):
    trace = {"mu": MU, "s.theta": 1.1}
    with ppl.environment():
        found = ppl.compiled(module.direct(e=E)).log_density(trace)
        hidden = ppl.compiled(module.hidden(e=E)).log_density({"mu": MU, "s.theta integrated": 1.1})
    assert float(found) == pytest.approx(density(module.program, "direct", {"e": E}, {}, trace), rel=1e-12)
    assert float(hidden) == pytest.approx(float(found), rel=1e-12)


def test_what_is_integrated_out_is_in_no_result(module):
    result = ppl.infer(module.hidden(e=E), "importance(100)")
    assert set(result.summary().keys()) == {"mu"}
    result = ppl.infer(module.direct(e=E), "importance(100)")
    np.testing.assert_allclose(result["twice"], 2 * result["s.theta"])


@pytest.mark.parametrize("name", ["estimated", "each"])
def test_the_estimated_evidence_is_unbiased(module, name):
    """E over the seeds of the density at mu is the density with theta integrated out: for any number of particles."""
    data = E if name == "estimated" else np.stack([E, -E])
    with ppl.environment():
        target = ppl.compiled(getattr(module, name)(e=data))
        seed = next(v for v in target.latents if v.name == "s seed")
        seeds = np.random.default_rng(0).integers(0, 2**30, (30_000, *seed.shape))
        log_p = jax.jit(jax.vmap(lambda s: target.log_density({"mu": MU, "s seed": s})))(seeds)
    estimates = np.exp(np.asarray(log_p) + np.log(2**30 + 1) * seeds[0].size)
    each = [multivariate_normal(np.full(3, MU), COVARIANCE).pdf(e) for e in np.atleast_2d(data)]
    exact = norm(0, 3).pdf(MU) * np.prod(each)
    assert abs(estimates.mean() - exact) < 5 * estimates.std() / np.sqrt(len(seeds))


def test_inference_with_an_unbiased_evidence_is_inference_with_the_evidence(module):
    """Pseudo-marginal: three particles give the posterior of mu itself, by importance and by Metropolis."""
    whole = 9 * np.ones((3, 3)) + COVARIANCE
    mean = 9 * np.ones(3) @ np.linalg.solve(whole, E)
    by_importance = ppl.infer(module.estimated(e=E), "importance(20000)", seed=1)
    w, mu = by_importance.posterior.weights(), np.asarray(by_importance["mu"])
    assert abs((w * mu).sum() - mean) < 5 * np.sqrt((w**2 * (mu - mean) ** 2).sum())
    log_z, se = by_importance.log_evidence
    assert abs(log_z - multivariate_normal(np.zeros(3), whole).logpdf(E)) < 5 * se
    chains = ppl.infer(module.estimated(e=E), "mh(chains=2, draws=1000, warmup=500)", seed=1).summary()["mu"]
    assert abs(chains["mean"] - mean) < 5 * chains["mcse_mean"]


def test_evidence_by_enumeration_and_a_kept_variable(module):
    with ppl.environment():
        target = ppl.compiled(module.summed(e=True))
        assert [v.name for v in target.latents] == ["p"]
        assert float(target.log_density({"p": P})) == pytest.approx(np.log(0.9 * P + 0.2 * (1 - P)), rel=1e-12)
    result = ppl.infer(module.kept().given(y=1.0), "importance(20000)", seed=1)
    assert set(result.summary().keys()) == {"p", "c.w"}
    one, zero = 0.55 * norm(1).pdf(1.0), 0.45 * norm(0).pdf(1.0)
    w, c = result.posterior.weights(), np.asarray(result["c.w"], float)
    assert abs((w * c).sum() - one / (one + zero)) < 5 * np.sqrt((w**2 * (c - one / (one + zero)) ** 2).sum())


REFUSED = {
    "another use": ("factor logprob(marginal(coin(0.3), keep = w), true)", "draw from it"),
    "another method": ("s ~ marginal(coin(0.3), keep = w, by = nuts(10))", "by = importance"),
    "what a submodel draws": ("s ~ marginal(outer(), keep = c)", "condition the submodel there"),
    "a value of what is gone": (
        "s ~ marginal(other(), keep = w, by = importance(9)) given {w = true}",
        "keep the variables",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_executable_says_what_is(case):
    body, edit = REFUSED[case]
    text = TEXT + f"""
model outer() {{ c ~ coin(0.5) }}
model other() -> bool {{ z ~ Bernoulli(0.5); w ~ Bernoulli(if z then 0.9 else 0.2); return z }}
model m() {{
  x ~ Normal(0, 1)
  {body}
}}
"""
    with pytest.raises(ModelError) as refused:
        ppl.infer(ppl.parse(text).m(), "importance(10)")
    found = refused.value.diagnostics.items
    assert {d.code for d in found} == {"E603"}
    assert edit in str([h.text for d in found for h in d.helps])
