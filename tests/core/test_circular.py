"""The path of von Mises draws: against the derivative of the distribution function, and unbiased also at the cut."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special

from ppl.core.distributions import make
from ppl.core.distributions.circular import quantile_path


def density(z, loc, kappa):
    return np.exp(kappa * (np.cos(z - loc) - 1)) / (2 * np.pi * special.i0e(kappa))


def below(z, loc, kappa):
    return integrate.quad(density, -np.pi, z, (loc, kappa), epsabs=1e-13, epsrel=1e-13, limit=400)[0]


@pytest.mark.parametrize("loc, kappa", [(0.0, 1.0), (2.5, 0.3), (-3.1, 4.0), (7.0, 2.0), (0.4, 60.0)])
@pytest.mark.parametrize("z", [-3.0, -0.7, 0.1, 0.5, 2.4])
def test_the_derivative_is_that_of_the_quantile(loc, kappa, z):
    """−(∂F/∂θ) / p, by central differences of the distribution function."""
    if density(z, loc, kappa) < 1e-4:
        z = 0.45 if kappa > 10 else z
    h = 1e-4
    by_loc = below(z, loc + h, kappa) - below(z, loc - h, kappa)
    by_kappa = (below(z, loc, kappa * (1 + h)) - below(z, loc, kappa * (1 - h))) / kappa
    found = jax.grad(quantile_path, (1, 2))(jnp.asarray(z), jnp.asarray(loc), jnp.asarray(kappa))
    scale = -2 * h * density(z, loc, kappa)
    np.testing.assert_allclose(found, (by_loc / scale, by_kappa / scale), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("kappa", [1e3, 1e6])
def test_concentrated_draws_move_as_normal_ones_do(kappa):
    """z = loc + e/√κ to first order in 1/κ: dz/dκ = −(z − loc) / 2κ."""
    z = jnp.asarray([-1.5, 0.3, 2.0]) / kappa**0.5
    slope = jax.vmap(jax.grad(quantile_path, 2))(z, jnp.zeros(3), jnp.full(3, kappa))
    np.testing.assert_allclose(slope, -z / (2 * kappa), rtol=2 / kappa + 1e-3)


def test_gradients_of_expectations_are_unbiased_where_draws_cross_the_cut():
    """A function that is not periodic, a density that lies across ±π. P(|z| > 5) < 6e-7 each."""
    loc, kappa = 2.8, 1.5

    def cost(z):
        return jnp.sin(z) + z**2 + z

    def exact(loc, kappa):
        return integrate.quad(lambda z: density(z, loc, kappa) * float(cost(z)), -np.pi, np.pi, epsabs=1e-12)[0]

    def draw(parameters, key):
        return cost(make("VonMises", {"loc": parameters[0], "concentration": parameters[1]}).sample(key))

    keys = jax.random.split(jax.random.key(0), 40_000)
    slopes = np.asarray(jax.jit(jax.vmap(jax.grad(draw), (None, 0)))(jnp.array([loc, kappa]), keys))
    h = 1e-5
    truth = [
        (exact(loc + h, kappa) - exact(loc - h, kappa)) / (2 * h),
        (exact(loc, kappa + h) - exact(loc, kappa - h)) / (2 * h),
    ]
    error = slopes.std(0) / np.sqrt(len(keys))
    assert np.all(np.abs(slopes.mean(0) - truth) < 5 * error)
    draws = make("VonMises", {"loc": loc, "concentration": kappa}).sample(keys[0], (9999,))
    shifted = np.asarray(jax.vmap(jax.grad(cost))(draws))
    assert abs(shifted.mean() - truth[0]) > 0.5  # what moving the draw with its location would give
