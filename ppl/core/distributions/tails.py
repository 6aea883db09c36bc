"""Logarithms of distribution functions, accurate in both tails, and quantiles by bisection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax
from jax.scipy.special import log_ndtr
from jaxtyping import Array

from ppl.core.distributions.copies import Copies
from ppl.core.distributions.guarded import Guarded
from ppl.core.distributions.positive import LogNormal, Pareto, Weibull
from ppl.core.numerics import log_sigmoid, safe_log, safe_log1m


def core(d: dist.Distribution) -> dist.Distribution:
    """The distribution inside of guards and copies."""
    while isinstance(d, (Guarded, Copies)):
        d = d.base
    return d


def log_cdf(d: dist.Distribution, x: Any) -> Array:
    """log P(X ≤ x)."""
    match core(d):
        case dist.Normal(loc=loc, scale=scale):
            return log_ndtr((x - loc) / scale)
        case LogNormal(loc=loc, scale=scale):
            return log_ndtr((safe_log(x) - loc) / scale)
        case dist.Logistic(loc=loc, scale=scale):
            return log_sigmoid((x - loc) / scale)
        case dist.Laplace(loc=loc, scale=scale):
            return _laplace_log_cdf((x - loc) / scale)
        case dist.Gumbel(loc=loc, scale=scale):
            return -jnp.exp(-(x - loc) / scale)
        case dist.Cauchy(loc=loc, scale=scale):
            return jnp.log(jnp.arctan2(1.0, -(x - loc) / scale) / jnp.pi)
        case _:
            return safe_log(d.cdf(x))


def log_sf(d: dist.Distribution, x: Any) -> Array:
    """log P(X > x)."""
    match core(d):
        case dist.Normal(loc=loc, scale=scale):
            return log_ndtr(-(x - loc) / scale)
        case LogNormal(loc=loc, scale=scale):
            return log_ndtr(-(safe_log(x) - loc) / scale)
        case dist.Logistic(loc=loc, scale=scale):
            return log_sigmoid(-(x - loc) / scale)
        case dist.Laplace(loc=loc, scale=scale):
            return _laplace_log_cdf(-(x - loc) / scale)
        case dist.Cauchy(loc=loc, scale=scale):
            return jnp.log(jnp.arctan2(1.0, (x - loc) / scale) / jnp.pi)
        case dist.StudentT(loc=loc):
            return safe_log(d.cdf(2 * loc - x))
        case dist.HalfNormal(scale=scale):
            return jnp.minimum(log_ndtr(-jnp.maximum(x, 0) / scale) + jnp.log(2.0), 0)
        case dist.Exponential(rate=rate):
            return -rate * jnp.maximum(x, 0)
        case Weibull(k=k, scale=scale):
            return -((jnp.maximum(x, 0) / scale) ** k)
        case Pareto(scale=scale, alpha=alpha):
            return -alpha * jnp.log(jnp.maximum(x, scale) / scale)
        case inner if hasattr(inner, "sf"):
            return safe_log(d.sf(x))
        case _:
            return safe_log1m(d.cdf(x))


def _laplace_log_cdf(z: Any) -> Array:
    return jnp.where(z < 0, jnp.minimum(z, 0) - jnp.log(2.0), jnp.log1p(-0.5 * jnp.exp(-jnp.maximum(z, 0))))


def bisect(increasing: Callable[[Array], Array], target: Array, lower: Array, upper: Array) -> Array:
    """The least x in [lower, upper] with increasing(x) ≥ target, to the last bit; ``upper`` where there is none.

    Bisects the order of the floats themselves (or of the ints), so that it needs no scale and stops after as many steps
    as they have bits. Not differentiable."""
    shape = jnp.broadcast_shapes(jnp.shape(target), jnp.shape(lower), jnp.shape(upper))
    low, high = (_rank(jnp.broadcast_to(x, shape)) for x in (lower, upper))
    dtype = jnp.asarray(lower).dtype

    def halve(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low & high) + ((low ^ high) >> 1)
        enough = increasing(_unrank(middle, dtype)) >= target
        return jnp.where(enough, low, jnp.minimum(middle + 1, high)), jnp.where(enough, middle, high)

    low, high = lax.fori_loop(0, low.dtype.itemsize * 8, halve, (low, high))
    return _unrank(high, dtype)


def _rank(x: Array) -> Array:
    """Floats as ints in the same order."""
    if jnp.issubdtype(x.dtype, jnp.integer):
        return x
    bits = lax.bitcast_convert_type(x, jnp.dtype(f"int{x.dtype.itemsize * 8}"))
    return jnp.where(bits < 0, jnp.iinfo(bits.dtype).min - bits, bits)


def _unrank(rank: Array, dtype: Any) -> Array:
    if jnp.issubdtype(dtype, jnp.integer):
        return rank
    return lax.bitcast_convert_type(jnp.where(rank < 0, jnp.iinfo(rank.dtype).min - rank, rank), dtype)
