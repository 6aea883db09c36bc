"""Conditional SMC and particle Gibbs, with ancestor sampling (Andrieu et al. 2010; Lindsten, Jordan and Schön 2014)."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from ppl.core.control import each, iterate, loop
from ppl.core.random import Source, categorical, split
from ppl.core.sequential import ConditionalSequentialTarget
from ppl.inference.resampling import multinomial
from ppl.inference.trajectories import origin, trace_back


class Path(NamedTuple):
    """One trajectory: ``start`` the state and log weight that it began with, ``records`` its draws (leading axis T)."""

    start: tuple[Any, Float[Array, ""]]
    records: Any


class Sweep(NamedTuple):
    """``path`` drawn from the final population, ``state`` in which it ended; ``log_evidence`` is not unbiased: it is
    conditioned on the reference."""

    path: Path
    state: Any
    log_evidence: Float[Array, ""]


def conditional_sweep(
    key: Source, target: ConditionalSequentialTarget, n: int, reference: Path, ancestor_sampling: bool = True
) -> Sweep:
    """SMC with n ≥ 2 particles of which the first follows ``reference``, and a trajectory drawn from the final
    population. Leaves p(trajectory | data) invariant.

    Resampling is multinomial at every step: its conditional form given that slot 0 keeps the reference is to draw the
    other slots as ever. With ancestor sampling the reference gets a new past, i in proportion to Wᵢ times the density
    of all of its future that this past changes (``log_future``)."""
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
            first = categorical(link, log_weights + log_future(link, target, states, reference.records, step))
        ancestors = jnp.concatenate([first[None].astype(others.dtype), others])
        moved = each(draw, n - 1, lambda kk, s: target.advance(kk, s, step), take(states, others))
        state, increment = target.replay(take(states, first), kept, step)
        later, records, increments = prepend((state, kept, increment), moved)
        states = jax.tree.map(lambda new, old: new.astype(old.dtype), later, states)  # the types that it started with
        mean = logsumexp(log_weights) - jnp.log(n)
        return (step + 1, states, increments), (records, ancestors, mean)

    (_, states, final), (records, ancestors, means) = iterate(
        run, target.length, body, (jnp.asarray(0), states, log_weights)
    )
    last = categorical(pick, final)
    path = Path(take(starts, origin(ancestors, last)), trace_back(records, ancestors, last))
    return Sweep(path, take(states, last), jnp.sum(means) + logsumexp(final) - jnp.log(n))


def log_future(
    key: Source, target: ConditionalSequentialTarget, states: Any, records: Any, begin: Any
) -> Float[Array, " n"]:
    """Log density of ``records`` from step ``begin`` on, observations included, behind each of ``states``; a constant
    is left out. One step where that decides the state; as many as it takes until the states agree where a step draws
    nothing, or later ones look further back. Nothing is drawn; ``key`` says whether the code is replayed."""

    def more(carry: Any) -> Any:
        step, states, total, _ = carry
        later, gained, merged = _extended(target, states, take(records, step), step)
        return step + 1, later, total + gained.astype(total.dtype), merged

    def apart(carry: Any) -> Any:
        return (carry[0] < target.length) & ~carry[3]

    size = jax.tree.leaves(states)[0].shape[0]
    carry = (jnp.asarray(begin), states, jnp.zeros(size), jnp.asarray(False))
    return loop(key, apart, more, carry)[2]


@eqx.filter_jit
def _extended(target: ConditionalSequentialTarget, states: Any, record: Any, step: Any) -> tuple[Any, Any, Any]:
    """All states one step on, in the types that they had. Compiled: validation replays it thousands of times."""
    later, gained = jax.vmap(lambda s: target.extend(s, record, step))(states)
    later = jax.tree.map(lambda new, old: new.astype(old.dtype), later, states)
    return later, gained, target.merged(later, step + 1)


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
