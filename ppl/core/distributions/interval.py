"""Distributions on bounded intervals."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax
from jax.scipy.special import xlog1py, xlogy
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.arguments import checked, floats, open_probability, positive
from ppl.core.distributions.circular import quantile_path
from ppl.core.distributions.gamma_draw import logit_beta_draw
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.incomplete_beta import betainc
from ppl.core.distributions.precision import InputPrecision
from ppl.core.distributions.scalar import Scalar
from ppl.core.numerics import log_beta


class Beta(Scalar):
    """x^(a−1) (1−x)^(b−1) / B(a, b); at 0 and 1 its limits."""

    pytree_data_fields = ("a", "b")
    support = constraints.unit_interval

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return xlogy(self.a - 1, value) + xlog1py(self.b - 1, -value) - log_beta(self.a, self.b)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        shape = sample_shape + self.batch_shape
        x = jax.nn.sigmoid(logit_beta_draw(key, self.a, self.b, shape))
        # Inside the open interval also where it rounds to an end: the density may be infinite there.
        return jnp.clip(x, jnp.finfo(x.dtype).tiny, 1 - jnp.finfo(x.dtype).epsneg)

    def cdf(self, value: Any) -> Array:
        return betainc(self.a, self.b, value)

    def sf(self, value: Any) -> Array:
        return betainc(self.b, self.a, 1 - value)


class VonMises(InputPrecision, dist.VonMises):
    """NumPyro's, with draws that can be differentiated by the parameters."""

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        z = lax.stop_gradient(super().sample(key, sample_shape))
        parameters = (jnp.broadcast_to(jnp.asarray(a, z.dtype), z.shape) for a in (self.loc, self.concentration))
        return quantile_path(z, *parameters)


class Uniform(InputPrecision, dist.Uniform):
    """NumPyro's, drawing from the open interval (a draw at a bound has no image in R)."""

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        x = super().sample(key, sample_shape)
        return jnp.where(x > self.low, x, self.low + 0.5 * (self.high - self.low) * jnp.finfo(x.dtype).eps)


def beta(a: Any, b: Any) -> dist.Distribution:
    a, b = floats(a, b)
    (a, valid_a), (b, valid_b) = positive(a), positive(b)
    return guard(Beta(a=a, b=b), valid_a & valid_b, constraints.unit_interval)


def beta_mean(mean: Any, concentration: Any) -> dist.Distribution:
    """Beta(mean · concentration, (1 − mean) · concentration)."""
    mean, concentration = floats(mean, concentration)
    (mean, valid_mean), (concentration, valid) = open_probability(mean), positive(concentration)
    base = Beta(a=mean * concentration, b=(1 - mean) * concentration)
    return guard(base, valid & valid_mean, constraints.unit_interval)


def uniform(low: Any, high: Any) -> dist.Distribution:
    low, high = floats(low, high)
    width, valid = checked(high - low, lambda w: (w > 0) & (w < np.inf), 1.0)
    high = high if valid is True else low + width
    return guard(Uniform(low, high, validate_args=False), valid, constraints.interval(low, high))


def von_mises(loc: Any, concentration: Any) -> dist.Distribution:
    loc, concentration = floats(loc, concentration)
    concentration, valid = positive(concentration)
    shape = lax.broadcast_shapes(jnp.shape(loc), jnp.shape(concentration))
    base = VonMises(loc, jnp.broadcast_to(concentration, shape), validate_args=False)
    return guard(base, valid, constraints.interval(-np.pi, np.pi))
