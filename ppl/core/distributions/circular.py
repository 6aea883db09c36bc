"""The path of a von Mises draw: its derivative by location and concentration, at a fixed quantile.

The circle is the interval [−π, π], cut at its ends. A draw that is shifted with its location jumps where the circle is
cut, so that its plain derivative is biased for functions that are not periodic. The quantile of the cut density does
not jump: with F its distribution function and p its density, dz/dθ = −(∂F/∂θ) / p(z) is unbiased for every smooth
function on the interval (implicit reparameterisation: Figurnov, Mohamed and Mnih 2018)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import i0e, i1e
from jaxtyping import Array

_NODES, _WEIGHTS = (a.astype(float) for a in np.polynomial.legendre.leggauss(64))
_AT = 0.5 * (_NODES + 1)  # on [0, 1]
_POWER = 4  # nodes gather at the lower end, where a concentrated density lies


@jax.custom_jvp
def quantile_path(z: Array, loc: Array, concentration: Array) -> Array:
    """``z``, a draw in [−π, π], as a function of the parameters. All of one shape."""
    return z


@quantile_path.defjvp
def _quantile_path_jvp(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    z, loc, kappa = primals
    dz, dloc, dkappa = tangents
    x, start = _wrapped(z - loc), _wrapped(-np.pi - loc)
    ratio = jnp.exp(kappa * (jnp.cos(start) - jnp.cos(x)))  # p(−π) / p(z)
    by_kappa = ratio * _partial(start, kappa) - _partial(x, kappa)
    return z, dz + (1 - ratio) * dloc + by_kappa * dkappa


def _partial(x: Array, kappa: Array) -> Array:
    """∫₀ˣ exp(κ (cos s − cos x)) (cos s − A) ds for x in [−π, π], A = I₁(κ)/I₀(κ): odd in x, and minus the integral
    from |x| to π, where the exponent is not positive. Gauss–Legendre; relative error below 1e-3 to κ = 10⁶."""
    low = jnp.abs(x)[..., None]
    s = low + (np.pi - low) * jnp.asarray(_AT**_POWER, x.dtype)
    slope = (np.pi - low) * jnp.asarray(_POWER * _AT ** (_POWER - 1) * 0.5 * _WEIGHTS, x.dtype)
    k = kappa[..., None]
    mean = i1e(k) / i0e(k)
    # cos s − cos x as a product: no cancellation near x
    apart = -2 * jnp.sin(0.5 * (s + low)) * jnp.sin(0.5 * (s - low))
    total = jnp.sum(slope * jnp.exp(k * apart) * (jnp.cos(s) - mean), axis=-1)
    return -jnp.sign(x) * total


def _wrapped(x: Any) -> Array:
    return jnp.mod(x + np.pi, 2 * np.pi) - np.pi
