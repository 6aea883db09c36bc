"""Discrete distributions with few values: bools, indices, listed values."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.arguments import checked, floats, increasing, is_concrete, probability, simplex
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.scalar import Scalar
from ppl.core.distributions.supports import one_of
from ppl.core.numerics import log_sigmoid, safe_log, safe_log1m, softplus


class Bernoulli(Scalar):
    """True with probability p; exact at p = 0 and p = 1."""

    pytree_data_fields = ("p",)
    support = constraints.boolean

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return jnp.where(value > 0, safe_log(self.p), safe_log1m(self.p))

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return jax.random.bernoulli(key, self.p, sample_shape + self.batch_shape)

    def cdf(self, value: Any) -> Array:
        return 1.0 - jnp.asarray(self.p) + 0 * value

    def support_values(self) -> Array:
        return jnp.array([False, True])


class BernoulliLogit(Scalar):
    """True with probability sigmoid(logit)."""

    pytree_data_fields = ("logit",)
    support = constraints.boolean

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return -softplus(jnp.where(value > 0, -self.logit, self.logit))

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return jax.random.bernoulli(key, jax.nn.sigmoid(self.logit), sample_shape + self.batch_shape)

    def cdf(self, value: Any) -> Array:
        return jax.nn.sigmoid(-jnp.asarray(self.logit)) + 0 * value

    def support_values(self) -> Array:
        return jnp.array([False, True])


class Categorical(dist.Distribution):
    """An index into the last axis of ``log_p`` (normalised). Draws by the Gumbel maximum: always in 0..K, and never an
    index of probability zero."""

    pytree_data_fields = ("log_p",)

    def __init__(self, log_p: Array):
        self.log_p = jnp.asarray(log_p)
        super().__init__(self.log_p.shape[:-1], (), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self.log_p.shape[-1] - 1)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        index = jnp.asarray(value).astype(int)
        if self.log_p.ndim == 1:
            return self.log_p[index]
        shape = lax.broadcast_shapes(index.shape, self.batch_shape)
        table = jnp.broadcast_to(self.log_p, shape + self.log_p.shape[-1:])
        return jnp.take_along_axis(table, jnp.broadcast_to(index, shape)[..., None], -1)[..., 0]

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        draw = jax.random.categorical(key, self.log_p, shape=sample_shape + self.batch_shape)
        return draw.astype(jnp.result_type(int))

    def cdf(self, value: Any) -> Array:
        indices = jnp.arange(self.log_p.shape[-1])
        return jnp.where(indices <= jnp.asarray(value)[..., None], jnp.exp(self.log_p), 0).sum(-1)

    def support_values(self) -> Array:
        return jnp.arange(self.log_p.shape[-1])


class DiscreteUniform(Scalar):
    """The integers from ``low`` to ``high``, both included."""

    pytree_data_fields = ("low", "high")

    @property
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(self.low, self.high)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        width = jnp.asarray(self.high - self.low + 1, jnp.result_type(float))
        return jnp.broadcast_to(-jnp.log(width), lax.broadcast_shapes(jnp.shape(value), self.batch_shape))

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        high = jnp.asarray(self.high).astype(int)
        return jax.random.randint(key, sample_shape + self.batch_shape, self.low, high + 1, jnp.result_type(int))

    def cdf(self, value: Any) -> Array:
        return (jnp.floor(value) - self.low + 1) / (self.high - self.low + 1)

    def support_values(self) -> Array | None:
        if not (is_concrete(self.low) and is_concrete(self.high)):
            return None
        return jnp.arange(int(np.min(self.low)), int(np.max(self.high)) + 1)


class Discrete(dist.Distribution):
    """The number ``values[i]`` with probability exp(log_p[i]); equal values add up."""

    pytree_data_fields = ("values", "log_p")

    def __init__(self, values: Any, log_p: Array):
        self.values, self.log_p = jnp.asarray(values), jnp.asarray(log_p)
        batch_shape = lax.broadcast_shapes(self.values.shape[:-1], self.log_p.shape[:-1])
        super().__init__(batch_shape, (), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return one_of(self.values)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        hit = jnp.asarray(value)[..., None] == self.values
        return safe_log(jnp.where(hit, jnp.exp(self.log_p), 0).sum(-1))

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        shape = sample_shape + self.batch_shape
        index = jax.random.categorical(key, jnp.broadcast_to(self.log_p, shape + self.log_p.shape[-1:]))
        values = jnp.broadcast_to(self.values, shape + self.values.shape[-1:])
        return jnp.take_along_axis(values, index[..., None], -1)[..., 0]

    def cdf(self, value: Any) -> Array:
        return jnp.where(self.values <= jnp.asarray(value)[..., None], jnp.exp(self.log_p), 0).sum(-1)

    def support_values(self) -> Array | None:
        return self.values if self.values.ndim == 1 else None


def bernoulli(p: Any) -> dist.Distribution:
    p, valid = probability(*floats(p))
    return guard(Bernoulli(p=p), valid, constraints.boolean)


def bernoulli_logit(logit: Any) -> dist.Distribution:
    return guard(BernoulliLogit(logit=floats(logit)[0]), True, constraints.boolean)


def categorical(p: Any) -> dist.Distribution:
    p, valid = simplex(*floats(p))
    return _guarded_index(Categorical(safe_log(p)), valid)


def categorical_logit(logits: Any) -> dist.Distribution:
    return _guarded_index(Categorical(jax.nn.log_softmax(jnp.asarray(floats(logits)[0]), axis=-1)), True)


def _guarded_index(base: Categorical, valid: Any) -> dist.Distribution:
    return guard(base, valid, base.support)


def discrete_uniform(low: Any, high: Any) -> dist.Distribution:
    low, high = (x if isinstance(x, jax.Array) else np.asarray(x) for x in (low, high))
    width, valid = checked(high - low, lambda w: w >= 0, 0)
    high = high if valid is True else low + width
    return guard(DiscreteUniform(low=low, high=high), valid, constraints.integer_interval(low, high))


def discrete(values: Any, p: Any) -> dist.Distribution:
    p, valid = simplex(*floats(p))
    return guard(Discrete(values, safe_log(p)), valid)


def ordered_logistic(eta: Any, cutpoints: Any) -> dist.Distribution:
    """P(k) = sigmoid(c[k] − eta) − sigmoid(c[k−1] − eta), with c[−1] = −∞ and c[K−1] = ∞."""
    eta, cutpoints = floats(eta, cutpoints)
    cutpoints, valid = increasing(cutpoints)
    z = jnp.asarray(cutpoints) - jnp.asarray(eta)[..., None]
    upper, lower = z[..., 1:], z[..., :-1]
    # σ(b) − σ(a) = σ(b) σ(−a) (1 − e^{a−b}): no cancellation however far both are in one tail.
    between = log_sigmoid(upper) + log_sigmoid(-lower) + jnp.log(-jnp.expm1(lower - upper))
    first, last = log_sigmoid(z[..., :1]), log_sigmoid(-z[..., -1:])
    return _guarded_index(Categorical(jnp.concatenate([first, between, last], -1)), valid)
