"""The regularised incomplete beta function with derivatives by all arguments. JAX's has none by a and b."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jax.scipy.special import digamma
from jaxtyping import Array

from ppl.core.numerics import log_beta

# Double-exponential quadrature on (0, 1): u = sigmoid(π sinh τ). It stretches both ends, the lower one so far that
# u^a is
# small there for a down to 1e-3.
_TAU = np.linspace(-11.0, 4.5, 311)
_ARGUMENT = np.pi * np.sinh(_TAU)
_LOG_U = -np.logaddexp(0, -_ARGUMENT)
_LOG_WEIGHT = _LOG_U - np.logaddexp(0, _ARGUMENT) + np.log(np.cosh(_TAU))


def betainc(a: Any, b: Any, x: Any) -> Array:
    """I_x(a, b) = P(X ≤ x) for X from Beta(a, b), 0 ≤ x ≤ 1."""
    dtype = jnp.result_type(float, a, b, x)
    a, b, x = jnp.broadcast_arrays(*(jnp.asarray(v, dtype) for v in (a, b, x)))
    return _betainc(a, b, x)


@jax.custom_jvp
def _betainc(a: Array, b: Array, x: Array) -> Array:
    return lax.betainc(a, b, x)


def _derivative(primals: tuple[Array, ...], tangents: tuple[Any, ...]) -> tuple[Array, Array]:
    a, b, x = primals
    value, total = _betainc(a, b, x), jnp.zeros_like(x)
    by_a, by_b, by_x = tangents
    if not isinstance(by_x, SymbolicZero):
        inside = (x > 0) & (x < 1)
        safe = jnp.where(inside, x, 0.5)
        density = jnp.exp((a - 1) * jnp.log(safe) + (b - 1) * jnp.log1p(-safe) - log_beta(a, b))
        total = total + jnp.where(inside, density, 0) * by_x
    if not (isinstance(by_a, SymbolicZero) and isinstance(by_b, SymbolicZero)):
        # In the lower tail directly, in the upper one through I_x(a, b) = 1 − I_{1−x}(b, a): quadrature then stays away
        # from the other end of the interval.
        flip = x * (a + b) > a
        p, q, y = jnp.where(flip, b, a), jnp.where(flip, a, b), jnp.where(flip, 1 - x, x)
        by_p, by_q = _by_shapes(p, q, y, jnp.where(flip, 1 - value, value))
        sign = jnp.where(flip, -1.0, 1.0)
        if not isinstance(by_a, SymbolicZero):
            total = total + sign * jnp.where(flip, by_q, by_p) * by_a
        if not isinstance(by_b, SymbolicZero):
            total = total + sign * jnp.where(flip, by_p, by_q) * by_b
    return value, total


_betainc.defjvp(_derivative, symbolic_zeros=True)


def _by_shapes(a: Array, b: Array, x: Array, value: Array) -> tuple[Array, Array]:
    """∂I/∂a = I · (E[log T | T < x] − E log T) for T from Beta(a, b), and the same with log(1 − T) by b."""
    inside = (x > 0) & (x < 1)
    log_t = jnp.log(jnp.where(inside, x, 0.5))[..., None] + jnp.asarray(_LOG_U, x.dtype)
    log_rest = jnp.log(-jnp.expm1(log_t))
    log_density = (a[..., None] - 1) * log_t + (b[..., None] - 1) * log_rest + jnp.asarray(_LOG_WEIGHT, x.dtype)
    weight = jax.nn.softmax(log_density, axis=-1)
    mean = digamma(a + b)
    by_a = value * ((weight * log_t).sum(-1) - digamma(a) + mean)
    by_b = value * ((weight * log_rest).sum(-1) - digamma(b) + mean)
    return jnp.where(inside, by_a, 0), jnp.where(inside, by_b, 0)
