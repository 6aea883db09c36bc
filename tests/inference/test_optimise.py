"""The mode and the Laplace approximation, exact on Gaussians."""

import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import gamma

from ppl.core.errors import NumericalError
from ppl.core.functional import FunctionalTarget, positive, real
from ppl.inference.methods.laplace import Laplace
from ppl.inference.methods.mode import Map
from ppl.runtime.execution import execute
from tests.inference.targets import COVARIANCE, MEAN, conjugate


def gamma_target():
    return FunctionalTarget({"s": positive()}, lambda t: gamma.logpdf(t["s"], 3.0, scale=0.5))


def test_mode_of_the_constrained_variable_and_of_the_unconstrained_one():
    assert execute(gamma_target(), Map()).draws["s"].item() == pytest.approx(1.0, abs=1e-6)  # (3 − 1)/2
    posterior = execute(gamma_target(), Map(jacobian=True))
    assert posterior.draws["s"].item() == pytest.approx(1.5, abs=1e-6)  # 3/2
    assert (
        posterior.complete
        and "Jacobian included" in posterior.notes[0]
        and "4 of 4 starts converged" in posterior.notes[0]
    )


def test_an_unbounded_density_is_told():
    target = FunctionalTarget(
        {"mu": real(3), "tau": positive()}, lambda t: jnp.sum(-0.5 * (t["mu"] / t["tau"]) ** 2) - 3 * jnp.log(t["tau"])
    )
    posterior = execute(target, Map(iterations=30))
    assert "no maximum" in posterior.warnings[0]


def test_laplace_is_exact_on_a_gaussian():
    target, mean, sd, evidence = conjugate()
    posterior = execute(target, Laplace(draws=4000), seed=2)
    theta = posterior.draws["theta"]
    assert theta.shape == (1, 4000)
    assert posterior.log_evidence.value == pytest.approx(evidence, abs=1e-8) and posterior.log_evidence.se is None
    np.testing.assert_allclose(posterior.stats["log_ratio"], 0.0, atol=1e-8)
    assert abs(theta.mean() - mean) < 5 * sd / np.sqrt(4000)  # false-alarm rate 6e-7
    assert abs(theta.std() / sd - 1) < 5 / np.sqrt(8000)


def test_laplace_covariance():
    precision = np.linalg.inv(COVARIANCE)
    target = FunctionalTarget({"x": real(3)}, lambda t: -0.5 * (t["x"] - MEAN) @ precision @ (t["x"] - MEAN))
    posterior = execute(target, Laplace(draws=20_000), seed=3)
    assert posterior.log_evidence.value == pytest.approx(0.5 * np.linalg.slogdet(2 * np.pi * COVARIANCE)[1], abs=1e-8)
    np.testing.assert_allclose(
        np.cov(posterior.draws["x"][0].T), COVARIANCE, atol=0.1
    )  # five standard errors of the largest


def test_a_flat_direction_is_an_error_that_names_it():
    target = FunctionalTarget({"a": real(), "b": real()}, lambda t: -0.5 * t["a"] ** 2 + 0.0 * t["b"])
    with pytest.raises(NumericalError, match="no proper maximum(.|\n)*mostly `b`"):
        execute(target, Laplace())
