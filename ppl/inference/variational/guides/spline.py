"""Increasing rational-quadratic splines on the real line (Durkan, Bekasov, Murray, Papamakarios 2019)."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_LEAST = 1e-3  # width or height of a bin as a share of the interval, and slope at a knot


class Knots(NamedTuple):
    """x, y, slope at the ends of the bins, each [..., bins + 1], from −bound to bound with slope one at both ends."""

    x: Float[Array, "... k"]
    y: Float[Array, "... k"]
    slope: Float[Array, "... k"]


def knots(raw: Float[Array, "... 3b-1"], bins: int, bound: float) -> Knots:
    """Knots from 3 · bins − 1 unconstrained numbers; all zero: the identity."""
    widths, heights, slopes = jnp.split(raw, [bins, 2 * bins], axis=-1)
    inner = _LEAST + (1 - _LEAST) * jax.nn.softplus(slopes + jnp.log(jnp.e - 1))
    ends = jnp.ones((*raw.shape[:-1], 1), raw.dtype)
    return Knots(_places(widths, bound), _places(heights, bound), jnp.concatenate([ends, inner, ends], -1))


def _places(raw: Array, bound: float) -> Array:
    bins = raw.shape[-1]
    share = _LEAST + (1 - _LEAST * bins) * jax.nn.softmax(raw, axis=-1)
    inner = -bound + 2 * bound * jnp.cumsum(share, axis=-1)[..., :-1]
    end = jnp.full((*raw.shape[:-1], 1), bound, raw.dtype)
    return jnp.concatenate([-end, inner, end], -1)


def _bin(values: Array, at: Array) -> tuple[Array, Array]:
    """The two ends of bin ``at``."""
    left = jnp.take_along_axis(values, at[..., None], -1)[..., 0]
    right = jnp.take_along_axis(values, at[..., None] + 1, -1)[..., 0]
    return left, right


def _locate(places: Array, value: Array) -> Array:
    return jnp.clip(jnp.sum(value[..., None] >= places, axis=-1) - 1, 0, places.shape[-1] - 2)


def forward(k: Knots, x: Float[Array, ...]) -> tuple[Float[Array, ...], Float[Array, ...]]:
    """y and log dy/dx, elementwise; the identity outside the interval. ``x`` has the leading axes of the knots."""
    outside = (x <= k.x[..., 0]) | (x >= k.x[..., -1])
    inside = jnp.where(outside, 0.0, x)
    at = _locate(k.x, inside)
    (x0, x1), (y0, y1), (d0, d1) = _bin(k.x, at), _bin(k.y, at), _bin(k.slope, at)
    t, s = (inside - x0) / (x1 - x0), (y1 - y0) / (x1 - x0)
    below = s + (d1 + d0 - 2 * s) * t * (1 - t)
    y = y0 + (y1 - y0) * (s * t**2 + d0 * t * (1 - t)) / below
    log_slope = jnp.log(s**2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)) - 2 * jnp.log(below)
    return jnp.where(outside, x, y), jnp.where(outside, 0.0, log_slope)


def inverse(k: Knots, y: Float[Array, ...]) -> tuple[Float[Array, ...], Float[Array, ...]]:
    """x with forward(x) = y, and log dy/dx there: the root of a quadratic in the bin."""
    outside = (y <= k.y[..., 0]) | (y >= k.y[..., -1])
    inside = jnp.where(outside, 0.0, y)
    at = _locate(k.y, inside)
    (x0, x1), (y0, y1), (d0, d1) = _bin(k.x, at), _bin(k.y, at), _bin(k.slope, at)
    s, r = (y1 - y0) / (x1 - x0), inside - y0
    a = (y1 - y0) * (s - d0) + r * (d1 + d0 - 2 * s)
    b = (y1 - y0) * d0 - r * (d1 + d0 - 2 * s)
    c = -s * r
    t = 2 * c / (-b - jnp.sqrt(jnp.maximum(b**2 - 4 * a * c, 0.0)))
    x = jnp.where(outside, y, x0 + t * (x1 - x0))
    return x, forward(k, x)[1]
