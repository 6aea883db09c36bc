"""Constraints that NumPyro lacks, or checks too strictly for values that were computed in floating point."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro.distributions import constraints


def tolerance(x: Any) -> float:
    """How far a computed value may be from an equality that defines its support: √ε."""
    return float(jnp.finfo(jnp.result_type(float, x)).eps) ** 0.5


class OneOf(constraints.Constraint):
    """The listed values, along the last axis (in front of it batch axes)."""

    is_discrete = True

    def __init__(self, values: Array):
        self.values = values

    def __call__(self, x: Any) -> Array:
        return (jnp.asarray(x)[..., None] == self.values).any(-1)

    def __repr__(self) -> str:
        return f"OneOf({self.values})"

    def feasible_like(self, prototype: Array) -> Array:
        return jnp.broadcast_to(jnp.asarray(self.values)[..., 0], jnp.shape(prototype))

    def tree_flatten(self) -> Any:
        return (self.values,), (("values",), {})

    def eq(self, other: object, static: bool = False) -> Any:
        if not isinstance(other, OneOf) or np.shape(other.values) != np.shape(self.values):
            return False
        return other.values is self.values if static else jnp.all(other.values == self.values)


class _Matrix(constraints.ParameterFreeConstraint):
    event_dim = 2

    def feasible_like(self, prototype: Array) -> Array:
        return jnp.broadcast_to(jnp.eye(prototype.shape[-1], dtype=prototype.dtype), prototype.shape)


class _NearSimplex(constraints.ParameterFreeConstraint):
    """Nonnegative with sum 1 up to rounding."""

    event_dim = 1

    def __call__(self, x: Array) -> Array:
        return (x >= 0).all(-1) & (jnp.abs(x.sum(-1) - 1) <= tolerance(x))

    def feasible_like(self, prototype: Array) -> Array:
        return jnp.full_like(prototype, 1 / max(prototype.shape[-1], 1))


class _CholeskyExists(_Matrix):
    """Symmetric positive definite: the factorisation succeeds."""

    def __call__(self, x: Array) -> Array:
        x = jax.lax.stop_gradient(x)
        scale = jnp.abs(x).max((-2, -1), keepdims=True)
        symmetric = (jnp.abs(x - x.mT) <= tolerance(x) * scale).all((-2, -1))
        return symmetric & jnp.isfinite(jnp.linalg.cholesky(x)).all((-2, -1))


class _Correlation(_CholeskyExists):
    def __call__(self, x: Array) -> Array:
        diagonal = x.diagonal(0, -2, -1)
        return super().__call__(x) & (jnp.abs(diagonal - 1) <= tolerance(x)).all(-1)


class _CorrelationFactor(_Matrix):
    """Lower triangular, positive diagonal, rows of length one."""

    def __call__(self, x: Array) -> Array:
        lower = (jnp.tril(x) == x).all((-2, -1))
        diagonal = (x.diagonal(0, -2, -1) > 0).all(-1)
        return lower & diagonal & (jnp.abs((x * x).sum(-1) - 1) <= tolerance(x)).all(-1)


class CountsWithTotal(constraints.Constraint):
    """Vectors of counts with the sum ``total``."""

    is_discrete = True
    event_dim = 1

    def __init__(self, total: Any):
        self.total = total

    def __call__(self, x: Array) -> Array:
        return ((x >= 0) & (x == jnp.floor(x))).all(-1) & (x.sum(-1) == self.total)

    def __repr__(self) -> str:
        return f"CountsWithTotal({self.total})"

    def feasible_like(self, prototype: Array) -> Array:
        first = jnp.arange(prototype.shape[-1]) == 0
        return jnp.broadcast_to(jnp.where(first, jnp.asarray(self.total)[..., None], 0), prototype.shape)

    def tree_flatten(self) -> Any:
        return (self.total,), (("total",), {})


one_of = OneOf
near_simplex = _NearSimplex()
positive_definite = _CholeskyExists()
correlation = _Correlation()
correlation_factor = _CorrelationFactor()
counts_with_total = CountsWithTotal


def is_infinite(bound: Any) -> bool:
    """Whether a bound is known to be infinite."""
    return not isinstance(bound, jax.core.Tracer) and bool(np.all(np.isinf(np.asarray(bound, float))))


def interval(lower: Any, upper: Any, discrete: bool = False) -> constraints.Constraint:
    """The constraint ``lower ≤ x ≤ upper`` on reals or on ints; infinite bounds are left out."""
    below, above = is_infinite(lower), is_infinite(upper)
    if discrete:
        if above and not below:
            return constraints.integer_greater_than(lower)
        return constraints.integer_interval(lower, upper)
    if below and above:
        return constraints.real
    if above:
        return constraints.greater_than_eq(lower)
    return constraints.less_than_eq(upper) if below else constraints.interval(lower, upper)


class _Nondecreasing(constraints.ParameterFreeConstraint):
    event_dim = 1

    def __call__(self, x: Array) -> Array:
        return (x[..., 1:] >= x[..., :-1]).all(-1)

    def feasible_like(self, prototype: Array) -> Array:
        return jnp.sort(prototype, axis=-1)


class IncreasingWithin(constraints.Constraint):
    """Increasing vectors with elements in ``base``, an interval."""

    event_dim = 1

    def __init__(self, base: constraints.Constraint):
        self.base = base

    def __call__(self, x: Array) -> Array:
        return nondecreasing(x) & self.base(jnp.moveaxis(x, -1, 0)).all(0)

    def __repr__(self) -> str:
        return f"IncreasingWithin({self.base!r})"

    def feasible_like(self, prototype: Array) -> Array:
        return self.base.feasible_like(prototype)

    def tree_flatten(self) -> Any:
        return (self.base,), (("base",), {})


nondecreasing = _Nondecreasing()


def increasing_within(base: constraints.Constraint) -> constraints.Constraint:
    if base is constraints.real:
        return constraints.ordered_vector
    return constraints.positive_ordered_vector if base is constraints.positive else IncreasingWithin(base)
