"""Finite mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.arguments import floats, is_concrete, probability, simplex
from ppl.core.distributions.errors import DistributionError
from ppl.core.distributions.guarded import bounds, guard
from ppl.core.distributions.supports import interval
from ppl.core.numerics import log_sum_exp, safe_log, safe_log1m


class Mixture(dist.Distribution):
    """Component k with probability exp(log_weights[k]). ``components`` is a tuple of distributions over one space, or
    one distribution whose last batch axis counts the components."""

    pytree_data_fields = ("log_weights", "components")

    def __init__(self, log_weights: Array, components: dist.Distribution | tuple[dist.Distribution, ...]):
        self.log_weights, self.components = log_weights, components
        if isinstance(components, tuple):
            shapes, events = [c.batch_shape for c in components], {c.event_shape for c in components}
            if len(events) > 1:
                raise DistributionError(f"the components of a mixture must have one shape, found {sorted(events)}")
            event_shape = events.pop()
        else:
            shapes, event_shape = [components.batch_shape[:-1]], components.event_shape
        super().__init__(lax.broadcast_shapes(log_weights.shape[:-1], *shapes), event_shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        if isinstance(self.components, tuple):
            return union([c.support for c in self.components])
        return _hull_of_batch(self.components.support)

    def _component_log_probs(self, value: Array) -> Array:
        if isinstance(self.components, tuple):
            parts = [c.log_prob(value) for c in self.components]
            shape = lax.broadcast_shapes(*(p.shape for p in parts), self.batch_shape)
            return jnp.stack([jnp.broadcast_to(p, shape) for p in parts], -1)
        return self.components.log_prob(jnp.expand_dims(value, -1 - self.event_dim))

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return log_sum_exp(self.log_weights + self._component_log_probs(jnp.asarray(value)))

    def cdf(self, value: Any) -> Array:
        if isinstance(self.components, tuple):
            parts = jnp.stack(jnp.broadcast_arrays(*(c.cdf(value) for c in self.components)), -1)
        else:
            parts = self.components.cdf(jnp.asarray(value)[..., None])
        return (jnp.exp(self.log_weights) * parts).sum(-1)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        key_index, key_value = jax.random.split(key)
        shape = sample_shape + self.batch_shape
        index = jax.random.categorical(key_index, self.log_weights, shape=shape)
        axis = len(shape)
        if isinstance(self.components, tuple):
            keys = jax.random.split(key_value, len(self.components))
            draws = [jnp.broadcast_to(_full(c, shape).sample(k), shape + self.event_shape)
                     for c, k in zip(self.components, keys, strict=True)]  # fmt: skip
            values = jnp.stack(draws, axis)
        else:
            count = self.components.batch_shape[-1]
            values = _full(self.components, shape + (count,)).sample(key_value)
        index = index.reshape(shape + (1,) * (1 + self.event_dim))
        return jnp.take_along_axis(values, index, axis).squeeze(axis)


def _full(d: dist.Distribution, batch_shape: tuple[int, ...]) -> dist.Distribution:
    return d if d.batch_shape == batch_shape else d.expand(batch_shape)


def union(supports: Sequence[constraints.Constraint]) -> constraints.Constraint:
    """The least known constraint that holds all of ``supports``."""
    first = supports[0]
    if all(s is first or (type(s) is type(first) and s == first) for s in supports[1:]):
        return first
    if any(s.event_dim for s in supports):
        raise DistributionError(
            f"the components of a mixture have different supports: {', '.join(map(repr, supports))}"
        )
    lows, highs = zip(*map(bounds, supports), strict=True)
    discrete = {bool(s.is_discrete) for s in supports}
    if len(discrete) > 1:
        raise DistributionError(
            "a mixture of a discrete and a continuous distribution has no density",
            helps=("mix distributions of one kind", "draw an index k ~ Categorical(weights) and branch on it"),
        )
    low, high = lows[0], highs[0]
    for a, b in zip(lows[1:], highs[1:], strict=True):
        low, high = _least(low, a), _greatest(high, b)
    return interval(low, high, discrete.pop())


def _hull_of_batch(support: constraints.Constraint) -> constraints.Constraint:
    """The hull over the last batch axis of bounds that differ between components."""
    low, high = bounds(support)
    if jnp.ndim(low) == 0 and jnp.ndim(high) == 0:
        return support
    return interval(
        jnp.min(low, -1) if jnp.ndim(low) else low, jnp.max(high, -1) if jnp.ndim(high) else high, support.is_discrete
    )


def _least(a: Any, b: Any) -> Any:
    return min(a, b) if _plain(a) and _plain(b) else jnp.minimum(a, b)


def _greatest(a: Any, b: Any) -> Any:
    return max(a, b) if _plain(a) and _plain(b) else jnp.maximum(a, b)


def _plain(x: Any) -> bool:
    return is_concrete(x) and jnp.ndim(x) == 0


class ZeroInflated(dist.Distribution):
    """0 with probability p, else a draw of the discrete ``base`` (which may be 0 too)."""

    pytree_data_fields = ("p", "base")

    def __init__(self, p: Array, base: dist.Distribution):
        self.p, self.base = p, base
        super().__init__(lax.broadcast_shapes(p.shape, base.batch_shape), (), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        low, high = bounds(self.base.support)
        return self.base.support if _plain(low) and low == 0 else interval(_least(low, 0), _greatest(high, 0), True)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        value = jnp.asarray(value)
        log_rest = safe_log1m(self.p)
        log_base = log_rest + self.base.log_prob(value)
        log_zero = jnp.broadcast_to(safe_log(self.p), log_base.shape)
        return jnp.where(value == 0, log_sum_exp(jnp.stack([log_zero, log_base], -1)), log_base)

    def cdf(self, value: Any) -> Array:
        return self.p * (jnp.asarray(value) >= 0) + (1 - self.p) * self.base.cdf(value)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        key_zero, key_value = jax.random.split(key)
        shape = sample_shape + self.batch_shape
        zero = jax.random.bernoulli(key_zero, self.p, shape)
        value = _full(self.base, shape).sample(key_value)
        return jnp.where(zero, jnp.zeros((), value.dtype), value)


def mixture(weights: Any, D: dist.Distribution | Sequence[dist.Distribution]) -> dist.Distribution:
    weights, valid = simplex(*floats(weights))
    components = D if isinstance(D, dist.Distribution) else tuple(D)
    count = len(components) if isinstance(components, tuple) else (components.batch_shape or (1,))[-1]
    if count != weights.shape[-1] or (not isinstance(components, tuple) and not components.batch_shape):
        raise DistributionError(
            f"a mixture with {weights.shape[-1]} weights needs as many components, found {count}",
            helps=("give one component with array arguments of that length, or a list of that many distributions",),
        )
    return guard(Mixture(safe_log(weights), components), valid)


def zero_inflated(p: Any, D: dist.Distribution) -> dist.Distribution:
    if not D.support.is_discrete or D.event_shape:
        raise DistributionError(
            "ZeroInflated(p, D) needs a distribution over counts",
            helps=("use for example Poisson(rate) or NegativeBinomial(mean, concentration)",),
        )
    p, valid = probability(*floats(p))
    return guard(ZeroInflated(jnp.asarray(p), D), valid)
