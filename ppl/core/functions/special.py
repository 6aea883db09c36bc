"""Elementwise functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
from jaxtyping import Array

from ppl.core.functions.arithmetic import as_real
from ppl.core.numerics import log_beta, softplus


def sqrt(x: Any) -> Array:
    """√x, with derivative 0 at 0, so that the gradient of a root of a sum of squares stays finite where all vanish."""
    x = as_real(x)
    return jnp.where(x == 0, 0, jnp.sqrt(jnp.where(x == 0, 1, x)))


def absolute(x: Any) -> Array:
    """|x|, with derivative 0 at 0."""
    return jnp.where(jnp.asarray(x) == 0, 0, jnp.abs(x))


def round_half_even(x: Any) -> Array:
    return _to_int(jnp.round(as_real(x)))


def _to_int(x: Array) -> Array:
    return x.astype(jnp.result_type(int))


def logit(p: Any) -> Array:
    """log p − log(1 − p); −∞ and ∞ at 0 and 1."""
    p = as_real(p)
    return jnp.log(p) - jnp.log1p(-p)


def gamma(x: Any) -> Array:
    """Γ(x), with its sign for negative x."""
    return jsp.gamma(as_real(x))


def beta(a: Any, b: Any) -> Array:
    return jnp.exp(lbeta(a, b))


def lbeta(a: Any, b: Any) -> Array:
    """log B(a, b) for a, b > 0."""
    return log_beta(as_real(a), as_real(b))


def atan2(y: Any, x: Any) -> Array:
    return jnp.arctan2(as_real(y), as_real(x))


def clip(x: Any, lower: Any, upper: Any) -> Array:
    return jnp.minimum(jnp.maximum(x, lower), upper)


def interp(x: Any, xs: Any, ys: Any) -> Array:
    """Linear between the points (xs, ys), xs increasing; constant outside."""
    return jnp.interp(as_real(x), as_real(xs), as_real(ys))


def _real(f: Callable[[Array], Array]) -> Callable[[Any], Array]:
    return lambda x: f(as_real(x))


SPECIAL: dict[str, Callable[..., Any]] = {
    "exp": _real(jnp.exp),
    "log": _real(jnp.log),
    "log1p": _real(jnp.log1p),
    "expm1": _real(jnp.expm1),
    "sqrt": sqrt,
    "abs": absolute,
    "sign": lambda x: jnp.sign(x),
    "floor": lambda x: _to_int(jnp.floor(as_real(x))),
    "ceil": lambda x: _to_int(jnp.ceil(as_real(x))),
    "round": round_half_even,
    "sin": _real(jnp.sin),
    "cos": _real(jnp.cos),
    "tan": _real(jnp.tan),
    "asin": _real(jnp.arcsin),
    "acos": _real(jnp.arccos),
    "atan": _real(jnp.arctan),
    "atan2": atan2,
    "sinh": _real(jnp.sinh),
    "cosh": _real(jnp.cosh),
    "tanh": _real(jnp.tanh),
    "sigmoid": _real(jax.nn.sigmoid),
    "logit": logit,
    "softplus": _real(softplus),
    "erf": _real(jsp.erf),
    "normal_cdf": _real(jsp.ndtr),
    "normal_quantile": _real(jsp.ndtri),
    "gamma": gamma,
    "lgamma": _real(jsp.gammaln),
    "digamma": _real(jsp.digamma),
    "beta": beta,
    "lbeta": lbeta,
    "clip": clip,
    "where": lambda c, a, b: jnp.where(c, a, b),
    "interp": interp,
}
