"""Chains of enumerated variables: backward recursion in time.

In ``for t in lower..upper { z[t] ~ D(z[t-1], …) }`` with z enumerated, every iteration is evaluated at once, along an
axis of times, for each value j of the previous element and each value k of its own:

    V_t(j) = Σ_k q_t(k | j) (f_t(j, k) + V_{t+1}(k)),

where f_t are the parts of the cost that depend on the two. The value of the cost and its derivative are exact, the
program is one loop, and its work is linear in the number of times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from ppl.compiler.emit.errors import CompilerDefect
from ppl.compiler.emit.estimate import loops
from ppl.compiler.emit.estimate.axes import Axis, Choice, Deps, Labelled, NotLocal, aligned, lift, merged, union
from ppl.compiler.emit.estimate.choices import Kept, Parts, shed
from ppl.compiler.emit.estimate.finite import finite_values
from ppl.compiler.emit.estimate.terms import added
from ppl.compiler.emit.frame import Given, Recorded
from ppl.compiler.emit.layout import Spot
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import Carry, Draw, Scan, Var

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.walk import Walk

_draws = Memo(draws_in)


@dataclass(eq=False)
class Chain:
    """``now`` and ``before``: the axes of the values of an element and of the one before it, local to ``time``.
    ``initial`` is the element before the loop."""

    time: Axis
    now: Axis
    before: Axis
    values: Labelled
    initial: Labelled
    lower: int
    choice: Choice

    @property
    def whole(self) -> Labelled:
        """The array of all elements, the initial one included."""
        spread = jnp.broadcast_to(self.values.value, (self.time.size, self.now.size))
        return Labelled(spread, (self.now,), {}, (self.time,))

    @property
    def previous(self) -> Labelled:
        return Labelled(self.values.value, (self.before,))

    def first(self, spot: Spot) -> Labelled:
        """What a trace says of the element that is drawn before the loop."""
        if self.lower != 1:
            raise CompilerDefect(f"the chain {spot.site!r} starts at {self.lower}")
        return lift(Given, self.initial)

    def at_start(self, part: Labelled, axis: Axis) -> Labelled:
        """A function of the value along ``axis``, at the initial element."""
        here = lift(lambda x, v: (v == x).astype(float), self.initial, Labelled(self.values.value, (axis,)))
        axes = union((part.axes, here.axes))
        place = axes.index(axis) - len(axes)
        weights = aligned(here.value, here.axes, axes)
        value = jnp.sum(jnp.where(weights > 0, aligned(part.value, part.axes, axes), 0.0), place)
        return Labelled(value, tuple(a for a in axes if a is not axis), merged((part.deps, here.deps)))


def _link(loop: Scan) -> tuple[Carry, Draw] | None:
    """The one memory of the loop, if it is the element that the loop drew one iteration before."""
    draws = {d.var.id: d for d in _draws(loop.body)}
    if len(loop.carries) != 1:
        return None
    (carry,) = loop.carries
    draw = draws.get(carry.next.id) if isinstance(carry.next, Var) else None
    direct = draw is not None and any(s is draw for s in loop.body.statements)
    return (carry, draw) if direct and draw is not None and carry.lag == (draw.site, 1) else None


def is_chain(walk: Walk, loop: Scan) -> bool:
    link = _link(loop)
    if link is None:
        return False
    draw = link[1]
    if walk.scoring:
        given = walk.given.get(draw.var.id)
        return given is not None and bool(given.dims) and getattr(given.dims[0], "chain", None) is not None
    return walk.estimator.strategy(walk.code.model.name, draw).name == "enum" and walk.size(loop.lower) <= 1


def run(walk: Walk, loop: Scan) -> None:
    link = _link(loop)
    assert link is not None
    carry, draw = link
    known_time = walk.given[draw.var.id].dims[0] if walk.scoring else None
    chain = known_time.chain if known_time is not None else _new(walk, loop, carry, draw)
    time, lower = chain.time, walk.size(loop.lower)
    if (lower, walk.size(loop.upper)) != (chain.lower, time.size):
        raise NotLocal(chain.choice, loop.span)
    walk.values[carry.var.id] = chain.previous
    mapped = [(m.var.id, walk.read(m.array), lower + walk.size(m.offset)) for m in loop.mapped]
    for name, array, start in mapped:
        walk.values[name] = _in_time(array, time, lower, start)
    walk.values[loop.index.id] = Labelled(jnp.maximum(jnp.arange(time.size), lower), (time,))
    walk.ranges[loop.index.id] = (lower, time.size)
    known = {d.var.id for d in _draws(loop.body)} & walk.given.keys()
    before = walk.given
    walk.given = before | {n: _given_in_time(before[n], chain, lower) for n in sorted(known)}
    outer, walk.plates, scored_from = walk.plates, (*walk.plates, time), len(walk.parts)
    recorded, made_from = set(walk.records), len(walk.made or ())
    walk.chains.append(chain)
    walk.block(loop.body)
    walk.chains.pop()
    walk.plates, walk.given = outer, before
    started = Labelled(jnp.arange(time.size) >= lower, (time,))
    walk.parts[scored_from:] = [_from(started, p) for p in walk.parts[scored_from:]]
    if walk.records.keys() - recorded - {draw.var.id}:
        raise NotLocal(chain.choice, loop.span)
    if not walk.scoring:
        walk.records[draw.var.id] = Labelled(Recorded(None), (), {}, (time,))
        assert walk.made is not None and len(walk.made) > made_from
    for s in loop.stacked:
        if s.value == draw.var:
            walk.series[s.var.id] = chain.whole
            walk.values[s.var.id] = _later(chain)
        else:
            walk.values[s.var.id] = loops.left(walk.read(s.value), time)
    if carry.final is not None:
        walk.values[carry.final.id] = loops.undefined()


def _new(walk: Walk, loop: Scan, carry: Carry, draw: Draw) -> Chain:
    values = finite_values(draw, walk.code.sizes)
    if values is None:
        raise NotLocal(Choice(draw.site, walk.plates, draw.span), draw.span)
    time = Axis(walk.size(loop.upper), ordered=True)
    choice = Choice(draw.site, (*walk.plates, time), draw.span)
    before, now = (Axis(len(values), (*walk.plates, time), choice) for _ in range(2))
    initial = walk.array(carry.init, loop.span)
    chain = Chain(time, now, before, Labelled(jnp.asarray(values), (now,)), initial, walk.size(loop.lower), choice)
    object.__setattr__(time, "chain", chain)
    return chain


def _later(chain: Chain) -> Labelled:
    whole = chain.whole
    return replace(whole, value=whole.value[chain.lower :], dims=(chain.time,))


def _in_time(array: Labelled, time: Axis, lower: int, start: int) -> Labelled:
    """``array[start + i]`` in iteration i of the loop; anything before it starts."""
    if array.dims and array.dims[0] is time and start == lower:
        return loops.element(array, time, 0)
    padded = jax.tree.map(
        lambda a: jnp.concatenate([a[start : start + 1]] * lower + [a[start : start + time.size - lower]]), array.value
    )
    return loops.element(replace(array, value=padded), time, 0)


def _given_in_time(given: Labelled, chain: Chain, lower: int) -> Labelled:
    if given.dims and given.dims[0] is chain.time:
        return loops.element(given, chain.time, 0)
    return _in_time(given, chain.time, lower, 0)


def _from(started: Labelled, part: Labelled) -> Labelled:
    """Zero before the loop starts."""
    if not any(a in part.axes for a in started.axes):
        return part
    found = lift(lambda here, x: jnp.where(here, x, 0.0), started, part)
    return replace(part, value=found.value, axes=found.axes)


@dataclass(frozen=True, eq=False)
class Chained:
    """The choice of all elements of a chain."""

    chain: Chain
    log_weights: Labelled
    exact: bool = True

    def eliminate(self, parts: Parts, kept: Kept) -> Parts:
        chain = self.chain
        here = [p for p in parts if chain.now in p.axes or chain.before in p.axes]
        others = [p for p in parts if p not in here]
        needed = {chain.time, *self.log_weights.axes} | kept
        cost = added([shed(p, needed) for p in here])
        tail = (chain.time, chain.before, chain.now)
        rest = tuple(a for a in union((cost.axes, self.log_weights.axes)) if a not in tail)
        f, log_q = (self._ordered(x, rest) for x in (cost, self.log_weights))
        q = jnp.exp(log_q)

        def step(after: jax.Array, at: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
            weight, costs = at
            return jnp.sum(jnp.where(weight > 0, weight * (costs + after[..., None, :]), 0.0), -1), None

        shape = (*(a.size for a in rest), chain.now.size)
        lower = chain.lower
        start, _ = jax.lax.scan(step, jnp.zeros(shape, f.dtype), (q[lower:], f[lower:]), reverse=True)
        deps = merged((cost.deps, self.log_weights.deps))
        values = [chain.at_start(_labelled(start, rest, chain.before, deps), chain.before)]
        if lower == 1:  # what the cost says of the initial element itself
            values.append(chain.at_start(_labelled(f[0][..., 0, :], rest, chain.now, cost.deps), chain.now))
        return others + values

    def _ordered(self, x: Labelled, rest: tuple[Axis, ...]) -> jax.Array:
        """As an array [time, …rest, before, now]."""
        chain = self.chain
        axes = union((rest, (chain.time, chain.before, chain.now)))
        value = jnp.broadcast_to(aligned(x.value, x.axes, axes), tuple(a.size for a in axes))
        return jnp.transpose(value, [axes.index(a) for a in (chain.time, *rest, chain.before, chain.now)])


def _labelled(value: jax.Array, rest: tuple[Axis, ...], last: Axis, deps: Deps) -> Labelled:
    axes = union((rest, (last,)))
    own = (*rest, last)
    return Labelled(jnp.transpose(value, [own.index(a) for a in axes]), axes, deps)
