"""``param`` in models: maximum likelihood and variational EM reach their closed forms."""

import numpy as np
import pytest

import ppl
from ppl.compiler.diagnostics.diagnostic import ModelError
from ppl.compiler.diagnostics.render import render

LINE = """
model line[N](x: real[N]) {
  param w: real = 0
  param s: pos = 1
  data y: real[N] ~ Normal(w * x, s)
  output twice = 2 * w
}
"""
EFFECTS = """
model effects[N]() {
  param mu: real = 0
  param tau: pos = 1
  plate i in N {
    z[i] ~ Normal(mu, tau)
    data y[i]: real ~ Normal(z[i], 1)
  }
  output centre = mu
}
"""


def test_maximum_likelihood_of_a_line():
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    y = 2 * x + 0.5 * rng.normal(size=50)
    result = ppl.infer(ppl.parse(LINE).line(x=x).given(y=y), "vi(auto, draws=4)")
    w = x @ y / (x @ x)
    s = np.sqrt(np.mean((y - w * x) ** 2))
    fit = result.posterior.fit
    assert float(fit.params["w"]) == pytest.approx(w, abs=1e-3)
    assert float(fit.params["s"]) == pytest.approx(s, abs=1e-3)
    assert fit.bound.value == pytest.approx(-25 * (np.log(2 * np.pi * s**2) + 1), abs=1e-3)
    np.testing.assert_allclose(result["twice"], 2 * w, atol=2e-3)  # outputs are those of the fitted model
    assert any(n.startswith("fitted: ") and "w = " in n for n in result.posterior.notes)


def test_variational_em_of_random_effects():
    """The guide's family holds the posterior, so the bound is tight at the maximum of the likelihood: y ~ Normal(μ,
    √(1 + τ²))."""
    rng = np.random.default_rng(1)
    y = 3 + 2 * rng.normal(size=10) + rng.normal(size=10)
    result = ppl.infer(ppl.parse(EFFECTS).model("effects").given(y=y), "vi(mean_field, steps=2000, draws=50)")
    fit = result.posterior.fit
    variance = np.var(y)
    assert float(fit.params["mu"]) == pytest.approx(y.mean(), abs=0.02)
    assert float(fit.params["tau"]) == pytest.approx(np.sqrt(variance - 1), abs=0.05)
    assert fit.bound.value == pytest.approx(-5 * (np.log(2 * np.pi * variance) + 1), abs=0.05)
    np.testing.assert_allclose(result["centre"], fit.params["mu"], atol=1e-9)


def test_other_methods_refuse_learnable_parameters():
    target = ppl.parse(EFFECTS).model("effects").given(y=np.zeros(3))
    with pytest.raises(ModelError, match="mu") as caught:
        ppl.infer(target, "nuts()")
    assert "train it" in render(caught.value.diagnostics, "full")
