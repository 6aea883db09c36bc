"""Derivatives by forward mode are those of reverse mode, where both exist."""

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.forward import by_forward_mode


def smooth(x, n, y):
    return jnp.sin(x) * jnp.sum(y**2), n + 1, x[0] * y


wrapped = by_forward_mode(smooth)
X, N, Y = jnp.array([0.3, -0.7]), jnp.asarray(4), jnp.array([1.0, 2.0, -0.5])


def total(f):
    def g(x, y):
        a, n, b = f(x, N, y)
        return jnp.sum(jnp.exp(a)) * n + jnp.sum(b**3)

    return g


def test_values_and_derivatives_of_both_modes_and_orders():
    for got, expected in zip(wrapped(X, N, Y), smooth(X, N, Y), strict=True):
        np.testing.assert_allclose(got, expected)
    f, g = total(wrapped), total(smooth)
    for d in (jax.grad, jax.jacfwd, jax.hessian, lambda h: jax.jacrev(jax.grad(h)), lambda h: jax.grad(h, 1)):
        np.testing.assert_allclose(jax.jit(d(f))(X, Y), d(g)(X, Y), rtol=1e-12)
    lanes = jnp.stack([X, 2 * X])
    np.testing.assert_allclose(jax.vmap(jax.grad(f), (0, None))(lanes, Y), jax.vmap(jax.grad(g), (0, None))(lanes, Y))


def test_a_loop_without_a_bound_has_a_gradient():
    def halved(x):
        return (jax.lax.while_loop(lambda v: jnp.max(v) > 1, lambda v: v * jnp.array([0.5, 0.25]), x),)

    slope = jax.jacrev(lambda x: by_forward_mode(halved)(x)[0])(jnp.array([5.0, 3.0]))
    np.testing.assert_allclose(slope, np.diag([1 / 8, 1 / 64]))
