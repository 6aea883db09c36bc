"""Distributions over matrices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax
from jax.scipy.linalg import solve_triangular
from jax.scipy.special import multigammaln
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.arguments import cholesky_factor, floats, positive
from ppl.core.distributions.gamma_draw import log_gamma_draw
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.interval import Beta
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
        jacobian = (np.arange(K - 1, -1, -1) * jnp.log(L.diagonal(0, -2, -1))).sum(
            -1
        )  # |∂R/∂L| = ∏ Lᵢᵢ^(K−i), i from 1
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


class LKJCholesky(dist.LKJCholesky):
    """NumPyro's, with our Beta draws for the lengths of its rows: they stay below one."""

    _beta: Any  # NumPyro's Beta, then ours: only their parameters are alike

    def __init__(self, K: int, eta: Any):
        super().__init__(K, eta, validate_args=False)
        self._beta = Beta(a=self._beta.concentration1, b=self._beta.concentration0)


class Wishart(dist.Distribution):
    """Of p × p matrices with ``df`` degrees of freedom and scale S = L Lᵀ: mean df · S."""

    pytree_data_fields = ("df", "factor")
    support = constraints.positive_definite

    def __init__(self, df: Array, factor: Array):
        self.df, self.factor = df, factor
        super().__init__(lax.broadcast_shapes(df.shape, factor.shape[:-2]), factor.shape[-2:], validate_args=False)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        p = self.factor.shape[-1]
        root = jnp.linalg.cholesky(value)
        factor = jnp.broadcast_to(self.factor, root.shape)
        trace = jnp.square(solve_triangular(factor, root, lower=True)).sum((-2, -1))
        half_log_det, half_log_det_scale = (jnp.log(m.diagonal(0, -2, -1)).sum(-1) for m in (root, self.factor))
        normalizer = self.df * (0.5 * p * jnp.log(2.0) + half_log_det_scale) + multigammaln(self.df / 2, p)
        return (self.df - p - 1) * half_log_det - 0.5 * trace - normalizer

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        """Bartlett's decomposition: L A Aᵀ Lᵀ, A lower triangular with normal elements below and χ on the diagonal."""
        key_normal, key_chi = jax.random.split(key)
        shape, p = sample_shape + self.batch_shape, self.factor.shape[-1]
        dtype = jnp.result_type(float, self.df, self.factor)
        half_df = (self.df[..., None] - jnp.arange(p, dtype=dtype)) / 2
        chi = jnp.exp(0.5 * (jnp.log(2.0) + log_gamma_draw(key_chi, half_df, (*shape, p))))
        below = jnp.tril(jax.random.normal(key_normal, (*shape, p, p), dtype), -1)
        root = self.factor @ (below + chi[..., None] * jnp.eye(p, dtype=dtype))
        return root @ root.mT


def lkj(K: Any, eta: Any) -> dist.Distribution:
    eta, valid = positive(*floats(eta))
    base = LKJ(LKJCholesky(int(K), eta)) if int(K) > 1 else _UnitMatrix(eta, factor=False)
    return guard(base, valid, correlation)


def lkj_cholesky(K: Any, eta: Any) -> dist.Distribution:
    eta, valid = positive(*floats(eta))
    base = LKJCholesky(int(K), eta) if int(K) > 1 else _UnitMatrix(eta, factor=True)
    return guard(base, valid, correlation_factor)


def wishart(df: Any, scale: Any) -> dist.Distribution:
    df, scale = floats(df, scale)
    factor, valid = cholesky_factor(scale)
    size = np.shape(scale)[-1]
    excess, valid_df = positive(df - (size - 1))
    return guard(Wishart(jnp.asarray(excess + (size - 1)), factor), valid & valid_df, positive_definite)
