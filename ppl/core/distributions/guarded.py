"""The guard around a distribution: log density −∞ outside the support and for arguments outside their constraint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.arguments import Valid


def float_dtype(tree: Any) -> Any:
    """The precision of the real arguments in ``tree``; the default one where there are none."""
    return jnp.result_type(
        float, *(x for x in jax.tree.leaves(tree) if jnp.issubdtype(jnp.result_type(x), jnp.inexact))
    )


class Guarded(dist.Distribution):
    """``base``, with log density −∞ where a value is outside of ``domain`` or ``valid`` is false.

    ``domain`` is where ``base.log_prob`` is right; it may hold the boundary of ``support`` (an Exponential has a
    density
    at 0, but is mapped to R from the open half-line). The base density is only evaluated inside, at a feasible point
    where the value is not, so that gradients are finite."""

    pytree_data_fields = ("base", "valid", "domain")

    def __init__(self, base: dist.Distribution, valid: Valid = True, domain: constraints.Constraint | None = None):
        self.base, self.valid, self.domain = base, valid, domain
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return self.base.support

    @property
    def mean(self) -> Array:
        return self.base.mean

    @property
    def variance(self) -> Array:
        return self.base.variance

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.base.sample(key, sample_shape)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        x, ok = self._inside(value)
        ok = ok & self.valid
        log_density = self.base.log_prob(x)
        if self.support.is_discrete:
            # Counts are 64-bit ints where these are enabled: they must not raise the precision of the real arguments.
            log_density = log_density.astype(float_dtype(self.base))
        return log_density if ok is True else jnp.where(ok, log_density, -jnp.inf)

    def cdf(self, value: Any) -> Array:
        return self._probability(self.base.cdf, value, below=0.0, above=1.0)

    def sf(self, value: Any) -> Array:
        """P(X > x), where the base has it in a form that stays exact in the upper tail."""
        if not hasattr(self.base, "sf"):
            return 1 - self.cdf(value)
        return self._probability(self.base.sf, value, below=1.0, above=0.0)

    def _probability(self, function: Callable[[Array], Array], value: Any, below: float, above: float) -> Array:
        x = jnp.asarray(value)
        lower, upper = bounds(self.domain if self.domain is not None else self.support)
        if self.support.is_discrete:
            x = jnp.floor(x)
        is_below, is_above = x < lower, x >= upper
        inside = function(jnp.where(is_below | is_above, self._feasible(x), x))
        probability = jnp.where(is_below, below, jnp.where(is_above, above, inside))
        return probability if self.valid is True else jnp.where(self.valid, probability, jnp.nan)

    def icdf(self, q: Any) -> Array:
        return self.base.icdf(q)

    def _inside(self, value: Any) -> tuple[Array, Any]:
        """The value, replaced by a feasible one where it is outside, and where it was inside."""
        x = jnp.asarray(value)
        if self.domain is None:
            return x, True
        if x.dtype == bool:
            x = x.astype(int)
        inside = self.domain(x)
        mask = inside.reshape(inside.shape + (1,) * self.event_dim)
        return jnp.where(mask, x, self._feasible(x)), inside

    def _feasible(self, x: Array) -> Array:
        domain = self.domain if self.domain is not None else self.support
        return jax.lax.stop_gradient(domain.feasible_like(x)).astype(x.dtype)


def guard(
    base: dist.Distribution, valid: Valid = True, domain: constraints.Constraint | None = None
) -> dist.Distribution:
    """``base`` itself where there is nothing to guard against."""
    return base if valid is True and domain is None else Guarded(base, valid, domain)


def bounds(constraint: constraints.Constraint) -> tuple[Any, Any]:
    """The least and the greatest value of a constraint on scalars; infinite where there is none."""
    if constraint is constraints.boolean:
        return 0, 1
    lower = getattr(constraint, "lower_bound", None)
    upper = getattr(constraint, "upper_bound", None)
    if isinstance(constraint, type(constraints.nonnegative_integer)):
        lower = 0
    return (-jnp.inf if lower is None else lower), (jnp.inf if upper is None else upper)
