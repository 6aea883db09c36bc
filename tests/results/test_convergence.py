"""Our convergence diagnostics are those of arviz-stats, digit by digit."""

import numpy as np
import pytest

from ppl.runtime.results import convergence


def chains(kind, shape=(4, 250, 3), seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    if kind == "autocorrelated":
        for t in range(1, shape[1]):
            x[:, t] += 0.9 * x[:, t - 1]
    if kind == "antithetic":
        for t in range(1, shape[1]):
            x[:, t] -= 0.7 * x[:, t - 1]
    if kind == "apart":
        x[0] += 2
    if kind == "discrete":
        x = rng.poisson(2.0, shape).astype(float)
    if kind == "trend":
        x += np.linspace(0, 5, shape[1])[:, None]
    return x


@pytest.mark.parametrize("kind", ["independent", "autocorrelated", "antithetic", "apart", "discrete", "trend"])
@pytest.mark.parametrize("shape", [(4, 250, 3), (2, 37, 2), (1, 100, 2), (4, 5, 2), (3, 8, 4), (2, 9, 2), (1, 4, 1)])
def test_equal_to_arviz_stats(kind, shape):
    from arviz_stats.base import array_stats as az

    x = chains(kind, shape)
    axes = {"chain_axis": 0, "draw_axis": 1}
    close = {"rtol": 1e-9, "equal_nan": True}
    np.testing.assert_allclose(convergence.ess_bulk(x), az.ess(x, method="bulk", **axes), **close)
    np.testing.assert_allclose(convergence.ess_tail(x), az.ess(x, method="tail", prob=(0.05, 0.95), **axes), **close)
    np.testing.assert_allclose(convergence.mcse_mean(x), az.mcse(x, method="mean", **axes), **close)
    if shape[0] > 1:
        np.testing.assert_allclose(convergence.rhat(x), az.rhat(x, **axes), **close)


def test_a_value_that_never_moves():
    x = np.ones((4, 100, 1))
    assert np.isnan(convergence.rhat(x)) and convergence.ess_bulk(x) == 400 and convergence.mcse_mean(x) == 0
