"""The sleep phase finds the posterior for all data at once."""

import jax
import numpy as np
import pytest

import ppl
from ppl.api.variational import bound
from ppl.core.errors import MethodError, UsageError
from ppl.inference.methods.parse import parse

MODEL = """
model m[N]() {
  plate i in N {
    x[i] ~ Normal(0, 1)
    data y[i]: real ~ Normal(x[i], 1)
  }
}
guide q[N](y: real[N]) for m[N] {
  param b: real = 0.1
  param s: pos = 1
  plate i in N { x[i] ~ Normal(b * y[i], s) }
}
"""


def test_an_amortised_guide_becomes_the_posterior():
    """x given y is Normal(y/2, √½) whatever y is; the maximum of E log q is minus the mean entropy."""
    target = ppl.parse(MODEL).model("m").given(y=np.array([2.0, -1.0]))
    result = ppl.infer(target, "vi(q, objective=sleep_phi, draws=500)", seed=1)
    fit = result.posterior.fit
    assert float(fit.params["b"]) == pytest.approx(0.5, abs=0.03)
    assert float(fit.params["s"]) == pytest.approx(np.sqrt(0.5), abs=0.03)
    entropy = 2 * 0.5 * np.log(2 * np.pi * np.e * 0.5)
    assert abs(fit.bound.value + entropy) < 5 * fit.bound.se + 5e-3 and not fit.bound.lower
    means = result["x"].mean((0, 1))
    np.testing.assert_allclose(means, float(fit.params["b"]) * np.array([2.0, -1.0]), atol=5 * 0.71 / np.sqrt(500))


def test_value_and_gradient_against_closed_forms():
    """E log Normal(x; b y, s) = −log s − ½ log 2π − E (x − b y)²/(2 s²), with E (x − b y)² = (1 − b)² + b² for one
    pair."""
    with ppl.environment():
        target = ppl.parse(MODEL).model("m").given(y=np.array([2.0]))
        objective = bound(target, parse("vi(q, objective=sleep_phi)"))[1].objective
    params = objective.initial(jax.random.key(0))
    n, b = 20_000, 0.1
    both = jax.jit(jax.vmap(jax.value_and_grad(objective.surrogate), (None, 0)))
    value, gradient = both(params, jax.random.split(jax.random.key(1), n))
    exact = -0.5 * np.log(2 * np.pi) - 0.5 * ((1 - b) ** 2 + b**2)
    for found, truth in ((value, exact), (gradient["guide"]["b"], (1 - b) - b)):
        assert abs(np.mean(found) - truth) < 5 * np.std(found) / np.sqrt(n)  # false-alarm rate 6e-7


def test_what_it_is_not_for():
    target = ppl.parse(MODEL).model("m").given(y=np.array([2.0]))
    with ppl.environment():
        with pytest.raises(UsageError, match="takes a guide of the file"):
            bound(target, parse("vi(mean_field, objective=sleep_phi)"))
        fixed = ppl.parse(
            MODEL.replace("param b: real = 0.1", "").replace("param s: pos = 1", "").replace("b * y[i], s", "0, 1")
        )
        with pytest.raises(MethodError, match="no `param` to train"):
            bound(fixed.model("m").given(y=np.array([2.0])), parse("vi(q, objective=sleep_phi)"))
