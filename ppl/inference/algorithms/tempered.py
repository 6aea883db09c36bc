"""Tempered SMC with an adaptive schedule (Del Moral, Doucet and Jasra 2006; Jasra et al. 2011)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ppl.core.control import each
from ppl.core.random import Source
from ppl.inference.kernels.base import Kernel, LogDensity
from ppl.inference.representations import Particles, TracedValue
from ppl.inference.representations.population import effective_sample_size
from ppl.inference.resampling import Scheme, systematic
from ppl.inference.transformations.resample import reindex


class Tempered(NamedTuple):
    """``particles`` at the posterior; ``temperatures`` visited (padded with 1), ``steps`` how many, ``acceptance`` in
    each."""

    particles: Particles
    temperatures: Float[Array, " s"]
    steps: Any
    acceptance: Float[Array, " s"]


def next_temperature(
    log_likelihoods: Float[Array, " n"], log_weights: Float[Array, " n"], now: Float[Array, ""], target: float
) -> Float[Array, ""]:
    """The largest β ≤ 1 at which the weights keep an effective sample size of ``target`` · n; bisection, 50
    halvings."""
    n = log_likelihoods.shape[0]

    def size(beta: Any) -> Any:
        delta = beta - now
        # 0 · (−∞) is the weight of an impossible particle at an unchanged temperature: unchanged
        return effective_sample_size(log_weights + jnp.where(delta > 0, delta * log_likelihoods, 0.0))

    def halve(_: Any, bounds: Any) -> Any:
        low, high = bounds
        middle = 0.5 * (low + high)
        enough = size(middle) >= target * n
        return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

    low, high = jax.lax.fori_loop(0, 50, halve, (now, jnp.ones_like(now)))
    # not below the bracket's upper end, so that every step makes progress
    return jnp.where(size(jnp.ones_like(now)) >= target * n, 1.0, high)


def tempered_smc(
    key: Source,
    prior: Callable[[Source], Any],
    log_prior: LogDensity,
    log_likelihood: LogDensity,
    kernel: Callable[[Particles], Kernel],
    n: int,
    moves: int = 5,
    ess: float = 0.5,
    scheme: Scheme = systematic,
    max_steps: int = 200,
) -> Tempered:
    """Particles from the prior to γ along p(z) L(z)^β, β from 0 to 1 so that each step keeps ``ess`` · n effective
    particles.

    ``kernel(particles)`` may tune itself on the population (its spread) before each round of ``moves``. Because the
    schedule and the kernels look at the particles, the evidence is consistent, with a bias of order 1/n, and not
    unbiased."""
    start, run = jax.random.split(key)
    traces = each(start, n, prior)
    zeros = jnp.zeros(n)
    first = Particles(traces, zeros, jnp.zeros(()))
    history = jnp.ones(max_steps), jnp.full(max_steps, jnp.nan)

    def unfinished(carry: Any) -> Any:
        step, beta, _, _, _, _ = carry
        return (beta < 1.0) & (step < max_steps)

    def advance(carry: Any) -> Any:
        step, beta, particles, key, temperatures, acceptance = carry
        key, choose, move = jax.random.split(key, 3)
        likelihoods = jax.vmap(log_likelihood)(particles.values)
        new = next_temperature(likelihoods, particles.log_weights, beta, ess)
        weighted = particles._replace(log_weights=particles.log_weights + (new - beta) * likelihoods)
        ancestors = scheme(choose, weighted.log_weights, n)
        resampled = reindex(weighted, ancestors, weighted.log_evidence)
        moving = kernel(resampled)

        def density(z: Any) -> Any:
            prior_density = log_prior(z)
            return jnp.where(jnp.isneginf(prior_density), -jnp.inf, prior_density + new * log_likelihood(z))

        def chain(k: Source, z: Any) -> Any:
            def once(state: TracedValue, kk: Any) -> Any:
                state, info = moving.step(kk, state, density)
                return state, jnp.mean(jnp.asarray(info.accepted, float))

            state, accepted = jax.lax.scan(once, TracedValue(z, density(z)), jax.random.split(k, moves))
            return state.trace, jnp.mean(accepted)

        values, accepted = each(move, n, chain, resampled.values)
        temperatures, acceptance = temperatures.at[step].set(new), acceptance.at[step].set(jnp.mean(accepted))
        return step + 1, new, resampled._replace(values=values), key, temperatures, acceptance

    steps, _, particles, _, temperatures, acceptance = jax.lax.while_loop(
        unfinished, advance, (jnp.asarray(0), jnp.zeros(()), first, run, *history)
    )
    return Tempered(particles, temperatures, steps, acceptance)
