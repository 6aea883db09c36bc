"""Trajectories from ancestor indices and per-step records, never from copies of histories."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from ppl.core.random import categorical


@jax.jit
def trace_back(records: Any, ancestors: Int[Array, "t n"], index: Int[Array, "*k"]) -> Any:
    """The histories of the final particles ``index``.

    ``records`` a PyTree with leading axes (t, n): what particle i drew in step t; ``ancestors[t, i]`` the particle of
    step t − 1 that particle i of step t continues (resampling comes before the step). Leading axes of the result: (t,
    *k). O(t · k): Kitagawa's filter-smoother; old steps degenerate to few distinct histories as t grows."""

    def backwards(current: Any, inputs: Any) -> tuple[Any, Any]:
        record, ancestor = inputs
        return ancestor[current], jax.tree.map(lambda a: a[current], record)

    _, histories = jax.lax.scan(backwards, index.astype(ancestors.dtype), (records, ancestors), reverse=True)
    return histories


@jax.jit
def origin(ancestors: Int[Array, "t n"], index: Int[Array, "*k"]) -> Int[Array, "*k"]:
    """The particles before the first step from which the final particles ``index`` descend."""
    back = jax.lax.scan(lambda current, a: (a[current], None), index.astype(ancestors.dtype), ancestors, reverse=True)
    return back[0]


def distinct_ancestors(ancestors: Int[Array, "t n"]) -> Int[Array, " t"]:
    """How many particles of each step have descendants among the final ones: the ancestor diversity."""
    n = ancestors.shape[1]

    def backwards(current: Any, ancestor: Any) -> tuple[Any, Any]:
        alive = jnp.zeros(n, bool).at[current].set(True)
        return ancestor[current], jnp.sum(alive)

    return jax.lax.scan(backwards, jnp.arange(n, dtype=ancestors.dtype), ancestors, reverse=True)[1]


def backward_simulation(
    key: Any, records: Any, log_weights: Any, states: Any, log_transition: Any, count: int
) -> Any:
    """Smoothing trajectories by backward simulation (Godsill, Doucet and West 2004): x_T from the final weights, then
    x_t in proportion to W_t f(x_{t+1} | x_t).

    ``records``, ``states`` with leading axes (t, n), ``log_weights`` (t, n) *before* resampling, ``log_transition(t,
    state, record)`` the log density of step t's record given the state before it. ``count`` trajectories; O(t · n ·
    count)."""
    steps = log_weights.shape[0]
    keys = jax.random.split(key, steps)
    last = categorical(keys[-1], log_weights[-1], (count,))
    chosen = jax.tree.map(lambda a: a[-1][last], records)

    def backwards(following: Any, inputs: Any) -> tuple[Any, Any]:
        k, t, record, state, log_weight = inputs

        def one(kk: Any, after: Any) -> Any:
            link = jax.vmap(lambda s: log_transition(t + 1, s, after))(state)
            return categorical(kk, log_weight + link)

        index = jax.vmap(one)(jax.random.split(k, count), following)
        here = jax.tree.map(lambda a: a[index], record)
        return here, here

    head = jax.tree.map(lambda a: a[:-1], (records, states))
    inputs = (keys[:-1], jnp.arange(steps - 1), *head, log_weights[:-1])
    _, earlier = jax.lax.scan(backwards, chosen, inputs, reverse=True)
    return jax.tree.map(lambda e, c: jnp.concatenate([e, c[None]]), earlier, chosen)
