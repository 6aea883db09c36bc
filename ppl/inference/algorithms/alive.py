"""Alive SMC for hard constraints: as many proposals as it takes (Del Moral, Jasra, Lee, Yau and Zhang 2015)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from ppl.core.random import Source, categorical
from ppl.core.sequential import SequentialTarget
from ppl.inference.representations import Particles


class Alive(NamedTuple):
    """``trials[t]``: proposals that step t took until n + 1 were alive; ``exhausted``: a step reached the limit."""

    particles: Particles
    trials: Int[Array, " t"]
    exhausted: Any


def alive_smc(key: Source, target: SequentialTarget, n: int, max_trials: int = 1_000_000) -> Alive:
    """At each observation, ancestors are drawn and advanced one by one until n + 1 have a positive weight; the last is
    thrown away. With τ trials the step's evidence is Σ w / (τ − 1) over the trials before the last: unbiased, and no
    population ever dies out (unless ``max_trials`` is reached, which gives evidence 0)."""

    def fresh(k: Source) -> Any:
        return target.start(k)

    begin, run = jax.random.split(key)
    states, log_weights = jax.vmap(fresh)(jax.random.split(begin, n))
    first = Particles(states, log_weights, jnp.zeros(()))

    def step(carry: Particles, inputs: Any) -> Any:
        k, t = inputs

        def unfinished(c: Any) -> Any:
            found, trials, _, _, _ = c
            return (found < n + 1) & (trials < max_trials)

        def trial(c: Any) -> Any:
            found, trials, kk, states, weights = c
            kk, choose, draw = jax.random.split(kk, 3)
            parent = jax.tree.map(lambda a: a[categorical(choose, carry.log_weights)], carry.values)
            state, _, log_weight = target.advance(draw, parent, t)
            alive = ~jnp.isneginf(log_weight)
            slot = jnp.where(alive & (found < n), found, n)  # slot n is written and never read
            states = jax.tree.map(lambda a, b: a.at[slot].set(b), states, state)
            weights = weights.at[slot].set(log_weight)
            return found + alive, trials + 1, kk, states, weights

        room = jax.tree.map(lambda a: jnp.concatenate([a, a[:1]]), carry.values)
        zero = jnp.asarray(0)
        found, trials, _, states, weights = jax.lax.while_loop(
            unfinished, trial, (zero, zero, k, room, jnp.full(n + 1, -jnp.inf))
        )
        done = found == n + 1
        # mean over the n kept, times n/(τ − 1): the weights below are relative to the mean of n
        share = jnp.where(done, jnp.log(n) - jnp.log(jnp.maximum(trials - 1, 1)), -jnp.inf)
        values = jax.tree.map(lambda a: a[:n], states)
        return Particles(values, weights[:n], carry.log_evidence + share), (trials, ~done)

    particles, (trials, exhausted) = jax.lax.scan(
        step, first, (jax.random.split(run, target.length), jnp.arange(target.length))
    )
    return Alive(particles, trials, jnp.any(exhausted))


