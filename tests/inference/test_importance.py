"""Importance sampling from the prior."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.core.errors import NumericalError
from ppl.core.functional import FunctionalTarget, real
from ppl.inference.importance.prior import PriorImportance
from ppl.inference.methods.importance import Importance
from ppl.runtime.execution import execute
from ppl.runtime.seeds import key_data
from tests.inference.targets import conjugate


def test_posterior_and_evidence():
    """Five standard errors: false-alarm rate under 2e-6."""
    target, mean, sd, evidence = conjugate()
    posterior = execute(target, Importance(20_000), seed=1)
    value, error = posterior.log_evidence
    assert 0 < error < 0.02 and abs(value - evidence) < 5 * error
    weights, theta = posterior.weights(), posterior.draws["theta"]
    size = 1 / np.square(weights).sum()
    assert weights.sum() == pytest.approx(1)
    assert abs((weights * theta).sum() - mean) < 5 * sd / np.sqrt(size)
    again = posterior.resampled(5000)["theta"]
    assert again.shape == (1, 5000) and abs(again.mean() - mean) < 5 * sd / np.sqrt(1000)


def test_the_evidence_is_unbiased():
    """E Ẑ = Z over 2000 runs of 5 draws, within 5 standard errors (false-alarm rate under 2e-6)."""
    target, _, _, evidence = conjugate()
    program = PriorImportance(target, 5)

    @jax.jit
    @jax.vmap
    def estimate(key):
        _, records = program.advance(program.start(key), jnp.int32(0), jnp.int32(5))
        return jnp.mean(jnp.exp(records["log_weight"]))

    estimates = np.asarray(estimate(jax.random.key_data(jax.random.split(jax.random.key(0), 2000))))
    assert abs(estimates.mean() - np.exp(evidence)) < 5 * estimates.std() / np.sqrt(2000)


def test_draws_do_not_depend_on_how_many_follow():
    target, *_ = conjugate()
    short, long = (execute(target, Importance(n), seed=5).draws["theta"][0] for n in (100, 5000))
    np.testing.assert_array_equal(short, long[:100])


def test_weights_that_say_nothing():
    prior = {"prior": lambda key: {"x": jax.random.normal(key)}}
    impossible = FunctionalTarget({"x": real()}, lambda t: t["x"], log_likelihood=lambda t: -jnp.inf + t["x"], **prior)
    with pytest.raises(NumericalError, match="all 100 weights are zero"):
        execute(impossible, Importance(100))
    undefined = FunctionalTarget({"x": real()}, lambda t: t["x"], log_likelihood=lambda t: jnp.log(t["x"]), **prior)
    with pytest.raises(NumericalError, match="log weights are NaN"):
        execute(undefined, Importance(100))
    narrow = FunctionalTarget(
        {"x": real()}, lambda t: t["x"], log_likelihood=lambda t: -0.5 * (t["x"] * 1e4) ** 2, **prior
    )
    assert "effective sample size" in execute(narrow, Importance(500)).warnings[0]


def test_key_of_a_seed():
    assert key_data(2**64 - 1).tolist() == [2**32 - 1, 2**32 - 1] and key_data(7).tolist() == [0, 7]
