"""Distributions over matrices."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.arguments import cholesky_factor, floats, positive
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.supports import correlation, correlation_factor, positive_definite


class LKJ(dist.Distribution):
    """det(R)^(eta−1) over K × K correlation matrices (Lewandowski, Kurowicka, Joe 2009)."""

    pytree_data_fields = ("factor",)
    support = constraints.corr_matrix

    def __init__(self, factor: dist.LKJCholesky):
        self.factor = factor
        super().__init__(factor.batch_shape, factor.event_shape, validate_args=False)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        L = jnp.linalg.cholesky(value)
        K = value.shape[-1]
        jacobian = (np.arange(K - 1, -1, -1) * jnp.log(L.diagonal(0, -2, -1))).sum(-1)  # |∂R/∂L| = ∏ Lᵢᵢ^(K−i), i from 1
        return self.factor.log_prob(L) - jacobian

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        L = self.factor.sample(key, sample_shape)
        return L @ L.mT


class _UnitMatrix(dist.Distribution):
    """The only 1 × 1 correlation matrix and its factor: [[1]], with density one."""

    pytree_data_fields = ("eta",)
    pytree_aux_fields = ("factor",)

    def __init__(self, eta: Any, factor: bool):
        self.eta, self.factor = eta, factor
        super().__init__(jnp.shape(eta), (1, 1), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.corr_cholesky if self.factor else constraints.corr_matrix

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return jnp.zeros(jnp.broadcast_shapes(value.shape[:-2], self.batch_shape), jnp.result_type(float, value))

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return jnp.ones(sample_shape + self.batch_shape + (1, 1), jnp.result_type(float, self.eta))


class Wishart(dist.Wishart):
    """NumPyro's, with ``df`` and the Cholesky factor of the scale."""

    def __init__(self, df: Any, factor: Array):
        super().__init__(jnp.asarray(df), scale_tril=factor, validate_args=False)


def lkj(K: Any, eta: Any) -> dist.Distribution:
    eta, valid = positive(*floats(eta))
    base = LKJ(dist.LKJCholesky(int(K), eta, validate_args=False)) if int(K) > 1 else _UnitMatrix(eta, factor=False)
    return guard(base, valid, correlation)


def lkj_cholesky(K: Any, eta: Any) -> dist.Distribution:
    eta, valid = positive(*floats(eta))
    base = dist.LKJCholesky(int(K), eta, validate_args=False) if int(K) > 1 else _UnitMatrix(eta, factor=True)
    return guard(base, valid, correlation_factor)


def wishart(df: Any, scale: Any) -> dist.Distribution:
    df, scale = floats(df, scale)
    factor, valid = cholesky_factor(scale)
    size = np.shape(scale)[-1]
    excess, valid_df = positive(df - (size - 1))
    return guard(Wishart(excess + (size - 1), factor), valid & valid_df, positive_definite)
