"""Data are not checked against a support at run time only where every draw of theirs has it."""

import numpy as np
import pytest

import ppl

DIFFERENT = {
    "first element": "y[0] ~ Uniform(0, 1)\n  for t in 1..T { data y[t]: real ~ Uniform(0, 5) }",
    "bounds that depend": "x ~ Uniform(0, 1)\n  data y[0]: real ~ Uniform(x - 1, x + 1)\n"
    "  for t in 1..T { data y[t]: real ~ Uniform(x - 9, x + 9) }",
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_elements_of_different_supports(name):
    """3 lies in the union of the supports, and not in that of the first element."""
    body = DIFFERENT[name].replace("y[0] ~ Uniform(0, 1)", "data y[0]: real ~ Uniform(0, 1)")
    with ppl.environment():
        target = ppl.compiled(ppl.parse(f"model m[T]() {{\n  {body}\n}}\n").m().given(y=np.array([3.0, 3.0])))
        trace = {v.name: np.array(0.5) for v in target.latents}
        assert float(target.log_density(trace)) == -np.inf


def test_branches_of_different_supports():
    source = (
        "model m() {\n  c ~ Bernoulli(0.5)\n  if c { data y ~ Uniform(0, 1) } else { data y ~ Uniform(0, 5) }\n}\n"
    )
    with ppl.environment():
        target = ppl.compiled(ppl.parse(source).m().given(y=3.0))
        assert float(target.log_density({"c": np.array(True)})) == -np.inf
        assert np.isfinite(float(target.log_density({"c": np.array(False)})))
