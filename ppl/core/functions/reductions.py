"""Functions of whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from ppl.core.functions.arithmetic import as_number, as_real
from ppl.core.functions.special import sqrt
from ppl.core.numerics import log_sum_exp


def minimum(a: Any, *rest: Any) -> Array:
    """Of one array: its least element. Of two arguments: element by element."""
    return jnp.minimum(a, *rest) if rest else jnp.min(a)


def maximum(a: Any, *rest: Any) -> Array:
    return jnp.maximum(a, *rest) if rest else jnp.max(a)


def norm(x: Any) -> Array:
    """Euclidean length, without overflow; derivative 0 at 0."""
    x = as_real(x)
    scale = lax.stop_gradient(jnp.max(jnp.abs(x), initial=0))
    scale = jnp.where((scale > 0) & jnp.isfinite(scale), scale, 1)
    return scale * sqrt(jnp.sum(jnp.square(x / scale)))


def sd(x: Any) -> Array:
    """Standard deviation, dividing by n; derivative 0 where all elements are equal."""
    return sqrt(jnp.var(as_real(x)))


def logsumexp(x: Any) -> Array:
    return log_sum_exp(as_real(x).ravel())


def logmeanexp(x: Any) -> Array:
    return logsumexp(x) - jnp.log(float(jnp.size(x)))


def _over(f: Callable[[Array], Array]) -> Callable[[Any], Array]:
    return lambda x: f(as_real(x))


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "min": minimum,
    "max": maximum,
    "sum": lambda x: jnp.sum(as_number(x)),
    "prod": lambda x: jnp.prod(as_number(x)),
    "mean": _over(jnp.mean),
    "var": _over(jnp.var),
    "sd": sd,
    "norm": norm,
    "logsumexp": logsumexp,
    "logmeanexp": logmeanexp,
    "cumsum": lambda x: jnp.cumsum(as_number(x), axis=-1),
    "cumprod": lambda x: jnp.cumprod(as_number(x), axis=-1),
    "sort": lambda x: jnp.sort(x, axis=-1),
    "argsort": lambda x: jnp.argsort(x, axis=-1).astype(jnp.result_type(int)),
    "argmin": lambda x: jnp.argmin(x).astype(jnp.result_type(int)),
    "argmax": lambda x: jnp.argmax(x).astype(jnp.result_type(int)),
    "softmax": _over(lambda x: jax.nn.softmax(x, axis=-1)),
    "log_softmax": _over(lambda x: jax.nn.log_softmax(x, axis=-1)),
    "length": lambda x: jnp.shape(jax.tree.leaves(x)[0])[0],
}
