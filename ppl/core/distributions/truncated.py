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
from ppl.core.distributions.errors import DistributionError
from ppl.core.distributions.guarded import Guarded, bounds
from ppl.core.distributions.supports import interval, is_infinite
from ppl.core.distributions.tails import bisect, log_cdf, log_sf
from ppl.core.numerics import log_difference


class Truncated(dist.Distribution):
    """``base`` given lower ≤ x ≤ upper (discrete: both included): density base(x) / P(lower ≤ X ≤ upper).

    The mass is taken in the logarithms of one tail, where it is small, so that it stays exact far out: the upper tail
    where
    only ``lower`` was given (``side`` "above"), the lower one where only ``upper`` was ("below"), else whichever is the
    smaller ("between"). Draws invert that same tail; their derivative by the arguments is the implicit one."""

    pytree_data_fields = ("base", "lower", "upper", "log_mass")
    pytree_aux_fields = ("side",)

    def __init__(self, base: dist.Distribution, lower: Any, upper: Any, side: str):
        self.base, self.lower, self.upper, self.side = base, lower, upper, side
        _, small, great = self._log_tails()
        self.log_mass = log_difference(great, small)
        batch_shape = lax.broadcast_shapes(base.batch_shape, jnp.shape(lower), jnp.shape(upper))
        super().__init__(batch_shape, (), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return interval(self.lower, self.upper, self.base.support.is_discrete)

    def _log_tails(self) -> tuple[Any, Any, Any]:
        """Whether the upper tail is used; the logarithms of the smaller and the greater probability in it."""
        below = self.lower - 1 if self.base.support.is_discrete else self.lower  # P(X ≤ below) is the mass before it
        if self.side == "above":
            return True, -jnp.inf, log_sf(self.base, below)
        if self.side == "below":
            return False, -jnp.inf, log_cdf(self.base, self.upper)
        before = log_cdf(self.base, below)
        right = before > -jnp.log(2.0)
        small = jnp.where(right, log_sf(self.base, self.upper), before)
        return right, small, jnp.where(right, log_sf(self.base, below), log_cdf(self.base, self.upper))

    def _log_tail(self, right: Any, x: Any) -> Array:
        if right is True or right is False:
            return log_sf(self.base, x) if right else log_cdf(self.base, x)
        return jnp.where(right, log_sf(self.base, x), log_cdf(self.base, x))

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return self.base.log_prob(value) - jnp.where(self.log_mass > -jnp.inf, self.log_mass, 0)

    def cdf(self, value: Any) -> Array:
        right, small, great = self._log_tails()
        tail = self._log_tail(right, value)
        part = jnp.where(right, log_difference(great, tail), log_difference(tail, small))
        return jnp.clip(jnp.exp(part - self.log_mass), 0, 1)

    def icdf(self, q: Any) -> Array:
        right, small, great = self._log_tails()
        discrete = self.base.support.is_discrete
        dtype = jnp.result_type(int) if discrete else jnp.result_type(float, self.log_mass)
        # In the upper tail the probability falls from great at q = 0 to small at q = 1.
        share = jnp.where(right, jnp.log1p(-q), jnp.log(q))
        target = jnp.logaddexp(small, self.log_mass + share)
        sign = jnp.where(right, -1.0, 1.0)

        def increasing(x: Array) -> Array:
            return sign * self._log_tail(right, x)

        low, high = (_finite(b, dtype) for b in (self.lower, self.upper))
        x = lax.stop_gradient(bisect(increasing, lax.stop_gradient(sign * target), low, high))
        if discrete:
            return x
        # One Newton step from the solution: its value is zero, its derivative that of the implicit function.
        slope = lax.stop_gradient(jnp.exp(self.base.log_prob(x) - self._log_tail(right, x)))
        gap = sign * target - increasing(x)
        return x + (gap - lax.stop_gradient(gap)) / jnp.where((slope > 0) & jnp.isfinite(slope), slope, jnp.inf)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        dtype = jnp.result_type(float, self.log_mass)
        q = jax.random.uniform(key, sample_shape + self.batch_shape, dtype, minval=jnp.finfo(dtype).tiny)
        return self.icdf(q)


def _finite(bound: Any, dtype: Any) -> Array:
    """The bound as a value of ``dtype``; an infinite one as the greatest (for ints half of it: sums must not
    overflow)."""
    if not jnp.issubdtype(dtype, jnp.integer):
        limits = jnp.finfo(dtype)
        return jnp.clip(bound, limits.min, limits.max).astype(dtype)
    most = jnp.iinfo(dtype).max // 2
    infinite = jnp.isinf(jnp.asarray(bound, jnp.result_type(float)))
    return jnp.where(infinite, most, jnp.where(infinite, 0, bound).astype(dtype))


def _inside(D: dist.Distribution, lower: Any, upper: Any) -> tuple[Any, Any]:
    """The bounds, no wider than the support of D; whole numbers for discrete D. A bound that is not given stays what
    it is in D, so that an infinite one is known to be infinite."""
    low, high = bounds(D.support)
    if lower is not None:
        (lower,) = floats(lower)
        lower = jnp.ceil(lower) if D.support.is_discrete else lower
        low = lower if is_infinite(low) else jnp.maximum(lower, low)
    if upper is not None:
        (upper,) = floats(upper)
        upper = jnp.floor(upper) if D.support.is_discrete else upper
        high = upper if is_infinite(high) else jnp.minimum(upper, high)
    return low, high


def truncated(D: dist.Distribution, lower: Any = None, upper: Any = None) -> dist.Distribution:
    """D given lower ≤ x ≤ upper; a bound that is not given is that of D."""
    if D.event_shape:
        raise DistributionError(
            "truncated(D, …) needs a distribution over scalars",
            helps=("truncate the components: iid(truncated(D, …), n)",),
        )
    side = "above" if upper is None else "below" if lower is None else "between"
    low, high = _inside(D, lower, upper)
    try:
        base = Truncated(D, low, high, side)
    except NotImplementedError as error:
        raise DistributionError(
            "truncated(D, …) needs the distribution function of D, which a distribution declared with `dist` has not",
            helps=("declare the truncated distribution itself, with its normalised density in logpdf",),
        ) from error
    valid = (low <= high) & (base.log_mass > -jnp.inf)
    return Guarded(base, valid, interval(low, high, D.support.is_discrete))
