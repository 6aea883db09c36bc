"""Ordered loops of an estimator.

A loop whose only memory is one enumerated variable of the iteration before is a chain: all its iterations are
evaluated at once, for all values of the two (``chains``). Any other loop draws its variables in order, in one
``lax.scan`` that emits the log density of each step: a step is charged with the costs of its own time and of later
ones, and the program does not grow with the length of the loop.

Times are counted along an axis that starts at 0, also where the loop starts later: the first elements are drawn
before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.estimate import chains, in_order, scored
from ppl.compiler.emit.estimate.axes import Axis, Choice, Labelled, merged, named
from ppl.compiler.emit.estimate.choices import Followed, Scored
from ppl.compiler.emit.frame import Frame, Recorded
from ppl.compiler.emit.interpretation import TERMS
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import ForwardSum, Scan, SumOut, Var
from ppl.compiler.ir.walk import definitions
from ppl.compiler.ir.walk import walk as nodes_of

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.walk import Walk

_draws = Memo(draws_in)


def scan(walk: Walk, loop: Scan) -> None:
    if chains.is_chain(walk, loop):
        chains.run(walk, loop)
    elif walk.scoring:
        _score(walk, loop)
    elif _draws(loop):
        _sample(walk, loop)
    else:
        scored.evaluated(walk, loop)


# --- drawn ------------------------------------------------------------------------------------------------------------


def _sample(walk: Walk, loop: Scan) -> None:
    draws = {d.var.id: d for d in _draws(loop)}
    made = {name: in_order.how(walk, loop, d) for name, d in draws.items()}
    lanes = [m.lanes for m in made.values() if isinstance(m, in_order.Several)]
    results = definitions(loop)

    def run(frame: Frame, key: Any, *lane: Any) -> Any:
        inner = Frame(frame, key=key)
        inner.ranges.update(frame.ranges)
        in_order.InOrder(loop, made, list(lane)).execute(loop, inner)
        return tuple(inner.read(r) for r in results), inner.effects().records

    found = walk.lifted(loop, run, loop.span, (walk.estimator.keys.take(walk.plates), *lanes))
    values, records = found.value
    time = Axis(walk.size(loop.upper), ordered=True)
    scored_names = [n for n, m in made.items() if m.scored]
    choices = {n: Choice(draws[n].site, (*walk.plates, time), draws[n].span, time) for n in scored_names}
    inside = merged((found.deps, {c: frozenset() for c in choices.values()}))
    outside = {c: lost | ({time} if time in c.plates else frozenset()) for c, lost in inside.items()}
    lower = walk.size(loop.lower)
    for var, value in zip(results, values, strict=True):
        walk.values[var.id] = Labelled(value, found.axes, outside)
    for name, record in ((n, records[n]) for n in draws):  # in the order of the program, as their alternatives are
        x, log_q, more = record.value
        log_density = replace(_along_time(log_q, found.axes, time, lower), deps=inside)
        walk.records[name] = Labelled(Recorded(x, record.present), found.axes, inside, (time,))
        assert walk.made is not None
        how = made[name]
        if isinstance(how, in_order.Several):
            walk.made.append(how.perturbed(Labelled(more, found.axes, found.deps)))
        elif name not in choices:
            walk.made.append(Followed())
        else:
            baseline = None if more is None else _along_time(more, found.axes, time, lower)
            learn = baseline is not None and walk.learns(draws[name])
            walk.made.append(Scored(choices[name], log_density, baseline, walk.replicates, learn))
            log_density = replace(log_density, score_of=choices[name])
        walk.add(log_density)
    for s in loop.stacked:
        if isinstance(s.value, Var) and s.value.id in draws:
            walk.series[s.var.id] = Labelled(None, (), inside, (time,))


def _along_time(values: Any, axes: tuple[Axis, ...], time: Axis, lower: int) -> Labelled:
    """An array with an element a step (and more for inner loops, which are added up) along the axis of times."""
    own = np.ndim(values) - len(axes)
    values = jnp.sum(values, tuple(range(1, own)))
    before = [(lower, 0)] + [(0, 0)] * len(axes)
    return named(Labelled(jnp.pad(values, before), axes), time)


# --- scored -----------------------------------------------------------------------------------------------------------


def _score(walk: Walk, loop: Scan) -> None:
    """At given values, with the log density of each step where the values come from an ordered loop too."""
    given = [walk.given[d.var.id] for d in _draws(loop) if d.var.id in walk.given]
    times = {g.dims[0] for g in given if g.dims and g.dims[0] is not None}
    summed_out = any(isinstance(n, (SumOut, ForwardSum)) for n in nodes_of(loop))
    if (
        len(times) != 1
        or next(iter(times)).size != walk.size(loop.upper)
        or summed_out
        or not next(iter(times)).ordered
    ):
        scored.evaluated(walk, loop)
        return
    (time,) = times
    lower = walk.size(loop.lower)
    found, results, others = scored.by_evaluator(walk, loop, TERMS)
    known = merged(g.deps for g in given)
    deps = {c: known[c] if c in known and c not in others else lost for c, lost in found.deps.items()}
    for var, value in zip(results, found.value[0], strict=True):
        walk.values[var.id] = Labelled(value, found.axes, found.deps)
    for term in found.value[2]:
        walk.add(replace(_along_time(term, found.axes, time, lower), deps=deps))
