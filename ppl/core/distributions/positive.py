"""Distributions on the positive half-line."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax.scipy.special import gammainc, gammaincc, gammaln, ndtr, xlogy
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.arguments import floats, positive
from ppl.core.distributions.gamma_draw import log_gamma_draw, t_draw
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.incomplete_beta import betainc
from ppl.core.distributions.precision import InputPrecision
from ppl.core.distributions.scalar import Scalar
from ppl.core.numerics import HALF_LOG_2PI, log_positive


def _float_dtype(*parameters: Any) -> Any:
    return jnp.result_type(float, *parameters)


def _positive_exp(log_x: Array) -> Array:
    """exp, kept inside the open half-line where it would round to 0 or overflow."""
    limits = jnp.finfo(log_x.dtype)
    return jnp.clip(jnp.exp(log_x), limits.tiny, limits.max)


class LogNormal(Scalar):
    """exp of a Normal(loc, scale)."""

    pytree_data_fields = ("loc", "scale")
    support = constraints.positive

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        log_x = jnp.log(value)
        return dist.Normal(self.loc, self.scale, validate_args=False).log_prob(log_x) - log_x

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        shape = sample_shape + self.batch_shape
        z = jax.random.normal(key, shape, _float_dtype(self.loc, self.scale))
        return _positive_exp(self.loc + self.scale * z)

    def cdf(self, value: Any) -> Array:
        return ndtr((jnp.log(value) - self.loc) / self.scale)

    def icdf(self, q: Any) -> Array:
        return jnp.exp(dist.Normal(self.loc, self.scale, validate_args=False).icdf(q))


class HalfStudentT(Scalar):
    """|x| of a StudentT(df, 0, scale)."""

    pytree_data_fields = ("df", "scale")
    support = constraints.positive

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return dist.StudentT(self.df, 0.0, self.scale, validate_args=False).log_prob(value) + jnp.log(2.0)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        shape = sample_shape + self.batch_shape
        return self.scale * jnp.abs(t_draw(key, self.df, shape, _float_dtype(self.df, self.scale)))

    def cdf(self, value: Any) -> Array:
        z2 = (value / self.scale) ** 2
        return betainc(0.5, 0.5 * self.df, z2 / (self.df + z2))


class Gamma(Scalar):
    """rate^shape x^(shape−1) exp(−rate x) / Γ(shape); at 0 its limit: ∞, rate or 0 as shape is below, at or above 1."""

    pytree_data_fields = ("alpha", "rate")
    support = constraints.positive

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return xlogy(self.alpha - 1, self.rate * value) - self.rate * value + jnp.log(self.rate) - gammaln(self.alpha)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        draw = log_gamma_draw(key, self.alpha, sample_shape + self.batch_shape)
        return _positive_exp(draw - jnp.log(self.rate))

    def cdf(self, value: Any) -> Array:
        return gammainc(self.alpha, self.rate * value)

    def sf(self, value: Any) -> Array:
        return gammaincc(self.alpha, self.rate * value)


class InverseGamma(Scalar):
    """1/x of a Gamma(shape, rate = scale); density 0 at 0."""

    pytree_data_fields = ("alpha", "scale")
    support = constraints.positive

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        log_x = jnp.log(value)
        return self.alpha * (jnp.log(self.scale) - log_x) - self.scale / value - log_x - gammaln(self.alpha)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        draw = log_gamma_draw(key, self.alpha, sample_shape + self.batch_shape)
        return _positive_exp(jnp.log(self.scale) - draw)

    def cdf(self, value: Any) -> Array:
        return gammaincc(self.alpha, self.scale / value)

    def sf(self, value: Any) -> Array:
        return gammainc(self.alpha, self.scale / value)


class Weibull(Scalar):
    """(k/s) (x/s)^(k−1) exp(−(x/s)^k), k the shape and s the scale."""

    pytree_data_fields = ("k", "scale")
    support = constraints.positive

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        z = value / self.scale
        return jnp.log(self.k) - jnp.log(self.scale) + xlogy(self.k - 1, z) - z**self.k

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        dtype = _float_dtype(self.k, self.scale)
        log_e = jnp.log(jax.random.exponential(key, sample_shape + self.batch_shape, dtype))
        return _positive_exp(jnp.log(self.scale) + log_e / self.k)

    def cdf(self, value: Any) -> Array:
        return -jnp.expm1(-((value / self.scale) ** self.k))

    def icdf(self, q: Any) -> Array:
        return self.scale * (-jnp.log1p(-q)) ** (1 / self.k)


class HalfNormal(InputPrecision, dist.HalfNormal):
    """NumPyro's, with log σ by itself, as in ``Normal``."""

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return -0.5 * jnp.square(value / self.scale) - (log_positive(self.scale) + (HALF_LOG_2PI - math.log(2)))


