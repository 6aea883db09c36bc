"""The detectors have power: distributions that are broken on purpose are caught, and ours are not.

D02 a variance used as standard deviation; D03 a truncated normal without its constant; D05 a negative binomial with p
and 1 − p exchanged; D07 a categorical sampler that can return K, because its cumulative sum ends below one."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

from ppl.core.distributions import make
from tests.core.compilation import quick_jit
from tests.core.detectors import Z, distance, dkw_bound, moment_scores
from tests.core.quadrature import integral

KEY = jax.random.key(11)


class VarianceAsScale(dist.Normal):
    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        return self.loc + self.scale**2 * jax.random.normal(key, sample_shape)


class TruncatedWithoutConstant:
    """On [0, ∞)."""

    def __init__(self, loc: float):
        self.base = make("Normal", {"loc": loc, "scale": 1.0})

    def log_prob(self, x: Any) -> Any:
        return jnp.where(x >= 0, self.base.log_prob(x), -jnp.inf)


def test_d02_variance_as_scale_fails_the_second_moment() -> None:
    law, n = stats.norm(0.0, 1.1), 4_000
    ours = np.asarray(make("Normal", {"loc": 0.0, "scale": 1.1}).sample(KEY, (n,)))
    broken = np.asarray(VarianceAsScale(0.0, 1.1).sample(KEY, (n,)))
    assert abs(moment_scores(ours, law)[1]) < Z
    assert abs(moment_scores(broken, law)[1]) > Z


@pytest.mark.parametrize("loc", [0.0, 1.0])
def test_d03_missing_constant_fails_quadrature(loc: float) -> None:
    ours = make("truncated", {"D": make("Normal", {"loc": loc, "scale": 1.0}), "lower": 0.0})
    np.testing.assert_allclose(integral(ours.log_prob, 0.0, np.inf), 1, rtol=1e-8)
    assert abs(integral(TruncatedWithoutConstant(loc).log_prob, 0.0, np.inf) - 1) > 0.1


def test_d05_exchanged_probabilities_fail_the_mean_and_the_distribution_function() -> None:
    """NB(3, 0.4): 3 successes of probability 0.4, mean 4.5; exchanged, its mean is 2."""
    law, n = stats.nbinom(3, 0.4), 1_000
    draw = quick_jit(lambda mean: make("NegativeBinomial", {"mean": mean, "concentration": 3.0}).sample(KEY, (n,)))
    ours, broken = np.asarray(draw(4.5)), np.asarray(draw(2.0))
    assert abs(moment_scores(ours, law)[0]) < Z and distance(ours, law, True) < dkw_bound(n)
    assert abs(moment_scores(broken, law)[0]) > Z and distance(broken, law, True) > dkw_bound(n)


def test_d07_index_out_of_range() -> None:
    """In single precision with K = 1000 the cumulative sum ends below 1 − 2⁻²⁴, the greatest uniform: inversion
    returns K. Ours takes the maximum over K perturbed log probabilities, which is an index whatever the noise."""
    p = np.full(1000, 1 / 1000, np.float32)
    top = np.float32(1 - 2**-24)

    def by_inversion(u: np.float32) -> int:
        return int(np.searchsorted(np.cumsum(p, dtype=np.float32), u, side="left"))

    with jax.enable_x64(False):
        d = make("Categorical", {"p": p})
        assert np.cumsum(p, dtype=np.float32)[-1] < top and by_inversion(top) == 1000  # the mutant leaves the support
        assert not bool(d.support(by_inversion(top))) and np.isneginf(d.log_prob(by_inversion(top)))
        draws = d.sample(jax.random.key(0, impl="rbg"), (2_000,))
        assert bool(d.support(draws).all())
        for noise in (np.full(1000, -np.inf), np.zeros(1000), np.full(1000, np.finfo(np.float32).max)):
            assert 0 <= int(jnp.argmax(d.base.log_p + noise if hasattr(d, "base") else d.log_p + noise)) < 1000
