"""Alive SMC for hard constraints: as many proposals as it takes (Del Moral, Jasra, Lee, Yau and Zhang 2015)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from ppl.core.control import each
from ppl.core.random import Source, categorical, split
from ppl.core.sequential import SequentialTarget
from ppl.inference.representations import Particles


class Alive(NamedTuple):
    """``trials[t]``: proposals that step t took until n + 1 were alive; ``exhausted[t]``: it had reached the limit
    before. ``records`` and ``ancestors`` [t, n] as in ``trajectories``."""

    particles: Particles
    trials: Int[Array, " t"]
    exhausted: Bool[Array, " t"]
    records: Any
    ancestors: Int[Array, "t n"]


class _Trials(NamedTuple):
    """Slots 0 … n − 1 hold the first n that are alive; slot n is written and never read. ``last``: the number of the
    trial that was the (n + 1)th alive."""

    key: Any
    found: Int[Array, ""]
    made: Int[Array, ""]
    last: Int[Array, ""]
    slots: Any


def alive_smc(key: Source, target: SequentialTarget, n: int, max_trials: int = 1_000_000) -> Alive:
    """At each observation ancestors are drawn and advanced until n + 1 have a positive weight; the last of these is
    thrown away. With τ trials the step's evidence is Σ w / (τ − 1) over the n that are kept: unbiased, and no
    population ever dies out (unless a step takes ``max_trials``, which gives evidence 0). Trials are made n + 1 at a
    time."""
    begin, run = split(key)
    states, log_weights = each(begin, n, lambda k: tuple(target.start(k)))
    first = Particles(states, log_weights, jnp.zeros((), log_weights.dtype))

    def step(carry: Particles, inputs: Any) -> Any:
        k, t = inputs

        def block(k: Source) -> Any:
            choose, draw = split(k)
            parents = categorical(choose, carry.log_weights, (n + 1,)).astype(jnp.int32)
            moved = each(draw, n + 1, lambda kk, s: target.advance(kk, s, t), _at(carry.values, parents))
            return (*moved, parents)

        def unfinished(c: _Trials) -> Any:
            return (c.found < n + 1) & (c.made < max_trials)

        def trials(c: _Trials) -> _Trials:
            following, now = split(c.key)
            values = block(now)
            alive = ~jnp.isneginf(values[2])
            position = c.found + jnp.cumsum(alive) - 1
            slot = jnp.where(alive & (position < n), position, n)
            slots = jax.tree.map(lambda a, b: a.at[slot].set(b.astype(a.dtype)), c.slots, values)
            here = alive & (position == n)
            last = jnp.where(jnp.any(here), c.made + 1 + jnp.argmax(here), c.last)
            return _Trials(following, c.found + jnp.sum(alive), c.made + n + 1, last, slots)

        shapes = jax.eval_shape(block, k)
        empty = jax.tree.map(lambda s: jnp.zeros((n + 1, *s.shape[1:]), s.dtype), shapes)
        zero = jnp.zeros((), int)
        done = jax.lax.while_loop(unfinished, trials, _Trials(k, zero, zero, zero, empty))
        states, records, log_weights, parents = jax.tree.map(lambda a: a[:n], done.slots)
        states = jax.tree.map(lambda new, old: new.astype(old.dtype), states, carry.values)
        exhausted = done.found < n + 1
        # the mean over the n kept, times n/(τ − 1)
        share = jnp.where(exhausted, -jnp.inf, jnp.log(n) - jnp.log(jnp.maximum(done.last - 1, 1)))
        after = Particles(states, log_weights, carry.log_evidence + share)
        return after, (jnp.where(exhausted, done.made, done.last), exhausted, records, parents)

    steps = split(run, target.length), jnp.arange(target.length)
    particles, (made, exhausted, records, ancestors) = jax.lax.scan(step, first, steps)
    return Alive(particles, made, exhausted, records, ancestors)


def _at(tree: Any, index: Any) -> Any:
    return jax.tree.map(lambda a: a[index], tree)