class HalfCauchy(InputPrecision, dist.HalfCauchy):
    pass


class Exponential(InputPrecision, dist.Exponential):
    """NumPyro's, with a distribution function that keeps its precision near 0."""

    def cdf(self, value: Any) -> Array:
        return -jnp.expm1(-self.rate * value)


class Pareto(Scalar):
    """shape · scale^shape / x^(shape+1) from ``scale`` up."""

    pytree_data_fields = ("scale", "alpha")

    @property
    def support(self) -> constraints.Constraint:
        return constraints.greater_than(self.scale)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return jnp.log(self.alpha) - self.alpha * jnp.log(value / self.scale) - jnp.log(value)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        e = jax.random.exponential(key, sample_shape + self.batch_shape, _float_dtype(self.scale, self.alpha))
        return self.scale * jnp.clip(jnp.exp(e / self.alpha), None, jnp.finfo(e.dtype).max)

    def cdf(self, value: Any) -> Array:
        return -jnp.expm1(-self.alpha * jnp.log(value / self.scale))

    def icdf(self, q: Any) -> Array:
        return self.scale * jnp.exp(-jnp.log1p(-q) / self.alpha)


def log_normal(loc: Any, scale: Any) -> dist.Distribution:
    loc, scale = floats(loc, scale)
    scale, valid = positive(scale)
    return guard(LogNormal(loc=loc, scale=scale), valid, constraints.positive)


def half_normal(scale: Any) -> dist.Distribution:
    scale, valid = positive(*floats(scale))
    return guard(HalfNormal(scale, validate_args=False), valid, constraints.nonnegative)


def half_cauchy(scale: Any) -> dist.Distribution:
    scale, valid = positive(*floats(scale))
    return guard(HalfCauchy(scale, validate_args=False), valid, constraints.nonnegative)


def half_student_t(df: Any, scale: Any) -> dist.Distribution:
    df, scale = floats(df, scale)
    (df, valid_df), (scale, valid) = positive(df), positive(scale)
    return guard(HalfStudentT(df=df, scale=scale), valid & valid_df, constraints.nonnegative)


def exponential(rate: Any) -> dist.Distribution:
    rate, valid = positive(*floats(rate))
    return guard(Exponential(rate, validate_args=False), valid, constraints.nonnegative)


def gamma(shape: Any, rate: Any) -> dist.Distribution:
    shape, rate = floats(shape, rate)
    (shape, valid_shape), (rate, valid) = positive(shape), positive(rate)
    return guard(Gamma(alpha=shape, rate=rate), valid & valid_shape, constraints.nonnegative)


def inverse_gamma(shape: Any, scale: Any) -> dist.Distribution:
    shape, scale = floats(shape, scale)
    (shape, valid_shape), (scale, valid) = positive(shape), positive(scale)
    return guard(InverseGamma(alpha=shape, scale=scale), valid & valid_shape, constraints.positive)


def chi_squared(df: Any) -> dist.Distribution:
    df, valid = positive(*floats(df))
    return guard(Gamma(alpha=df / 2, rate=0.5), valid, constraints.nonnegative)


def weibull(shape: Any, scale: Any) -> dist.Distribution:
    shape, scale = floats(shape, scale)
    (shape, valid_shape), (scale, valid) = positive(shape), positive(scale)
    return guard(Weibull(k=shape, scale=scale), valid & valid_shape, constraints.nonnegative)


def pareto(scale: Any, shape: Any) -> dist.Distribution:
    scale, shape = floats(scale, shape)
    (shape, valid_shape), (scale, valid) = positive(shape), positive(scale)
    return guard(Pareto(scale=scale, alpha=shape), valid & valid_shape, constraints.greater_than_eq(scale))
