"""The arithmetic of the tests: sizes, the sequential wrapper, betting."""

import numpy as np
import pytest

from ppl.inference.validation.always_valid import EProcess
from ppl.inference.validation.fixed_n import detectable, sample_size, test_means
from ppl.inference.validation.sequential import staged


def test_sample_sizes_of_the_literature():
    assert sample_size(0.1, 1e-9) == pytest.approx(7117, abs=1)
    assert sample_size(0.05, 1e-9) == pytest.approx(28465, abs=2)
    assert detectable(sample_size(0.1, 1e-6, k=5), 1e-6, k=5) == pytest.approx(0.1, rel=1e-3)


def test_a_mean_that_is_right_and_one_that_is_not():
    x = np.random.default_rng(0).normal(size=(4000, 2))
    assert test_means(x, np.zeros(2)).p_value > 1e-4
    found = test_means(x + np.array([0.0, 0.2]), np.zeros(2))
    assert found.p_value < 1e-9 and found.which == 1


def test_not_a_number_and_a_wrong_constant_are_refuted():
    assert test_means(np.array([[0.0], [np.nan], [1.0]]), np.zeros(1)).p_value == 0
    assert test_means(np.ones((100, 1)), np.zeros(1)).p_value == 0
    assert test_means(np.ones((100, 1)), np.ones(1)).p_value == 1


def test_stages_refute_at_most_as_often_as_they_say():
    """2000 runs on uniform p-values at α = 0.05: the rate is below 0.05 + 4 standard errors (3e-5 by chance)."""

    some = test_means(np.zeros((2, 1)), np.zeros(1))

    def batch(seed, n):
        return some._replace(p_value=float(np.random.default_rng(seed).uniform()), n=n)

    runs = [staged(batch, seed, 10, 0.05) for seed in range(2000)]
    assert np.mean([r.refuted for r in runs]) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 2000)
    assert np.mean([r.total for r in runs]) < 60


def test_betting_finds_a_bias_and_accepts_the_truth():
    rng = np.random.default_rng(1)
    broken = EProcess(np.array([0.5]), 1e-6, 0.05).update((rng.uniform(size=3000) < 0.6).astype(float))
    assert broken.refuted
    sound = EProcess(np.array([0.5]), 1e-6, 0.1).update((rng.uniform(size=8000) < 0.5).astype(float))
    assert sound.passed and not sound.refuted
