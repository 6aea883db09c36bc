"""Distributions on the real line: NumPyro's, with guarded scales."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpyro.distributions as dist
from jaxtyping import Array, PRNGKeyArray

from ppl.core.distributions.arguments import floats, positive
from ppl.core.distributions.gamma_draw import t_draw
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.incomplete_beta import betainc
from ppl.core.distributions.precision import InputPrecision
from ppl.core.numerics import HALF_LOG_2PI, log_positive


class Normal(InputPrecision, dist.Normal):
    """NumPyro's, with log σ by itself: where σ = exp(u) the compiler cancels the two, and constants cost nothing."""

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        z = (value - self.loc) / self.scale
        return -0.5 * jnp.square(z) - (log_positive(self.scale) + HALF_LOG_2PI)


class Cauchy(InputPrecision, dist.Cauchy):
    pass


class Laplace(InputPrecision, dist.Laplace):
    pass


class Gumbel(InputPrecision, dist.Gumbel):
    pass


class StudentT(dist.StudentT):
    """NumPyro's, with a distribution function that keeps its relative precision in both tails."""

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        dtype = jnp.result_type(float, self.df, self.loc, self.scale)
        return self.loc + self.scale * t_draw(key, self.df, sample_shape + self.batch_shape, dtype)

    def cdf(self, value: Any) -> Array:
        z = (value - self.loc) / self.scale
        tail = 0.5 * betainc(0.5 * self.df, 0.5, self.df / (self.df + z**2))
        return jnp.where(z > 0, 1 - tail, tail)


class Logistic(InputPrecision, dist.Logistic):
    """NumPyro's density overflows far to the left: −z − 2 softplus(−z) is written with |z|, by symmetry."""

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        z = jnp.abs(value - self.loc) / self.scale
        return -z - 2 * jnp.log1p(jnp.exp(-z)) - jnp.log(self.scale)


def normal(loc: Any, scale: Any) -> dist.Distribution:
    loc, scale = floats(loc, scale)
    scale, valid = positive(scale)
    return guard(Normal(loc, scale, validate_args=False), valid)


def student_t(df: Any, loc: Any, scale: Any) -> dist.Distribution:
    df, loc, scale = floats(df, loc, scale)
    (df, valid_df), (scale, valid) = positive(df), positive(scale)
    return guard(StudentT(df, loc, scale, validate_args=False), valid & valid_df)


def cauchy(loc: Any, scale: Any) -> dist.Distribution:
    loc, scale = floats(loc, scale)
    scale, valid = positive(scale)
    return guard(Cauchy(loc, scale, validate_args=False), valid)


def laplace(loc: Any, scale: Any) -> dist.Distribution:
    loc, scale = floats(loc, scale)
    scale, valid = positive(scale)
    return guard(Laplace(loc, scale, validate_args=False), valid)


def logistic(loc: Any, scale: Any) -> dist.Distribution:
    loc, scale = floats(loc, scale)
    scale, valid = positive(scale)
    return guard(Logistic(loc, scale, validate_args=False), valid)


def gumbel(loc: Any, scale: Any) -> dist.Distribution:
    loc, scale = floats(loc, scale)
    scale, valid = positive(scale)
    return guard(Gumbel(loc, scale, validate_args=False), valid)
