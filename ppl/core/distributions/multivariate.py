"""Distributions over vectors."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax
from jax.scipy.special import gammaln, xlogy
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints
from numpyro.distributions.util import binomial as draw_binomial
from numpyro.distributions.util import cholesky_of_inverse

from ppl.core.distributions.arguments import (
    cholesky_factor,
    count,
    floats,
    lower_triangular,
    positive,
    positive_vector,
    simplex,
)
from ppl.core.distributions.gamma_draw import log_gamma_draw
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.precision import InputPrecision
from ppl.core.distributions.supports import counts_with_total, near_simplex
from ppl.core.numerics import safe_log, times_log


class Dirichlet(dist.Distribution):
    """∏ xᵢ^(αᵢ−1) / B(α) on the simplex; on its boundary the limit."""

    pytree_data_fields = ("concentration",)
    support = constraints.simplex

    def __init__(self, concentration: Array):
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=False)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        a = self.concentration
        return xlogy(a - 1, value).sum(-1) + gammaln(a.sum(-1)) - gammaln(a).sum(-1)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        log_x = log_gamma_draw(key, self.concentration, sample_shape + self.batch_shape + self.event_shape)
        x = jax.nn.softmax(log_x, axis=-1)
        return jnp.maximum(x, jnp.finfo(x.dtype).tiny)  # inside the simplex also where it rounds to its boundary


class Multinomial(dist.Distribution):
    """Counts of ``n`` draws from Categorical(p)."""

    pytree_data_fields = ("n", "p")

    def __init__(self, n: Any, p: Array):
        self.n, self.p = n, p
        super().__init__(lax.broadcast_shapes(jnp.shape(n), p.shape[:-1]), p.shape[-1:], validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return counts_with_total(self.n)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return gammaln(self.n + 1.0) + (times_log(value, safe_log(self.p)) - gammaln(value + 1.0)).sum(-1)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        """Category after category: given the earlier counts, a binomial of what is left."""
        shape = sample_shape + self.batch_shape
        p = jnp.broadcast_to(self.p, shape + self.event_shape)
        rest = jnp.cumsum(p[..., ::-1], -1)[..., ::-1]
        conditional = jnp.clip(jnp.where(rest > 0, p / jnp.where(rest > 0, rest, 1), 0), 0, 1).at[..., -1].set(1)

        def step(left: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
            drawn = draw_binomial(at[0], at[1], left, shape).astype(left.dtype)
            return left - drawn, drawn

        total = jnp.broadcast_to(jnp.asarray(self.n, jnp.result_type(int)), shape)
        keys = jax.random.split(key, p.shape[-1])
        _, counts = lax.scan(step, total, (keys, jnp.moveaxis(conditional, -1, 0)))
        return jnp.moveaxis(counts, 0, -1)


class MultiNormal(InputPrecision, dist.MultivariateNormal):
    pass


class MultiStudentT(dist.MultivariateStudentT):
    """NumPyro's, with our χ² draws."""

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        key_normal, key_gamma = jax.random.split(key)
        dtype = jnp.result_type(float, self.df, self.loc, self.scale_tril)
        z = jax.random.normal(key_normal, self.shape(sample_shape), dtype)
        half = self.df / 2
        log_variance = jnp.log(half) - log_gamma_draw(key_gamma, half, sample_shape + self.batch_shape)
        return self.loc + jnp.exp(0.5 * log_variance)[..., None] * (self.scale_tril @ z[..., None])[..., 0]


def dirichlet(concentration: Any) -> dist.Distribution:
    concentration, valid = positive_vector(*floats(concentration))
    return guard(Dirichlet(jnp.asarray(concentration)), valid, near_simplex)


def multinomial(n: Any, p: Any) -> dist.Distribution:
    (n, valid_n), (p, valid) = count(n if isinstance(n, jax.Array) else np.asarray(n)), simplex(*floats(p))
    return guard(Multinomial(n, jnp.asarray(p)), valid & valid_n, counts_with_total(n))


def multi_normal(loc: Any, cov: Any) -> dist.Distribution:
    loc, cov = floats(loc, cov)
    L, valid = cholesky_factor(cov)
    return guard(MultiNormal(jnp.asarray(loc), scale_tril=L, validate_args=False), valid)


def multi_normal_chol(loc: Any, L: Any) -> dist.Distribution:
    loc, L = floats(loc, L)
    L, valid = lower_triangular(L)
    return guard(MultiNormal(jnp.asarray(loc), scale_tril=L, validate_args=False), valid)


def multi_normal_prec(loc: Any, precision: Any) -> dist.Distribution:
    loc, precision = floats(loc, precision)
    factor, valid = cholesky_factor(precision)
    L = cholesky_of_inverse(factor @ factor.mT)
    return guard(MultiNormal(jnp.asarray(loc), scale_tril=L, validate_args=False), valid)


def multi_student_t(df: Any, loc: Any, L: Any) -> dist.Distribution:
    df, loc, L = floats(df, loc, L)
    (df, valid_df), (L, valid) = positive(df), lower_triangular(L)
    base = MultiStudentT(jnp.asarray(df), jnp.asarray(loc), L, validate_args=False)
    return guard(base, valid & valid_df)
