"""Conditional SMC and particle Gibbs, with ancestor sampling (Andrieu et al. 2010; Lindsten, Jordan and Schön 2014)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from ppl.core.control import each, iterate
from ppl.core.random import Source, categorical, split
from ppl.core.sequential import ConditionalSequentialTarget
from ppl.inference.resampling import multinomial
from ppl.inference.trajectories import origin, trace_back


class Path(NamedTuple):
    """One trajectory: ``start`` the state and log weight that it began with, ``records`` its draws (leading axis T)."""

    start: tuple[Any, Float[Array, ""]]
    records: Any


class Sweep(NamedTuple):
    """``path`` drawn from the final population, ``state`` in which it ended; ``log_evidence`` is not unbiased: it is conditioned
    on the reference."""

    path: Path
    state: Any
    log_evidence: Float[Array, ""]


def conditional_sweep(
    key: Source, target: ConditionalSequentialTarget, n: int, reference: Path, ancestor_sampling: bool = True
) -> Sweep:
    """SMC with n ≥ 2 particles of which the first follows ``reference``, and a trajectory drawn from the final population.
    Leaves p(trajectory | data) invariant.

    Resampling is multinomial at every step: its conditional form given that slot 0 keeps the reference is to draw the
    other slots as ever. With ancestor sampling the reference gets a new past, i in proportion to Wᵢ f(xᵣₑf | xᵢ)."""
    begin, run, pick = split(key, 3)
    states, log_weights = prepend(reference.start, each(begin, n - 1, lambda k: tuple(target.start(k))))
    starts = states, log_weights

    def body(k: Source, carry: Any) -> Any:
        step, states, log_weights = carry
        choose, link, draw = split(k, 3)
        kept = take(reference.records, step)
        others = multinomial(choose, log_weights, n - 1)
        first = jnp.asarray(0)
        if ancestor_sampling:
            past = jax.vmap(lambda s: target.log_transition(s, kept, step))(states)
            first = categorical(link, log_weights + past)
        ancestors = jnp.concatenate([first[None].astype(others.dtype), others])
        moved = each(draw, n - 1, lambda kk, s: target.advance(kk, s, step), take(states, others))
        state, increment = target.replay(take(states, first), kept, step)
        later, records, increments = prepend((state, kept, increment), moved)
        states = jax.tree.map(lambda new, old: new.astype(old.dtype), later, states)  # the types that it started with
        mean = logsumexp(log_weights) - jnp.log(n)
        return (step + 1, states, increments), (records, ancestors, mean)

    (_, states, final), (records, ancestors, means) = iterate(run, target.length, body, (jnp.asarray(0), states, log_weights))
    last = categorical(pick, final)
    path = Path(take(starts, origin(ancestors, last)), trace_back(records, ancestors, last))
    return Sweep(path, take(states, last), jnp.sum(means) + logsumexp(final) - jnp.log(n))


def take(tree: Any, index: Any) -> Any:
    return jax.tree.map(lambda a: a[index], tree)


def prepend(one: Any, rest: Any) -> Any:
    """``one`` in front of the rows of ``rest``."""
    return jax.tree.map(lambda o, r: jnp.concatenate([jnp.asarray(o, r.dtype)[None], r]), one, rest)


def conditional_smc(
    key: Source, target: ConditionalSequentialTarget, n: int, reference: Any, ancestor_sampling: bool = True
) -> tuple[Any, Float[Array, ""]]:
    """``conditional_sweep`` on records alone, for targets that start in a fixed state: the new records and log Ẑ."""
    begin, run = split(key)
    sweep = conditional_sweep(run, target, n, Path(tuple(target.start(begin)), reference), ancestor_sampling)
    return sweep.path.records, sweep.log_evidence


def particle_gibbs(
    key: Source, target: ConditionalSequentialTarget, n: int, reference: Any, draws: int, ancestor_sampling: bool = True
) -> Any:
    """``draws`` sweeps; the trajectories with a leading axis."""

    def body(k: Source, path: Any) -> Any:
        path, _ = conditional_smc(k, target, n, path, ancestor_sampling)
        return path, path

    return iterate(key, draws, body, reference)[1]
