"""A distribution restricted to an interval."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.arguments import floats
from ppl.core.distributions.guarded import Guarded, bounds
from ppl.core.distributions.supports import interval
from ppl.core.distributions.tails import bisect, log_cdf, log_sf
from ppl.core.numerics import log_difference


class Truncated(dist.Distribution):
    """``base`` given lower ≤ x ≤ upper (discrete: both included): density base(x) / P(lower ≤ X ≤ upper).

    The mass is a difference of tail probabilities on the side where these are small, in logarithms, so that it stays exact
    far out. Draws invert that same tail; their derivative with respect to the arguments is the implicit one."""

    pytree_data_fields = ("base", "lower", "upper")

    def __init__(self, base: dist.Distribution, lower: Any, upper: Any):
        self.base, self.lower, self.upper = base, lower, upper
        batch_shape = lax.broadcast_shapes(base.batch_shape, jnp.shape(lower), jnp.shape(upper))
        super().__init__(batch_shape, (), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return interval(self.lower, self.upper, self.base.support.is_discrete)

    @property
    def _below(self) -> Any:
        """P(X ≤ this) is the mass below the interval."""
        return self.lower - 1 if self.base.support.is_discrete else self.lower

    def _log_tails(self) -> tuple[Array, Array, Array]:
        """Whether the upper tail is used; the logarithms of the smaller and the greater probability in it."""
        below = log_cdf(self.base, self._below)
        right = below > -jnp.log(2.0)
        small = jnp.where(right, log_sf(self.base, self.upper), below)
        great = jnp.where(right, log_sf(self.base, self._below), log_cdf(self.base, self.upper))
        return right, small, great

    def log_mass(self) -> Array:
        _, small, great = self._log_tails()
        return log_difference(great, small)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return self.base.log_prob(value) - self.log_mass()

    def cdf(self, value: Any) -> Array:
        right, small, great = self._log_tails()
        part = jnp.where(
            right,
            log_difference(great, log_sf(self.base, value)),
            log_difference(log_cdf(self.base, value), small),
        )
        return jnp.clip(jnp.exp(part - log_difference(great, small)), 0, 1)

    def icdf(self, q: Any) -> Array:
        right, small, great = self._log_tails()
        dtype = jnp.result_type(int) if self.base.support.is_discrete else jnp.result_type(float, small)
        low, high = (_finite(b, dtype) for b in (self.lower, self.upper))
        # In the upper tail the probability falls from great at q = 0 to small at q = 1.
        step = jnp.where(right, -q, q)
        target = jnp.where(
            right,
            jnp.logaddexp(small, log_difference(great, small) + jnp.log1p(step)),
            jnp.logaddexp(small, log_difference(great, small) + jnp.log(jnp.abs(step))),
        )

        def increasing(x: Array) -> Array:
            return jnp.where(right, -log_sf(self.base, x), log_cdf(self.base, x))

        goal = jnp.where(right, -target, target)
        x = lax.stop_gradient(bisect(increasing, lax.stop_gradient(goal), low, high))
        if self.base.support.is_discrete:
            return x
        # One Newton step from the solution: value unchanged, derivative that of the implicit function.
        slope = jnp.exp(self.base.log_prob(x) - jnp.where(right, log_sf(self.base, x), log_cdf(self.base, x)))
        slope = lax.stop_gradient(jnp.where((slope > 0) & jnp.isfinite(slope), slope, jnp.inf))
        moving = goal - increasing(x)
        return x + (moving - lax.stop_gradient(moving)) / slope

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        dtype = jnp.result_type(float, self.log_mass())
        tiny = jnp.finfo(dtype).tiny
        return self.icdf(jax.random.uniform(key, sample_shape + self.batch_shape, dtype, minval=tiny))


def _finite(bound: Any, dtype: Any) -> Array:
    """The bound as a value of ``dtype``; an infinite one as the greatest (for ints half of it: sums must not overflow)."""
    if not jnp.issubdtype(dtype, jnp.integer):
        limits = jnp.finfo(dtype)
        return jnp.clip(bound, limits.min, limits.max).astype(dtype)
    most = jnp.iinfo(dtype).max // 2
    infinite = jnp.isinf(jnp.asarray(bound, jnp.result_type(float)))
    return jnp.where(infinite, most, jnp.where(infinite, 0, bound).astype(dtype))


def _inside(D: dist.Distribution, lower: Any, upper: Any) -> tuple[Any, Any]:
    """The bounds, no wider than the support of D; whole numbers for discrete D."""
    low, high = bounds(D.support)
    (lower,) = floats(low if lower is None else lower)
    (upper,) = floats(high if upper is None else upper)
    if D.support.is_discrete:
        lower, upper = jnp.ceil(lower), jnp.floor(upper)
    return jnp.maximum(lower, low), jnp.minimum(upper, high)


def truncated(D: dist.Distribution, lower: Any = None, upper: Any = None) -> dist.Distribution:
    """D given lower ≤ x ≤ upper; a bound that is not given is that of D."""
    if D.event_shape:
        raise ValueError("truncated(D, …) needs a distribution over scalars; truncate the components instead: iid(truncated(…), n)")
    low, high = _inside(D, lower, upper)
    valid = (low <= high) & (Truncated(D, low, high).log_mass() > -jnp.inf)
    widest = _inside(D, None, None)
    safe = Truncated(D, jnp.where(valid, low, widest[0]), jnp.where(valid, high, widest[1]))
    return Guarded(safe, valid, interval(low, high, D.support.is_discrete))
