"""No silent bias: what a pathwise derivative does not see is refused, or differentiated in another way."""

import pytest
from scipy.stats import norm

import ppl
from ppl.core.errors import MethodError

STEP = """
model m() {
  x ~ Normal(0, 1)
  data y ~ Normal(if x > 0.5 then 1 else 0, 1)
}
guide q() for m {
  param mu: real = 0
  x ~ Normal(mu, 1)
}
"""


@pytest.mark.parametrize("guide", ["mean_field", "full_rank", "auto"])
def test_an_automatic_guide_is_refused_where_a_variable_reaches_a_comparison(guide):
    text = STEP.split("guide")[0]
    with pytest.raises(MethodError, match="can't fit `x`: it reaches a comparison"):
        ppl.infer(ppl.parse(text).m().given(y=1.0), ppl.vi(guide=guide, steps=10))


def test_the_compilers_choice_finds_the_optimum():
    """ELBO(mu) = −mu²/2 + (Φ(mu − 0.5) − 1)/2 + …, which is greatest where mu = φ(mu − 0.5)/2."""
    best = 0.0
    for _ in range(100):
        best = norm.pdf(best - 0.5) / 2
    method = ppl.vi(guide="q", steps=3000, particles=10, optimiser="adam(0.01)", draws=10)
    result = ppl.infer(ppl.parse(STEP).m().given(y=1.0), method)
    assert float(result.posterior.fit.params["mu"]) == pytest.approx(best, abs=0.02)
