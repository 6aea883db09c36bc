"""The change of variables of one draw: R^k to the support of its distribution, as it is at that moment."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from numpyro.distributions import constraints

from ppl.compiler.ir.supports import Interval, Support
from ppl.core.bijections import TransformBijection, bijector


class Change(NamedTuple):
    """``bijection`` None is the identity."""

    bijection: Any

    def forward(self, free: Any, counted: Any = None) -> tuple[Any, Any]:
        """The value and log |∂z/∂u|, summed over the batch (None for zero). ``counted``: which elements are free
        variables at all, where the others are data."""
        if self.bijection is None:
            return free, None
        if counted is None:
            return self.bijection.forward(free)
        if np.ndim(counted) and isinstance(self.bijection, TransformBijection):
            value = self.bijection.transform(free)
            log_det = self.bijection.transform.log_abs_det_jacobian(free, value)
            return value, jnp.sum(jnp.where(counted, log_det, 0.0))
        value, log_det = self.bijection.forward(free)
        return value, jnp.where(jnp.all(counted), log_det, 0.0)

    def inverse(self, value: Any) -> Any:
        return value if self.bijection is None else self.bijection.inverse(value)


_IDENTITY = Change(None)


def change_of(dist: Any) -> Change:
    return _of_constraint(dist.support)


def _of_constraint(constraint: Any) -> Change:
    base = constraint
    while isinstance(base, type(constraints.real_vector)):
        base = base.base_constraint
    return _IDENTITY if base is constraints.real else Change(bijector(constraint))


def static_change(support: Support) -> Change | None:
    """That of a support which the compiler knows whatever the values are; None if they matter."""
    match support:
        case Interval(dynamic=False, lower=lower, upper=upper):
            if (lower, upper) == (-inf, inf):
                return _IDENTITY
            if upper == inf:
                return _of_constraint(constraints.positive if lower == 0 else constraints.greater_than(lower))
            if lower != -inf:
                return _of_constraint(
                    constraints.unit_interval if (lower, upper) == (0, 1) else constraints.interval(lower, upper)
                )
    return None
