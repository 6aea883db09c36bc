"""Discrete variables summed out: the density is the sum over their values, and draws come from their exact
conditional."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st

from tests.emit.test_against_reference import Case, compiled, reference, run

Y = np.array([0.2, 1.7, -0.4])

LOCAL = """
model m[N]() {
  p ~ Beta(2, 2)
  mu: real[2] ~ Normal(0, 2)
  plate n in N {
    z[n] ~ Categorical([p, 1 - p])
    data y[n] ~ Normal(mu[z[n]], 1)
  }
}"""

CHAIN = """
model m[T]() {
  stay ~ Beta(5, 1)
  mu: real[2] ~ Normal(0, 2)
  s[0] ~ Categorical([0.5, 0.5])
  for t in 1..T { s[t] ~ Categorical(if s[t-1] == 0 then [stay, 1 - stay] else [1 - stay, stay]) }
  plate t in T { data y[t] ~ Normal(mu[s[t]], 1) }
}"""

CASES = {"local": (Case(LOCAL, sizes={"N": 3}, data={"y": Y}), "z", {"p": 0.3, "mu": [0.5, -1.0]}),
         "chain": (Case(CHAIN, sizes={"T": 3}, data={"y": Y}), "s", {"stay": 0.8, "mu": [0.5, -1.0]})}  # fmt: skip


@pytest.fixture(params=CASES, scope="module")
def case(request):
    case, name, values = CASES[request.param]
    target = compiled(case, marginalise=True)
    trace = {n: jnp.asarray(v) for n, v in values.items()}
    paths = [np.array(p) for p in itertools.product((0, 1), repeat=3)]
    joint = np.array([reference(case, trace | {name: p}, case.data) for p in paths])
    return target, name, trace, np.array(paths), joint


def test_it_is_no_latent_of_inference(case):
    target, name, *_ = case
    assert name not in {v.name for v in target.latents}


def test_density_is_the_sum(case):
    target, _, trace, _, joint = case
    assert run(target, "log_density", trace) == pytest.approx(float(jax.nn.logsumexp(joint)), rel=1e-10)


def test_density_of_the_joint_where_it_is_given(case):
    target, name, trace, paths, joint = case
    assert run(target, "log_density", trace | {name: jnp.asarray(paths[3])}) == pytest.approx(joint[3], rel=1e-10)


def test_unconstrained_density(case):
    target, _, trace, _, _ = case
    u = run(target, "unconstrain", trace)
    _, log_det = run(target, "constrain", u)
    expected = run(target, "log_density", trace) + log_det
    assert run(target, "log_density_unconstrained", u) == pytest.approx(float(expected), rel=1e-10)


def test_gradient_is_finite(case):
    target, _, trace, _, _ = case
    u = run(target, "unconstrain", trace)
    gradient = jax.jit(jax.grad(lambda u, t: t.log_density_unconstrained(u)))(u, target)
    assert all(bool(jnp.isfinite(g).all()) for g in jax.tree.leaves(gradient))


def test_generate_sums_out_as_well(case):
    target, _, trace, _, joint = case
    weight = run(target, "generate", jax.random.key(0), trace).log_weight
    assert weight == pytest.approx(float(jax.nn.logsumexp(joint)), rel=1e-10)


def test_completed_paths_have_the_exact_conditional(case):
    """Chi-squared test over the eight paths, 4000 draws: false-alarm rate 1e-5."""
    target, name, trace, paths, joint = case
    keys = jax.random.split(jax.random.key(5), 4000)
    drawn = jax.jit(jax.vmap(lambda k: target.complete(k, trace).trace[name]))(keys)
    index = np.asarray(drawn).astype(int) @ np.array([4, 2, 1])
    probabilities = np.exp(joint - jax.nn.logsumexp(joint))
    counts = np.bincount(index, minlength=8)
    assert st.chisquare(counts, 4000 * probabilities).pvalue > 1e-5


def test_prior_simulation_ignores_the_data(case):
    target, name, *_ = case
    execution = run(target, "simulate", jax.random.key(0))
    assert execution.trace[name].shape == (3,)
    assert execution.log_weight == 0.0
