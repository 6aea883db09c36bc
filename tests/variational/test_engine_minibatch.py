"""A random part of a plate stands for all of it: scaled once, wherever the sum is taken."""

import itertools

import numpy as np
import pytest

from ppl.compiler.emit.estimate import terms
from tests.variational.engine import ELBO, estimates, made

DATA = [1.0, 0.0, 2.0, -1.0]
FULL = -6.175754132818691  # ground truth `minibatch_plate`
FIXED = """
model main[N](y: real[N]) {
  mu ~ Normal(0, 1)
  plate i in N { observe y[i] ~ Normal(mu, 1) }
}
guide q[N](y: real[N]) for main {
  param m: real = 0.5
  mu ~ Normal(m, 0.000001)
}
objective likelihood[Z: trace](p: Target<Z>, q: Guide<Z>) -> real {
  return expect {
    (z, lq) ~ sim(q)
    return density(p, z)
  }
}
"""
LOCAL = """
model main[N](y: real[N]) {
  plate i in N {
    c[i] ~ Bernoulli(0.3)
    x[i] ~ Normal(0, 1)
    observe y[i] ~ Normal(x[i] + (if c[i] then 1 else 0), 1)
  }
}
guide q[N](y: real[N]) for main {
  param b: real[N] = zeros(N)
  param a: real = 0.3
  plate i in N {
    c[i] ~ Bernoulli(sigmoid(b[i] + a * y[i]))
    x[i] ~ Normal(a * y[i], 1)
  }
}
"""


def test_every_batch_has_its_value_and_their_mean_is_the_whole():
    program = made(FIXED, guide="q", name="likelihood", data={"y": DATA}, minibatch={"N": 2})
    values, _ = estimates(program, 200)
    prior = -0.5 * np.log(2 * np.pi) - 0.125
    found = np.unique(np.round(np.asarray(values) - prior, 3))
    term = [-0.5 * np.log(2 * np.pi) - 0.5 * (y - 0.5) ** 2 for y in DATA]
    expected = [2 * (term[i] + term[j]) for i, j in itertools.combinations(range(4), 2)]
    np.testing.assert_allclose(found, np.unique(np.round(expected, 3)), atol=2e-3)
    assert np.mean(expected) == pytest.approx(FULL, abs=1e-12)


def agree(a, b, z=4.5):
    """Whether two samples have one mean, within z standard errors of the difference."""
    a, b = (np.asarray(x, float) for x in (a, b))
    se = np.sqrt(a.var(0) / len(a) + b.var(0) / len(b))
    return bool(np.all(np.abs(a.mean(0) - b.mean(0)) <= z * se + 1e-12))


@pytest.mark.parametrize("via", [{"c": "reinforce"}, pytest.param({}, marks=pytest.mark.slow)])
def test_local_draws_and_their_scores_are_scaled_once(via):
    value, gradient = estimates(made(LOCAL + ELBO, guide="q", data={"y": DATA}), 8000)
    some, by = estimates(made(LOCAL + ELBO, guide="q", data={"y": DATA}, via=via, minibatch={"N": 2}), 8000, seed=2)
    assert agree(value, some) and agree(gradient["a"], by["a"]) and agree(gradient["b"], by["b"])


def test_scaling_twice_would_be_seen(monkeypatch):
    right = terms.summed

    def twice(part, plate):
        found = right(part, plate)
        return terms.replace(found, value=found.value * plate.scale)

    exact = estimates(made(LOCAL + ELBO, guide="q", data={"y": DATA}), 2000)[0]
    monkeypatch.setattr(terms, "summed", twice)
    broken = estimates(made(LOCAL + ELBO, guide="q", data={"y": DATA}, minibatch={"N": 2}), 2000)[0]
    assert not agree(broken, exact, z=8)
