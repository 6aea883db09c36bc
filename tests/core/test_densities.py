"""Densities and distribution functions of scalars against scipy. One compiled program evaluates all of them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.core.distributions import support_values
from tests.core.cases import DISCRETE, SCALAR, Case
from tests.core.compilation import quick_jit

CDF_POINTS = {
    str(c): np.concatenate([c.points + 0.5 * (np.arange(16) % 2) * c.discrete, c.points[-1:] + 1e3, c.points[:1] - 1e3])
    for c in SCALAR
    if c.name != "VonMises"  # has no distribution function in closed form
}


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """Per case: log density, distribution function, and for discrete ones densities of floats, between and all
    values."""

    @quick_jit
    def evaluate(points: dict[str, Any], cdf_points: dict[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for case in SCALAR:
            d, x = case.make(), points[str(case)]
            out["density", str(case)] = d.log_prob(x)
            if str(case) in cdf_points:
                out["cdf", str(case)] = d.cdf(cdf_points[str(case)])
            if case.discrete:
                out["real", str(case)] = d.log_prob(x.astype(float))
                out["between", str(case)] = d.log_prob(x + 0.5)
                finite = support_values(d)
                out["total", str(case)] = jnp.exp(d.log_prob(jnp.arange(2000) if finite is None else finite)).sum()
        return out

    with jax.enable_x64(True):
        return jax.device_get(evaluate({str(c): jnp.asarray(c.points) for c in SCALAR}, CDF_POINTS))


@pytest.mark.parametrize("case", SCALAR, ids=str)
def test_log_density(case: Case, values: dict[str, Any]) -> None:
    np.testing.assert_allclose(values["density", str(case)], case.log_density(case.points), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("case", [c for c in SCALAR if str(c) in CDF_POINTS], ids=str)
def test_distribution_function(case: Case, values: dict[str, Any]) -> None:
    expected = case.reference.cdf(CDF_POINTS[str(case)])
    np.testing.assert_allclose(values["cdf", str(case)], expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("case", DISCRETE, ids=str)
def test_discrete_probabilities(case: Case, values: dict[str, Any]) -> None:
    """They sum to one, are the same for ints and floats, and zero between the integers."""
    np.testing.assert_allclose(values["total", str(case)], 1, rtol=1e-9)
    np.testing.assert_allclose(values["real", str(case)], values["density", str(case)], rtol=1e-13, atol=1e-14)
    assert np.isneginf(values["between", str(case)]).all()
