"""Population[M, A]: a program that draws n weighted values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from ppl.core.random import Source
from ppl.inference.representations.base import Representation
from ppl.inference.representations.shape import POPULATION, Shape, population


class Particles(NamedTuple):
    """n weighted values: one realisation of a population.

    ``values`` a PyTree with a leading axis of length n; ``log_weights`` unnormalised; ``log_normaliser`` what earlier
    resampling steps took out of the weights. The convention is the mean, not the sum: the particles stand for
    f ↦ e^{log_normaliser} · (1/n) Σ e^{log wᵢ} f(aᵢ)."""

    values: Any
    log_weights: Float[Array, " n"]
    log_normaliser: Float[Array, ""]

    @property
    def size(self) -> int:
        return self.log_weights.shape[0]

    @property
    def log_evidence(self) -> Float[Array, ""]:
        """log of the total mass: log_normaliser + log (1/n) Σ e^{log wᵢ}; −∞ when all particles are dead."""
        return self.log_normaliser + log_mean_exp(self.log_weights)

    @property
    def weights(self) -> Float[Array, " n"]:
        """Normalised to the sum 1. All zero, not NaN, when all particles are dead."""
        return jnp.exp(self.log_weights - safe(logsumexp(self.log_weights)))


class Population(Representation):
    """⟦r⟧ f = E e^{c} (1/n) Σ e^{log wᵢ} f(aᵢ), with (a, log w, c) = draw(key).

    ``value_shape`` is ``TRACED`` where the values are traces that kernels can move."""

    draw: Callable[[Source], Particles]
    value_shape: Shape | None = None

    @property
    def shape(self) -> Shape:
        return POPULATION if self.value_shape is None else population(self.value_shape)

    def run(self, key: Source) -> tuple[Particles, Any]:
        return self.draw(key), {}


def log_mean_exp(log_weights: Float[Array, " n"]) -> Float[Array, ""]:
    """log (1/n) Σ e^{log wᵢ}; −∞, never NaN, when every weight is zero."""
    return logsumexp(log_weights) - jnp.log(log_weights.shape[0])


def mean_and_size(log_weights: Float[Array, " n"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """log (1/n) Σ e^{log wᵢ} as ``log_mean_exp``, and the effective sample size (Σ w)² / Σ w², between 1 and n (Kong,
    Liu and Wong 1994), 0 when every weight is zero. From one pass over the exponentials."""
    top = safe(jnp.max(log_weights))
    weights = jnp.exp(log_weights - top)
    # Without what adds less than e^-80: XLA makes exp(2 log w) of a mere square, and its subnormal values are slow.
    heavy = jnp.where(log_weights - top > -40.0, weights, 0.0)
    total, squares = jnp.sum(weights), jnp.sum(heavy * heavy)
    size = jnp.where(squares > 0, total**2 / jnp.where(squares > 0, squares, 1.0), 0.0)
    return top + jnp.log(total) - jnp.log(log_weights.shape[0]), size


def effective_sample_size(log_weights: Float[Array, " n"]) -> Float[Array, ""]:
    """The second of ``mean_and_size``."""
    return mean_and_size(log_weights)[1]


def safe(log_total: Float[Array, ""]) -> Float[Array, ""]:
    """A log total to subtract: 0 in place of −∞, so that dead populations give zeros and not NaN."""
    return jnp.where(jnp.isneginf(log_total), 0.0, log_total)
