"""Metropolis–Hastings: a proposal, its ratio, an accept step (Metropolis et al. 1953, Hastings 1970)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ppl.core.random import Source, accept, split
from ppl.inference.kernels.base import Kernel, KernelInfo, LogDensity
from ppl.inference.representations import TracedValue

# propose(key, trace) -> (trace', log q(trace | trace') − log q(trace' | trace))
Propose = Callable[[Source, Any], tuple[Any, Float[Array, ""]]]


def decide(
    key: Source, old: TracedValue, new: TracedValue, log_correction: Float[Array, ""]
) -> tuple[TracedValue, KernelInfo]:
    """Takes ``new`` with probability min(1, γ(new)/γ(old) · e^correction)."""
    log_ratio = new.log_density - old.log_density + log_correction
    # from a state of density zero everything of positive density is taken: −∞ − (−∞) must not be NaN
    log_ratio = jnp.where(jnp.isneginf(new.log_density), -jnp.inf, log_ratio)
    taken = accept(key, log_ratio)
    state = jax.tree.map(lambda a, b: jnp.where(taken, a, b), new, old)
    return state, KernelInfo(taken, log_ratio)


@dataclass(frozen=True, eq=False)
class MetropolisHastings(Kernel):
    """Accepts with min(1, γ(z') q(z | z') / (γ(z) q(z' | z))): in detailed balance with γ."""

    propose: Propose
    name: str = "mh"
    reversible: bool = True

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        draw, choose = split(key)
        trace, correction = self.propose(draw, state.trace)
        return decide(choose, state, TracedValue(trace, log_density(trace)), correction)


def metropolis_hastings(propose: Propose, name: str = "mh") -> Kernel:
    """A kernel from any proposal; the correction that it returns is log q(z | z') − log q(z' | z)."""
    return MetropolisHastings(propose, name)


def random_walk(scale: Any = 1.0) -> MetropolisHastings:
    """A Gaussian step of all variables at once. ``scale``: a number, or one standard deviation for each coordinate of
    the raveled trace, or a lower-triangular factor of a covariance."""

    def propose(key: Source, trace: Any) -> tuple[Any, Float[Array, ""]]:
        flat, unravel = ravel_pytree(trace)
        noise = jax.random.normal(key, flat.shape, flat.dtype)
        s = jnp.asarray(scale, flat.dtype)
        return unravel(flat + (s @ noise if s.ndim == 2 else s * noise)), jnp.zeros((), flat.dtype)

    return MetropolisHastings(propose, "random_walk")


def independence(sample: Callable[[Source], Any], log_prob: LogDensity) -> Kernel:
    """Proposals that do not look at the current trace (a guide, the prior): ratio γ(z') q(z) / (γ(z) q(z'))."""

    def propose(key: Source, trace: Any) -> tuple[Any, Float[Array, ""]]:
        new = sample(key)
        return new, log_prob(trace) - log_prob(new)

    return MetropolisHastings(propose, "independence")


@dataclass(frozen=True, eq=False)
class SingleSite(Kernel):
    """A Gaussian step of one coordinate, chosen uniformly: reversible, unlike a systematic sweep."""

    scale: Any
    name: str = "single_site"
    reversible: bool = True

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        pick, draw, choose = split(key, 3)
        flat, unravel = ravel_pytree(state.trace)
        i = jax.random.randint(pick, (), 0, flat.size)
        scale = jnp.broadcast_to(jnp.asarray(self.scale, flat.dtype), flat.shape)[i]
        trace = unravel(flat.at[i].add(scale * jax.random.normal(draw, (), flat.dtype)))
        return decide(choose, state, TracedValue(trace, log_density(trace)), jnp.zeros((), flat.dtype))


def single_site(scale: Any = 1.0) -> Kernel:
    return SingleSite(scale)
