"""Vectors and matrices: densities against scipy, or normalised by quadrature."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from ppl.core.distributions import make
from tests.core.compilation import quick_jit

COV = np.array([[2.0, 0.6, 0.1], [0.6, 1.0, -0.2], [0.1, -0.2, 0.5]])
LOC = np.array([0.5, -1.0, 2.0])
L = np.linalg.cholesky(COV)
X = np.random.default_rng(0).normal(size=(7, 3))


@pytest.mark.parametrize(
    "name, second",
    [
        ("MultiNormal", {"cov": COV}),
        ("MultiNormalChol", {"L": L}),
        ("MultiNormalPrec", {"precision": np.linalg.inv(COV)}),
    ],
)
def test_multi_normal(name: str, second: dict[str, np.ndarray]) -> None:
    expected = stats.multivariate_normal(LOC, COV).logpdf(X)
    np.testing.assert_allclose(make(name, {"loc": LOC, **second}).log_prob(X), expected, rtol=1e-10)


def test_multi_student_t() -> None:
    expected = stats.multivariate_t(LOC, COV, df=3.5).logpdf(X)
    np.testing.assert_allclose(make("MultiStudentT", {"df": 3.5, "loc": LOC, "L": L}).log_prob(X), expected, rtol=1e-10)


def test_dirichlet() -> None:
    x = np.random.default_rng(1).dirichlet([1.0, 1.0, 1.0], 5)
    expected = stats.dirichlet([0.5, 2.0, 3.5]).logpdf(x.T)
    np.testing.assert_allclose(make("Dirichlet", {"concentration": [0.5, 2.0, 3.5]}).log_prob(x), expected, rtol=1e-10)


def test_multinomial() -> None:
    counts = np.array([[3, 2, 0], [0, 5, 0], [1, 2, 2]])
    expected = stats.multinomial(5, [0.2, 0.5, 0.3]).logpmf(counts)
    np.testing.assert_allclose(
        make("Multinomial", {"n": 5, "p": [0.2, 0.5, 0.3]}).log_prob(counts), expected, rtol=1e-10
    )
    certain = make("Multinomial", {"n": 2, "p": [0.0, 1.0]})
    assert certain.log_prob(jnp.array([0, 2])) == 0 and np.isneginf(certain.log_prob(jnp.array([1, 1])))


def test_wishart() -> None:
    x = stats.wishart(6, COV).rvs(4, random_state=2)
    expected = [stats.wishart(6, COV).logpdf(m) for m in x]
    np.testing.assert_allclose(make("Wishart", {"df": 6.0, "scale": COV}).log_prob(x), expected, rtol=1e-10)


def test_gaussian_random_walk() -> None:
    steps = np.diff(X[:, 0], prepend=0.0)
    expected = stats.norm(0, 0.7).logpdf(steps).sum()
    np.testing.assert_allclose(
        make("GaussianRandomWalk", {"scale": 0.7, "T": 7}).log_prob(X[:, 0]), expected, rtol=1e-12
    )


def test_lkj_of_two_is_a_beta() -> None:
    r = np.linspace(-0.9, 0.9, 7)
    R = np.stack([np.array([[1, x], [x, 1]]) for x in r])
    expected = stats.beta(2.5, 2.5).logpdf((r + 1) / 2) - np.log(2)
    np.testing.assert_allclose(make("LKJ", {"K": 2, "eta": 2.5}).log_prob(R), expected, rtol=1e-10)


def test_lkj_of_three_integrates_to_one() -> None:
    """In partial correlations (ρ₁₂, ρ₁₃, ρ₂₃;₁), with r₂₃ = r₁₂ r₁₃ + ρ √((1 − r₁₂²)(1 − r₁₃²)). The law of its
    Cholesky factor is that of the matrix times |∂R/∂L|."""
    nodes, weights = np.polynomial.legendre.leggauss(14)
    a, b, c = (m.ravel() for m in np.meshgrid(nodes, nodes, nodes, indexing="ij"))
    weight = np.einsum("i,j,k->ijk", weights, weights, weights).ravel()
    root = np.sqrt((1 - a**2) * (1 - b**2))
    one = np.ones_like(a)
    R = np.stack([one, a, b, a, one, a * b + c * root, b, a * b + c * root, one], -1).reshape(-1, 3, 3)
    d, factor = make("LKJ", {"K": 3, "eta": 3.0}), make("LKJCholesky", {"K": 3, "eta": 3.0})
    log_density = d.log_prob(R)
    np.testing.assert_allclose(np.sum(np.exp(log_density) * root * weight), 1, rtol=1e-6)
    F = jnp.linalg.cholesky(R)
    jacobian = 1 * jnp.log(F[:, 1, 1])  # ∏ Lᵢᵢ^(K−i), i from 1: L₁₁² L₂₂ L₃₃⁰ and L₁₁ = 1
    np.testing.assert_allclose(factor.log_prob(F), log_density + jacobian, rtol=1e-9, atol=1e-9)


def test_gradients_by_matrices_are_finite() -> None:
    def total(cov: jax.Array) -> jax.Array:
        return make("MultiNormal", {"loc": LOC, "cov": cov}).log_prob(X).sum() + make(
            "Wishart", {"df": 6.0, "scale": cov}
        ).log_prob(COV)

    gradient = quick_jit(jax.grad(total))(jnp.asarray(COV))
    assert np.isfinite(gradient).all()
