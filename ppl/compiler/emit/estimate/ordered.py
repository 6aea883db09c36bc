"""Ordered loops of an estimator.

A loop whose only memory is one enumerated variable of the iteration before is a chain: all its iterations are
evaluated at once, for all values of the two (``chains``). Any other loop draws its variables in order, in one
``lax.scan`` that emits the log density of each step: a step is charged with the costs of its own time and of later
ones, and the program does not grow with the length of the loop.

Times are counted along an axis that starts at 0, also where the loop starts later: the first elements are drawn
before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate import chains, scored
from ppl.compiler.emit.estimate.axes import Axis, Choice, Labelled, NotLocal, merged, named
from ppl.compiler.emit.estimate.choices import Followed, Scored
from ppl.compiler.emit.estimate.strategies import Sampled, Strategy
from ppl.compiler.emit.evaluate import Evaluator
from ppl.compiler.emit.frame import Frame, Given, Recorded
from ppl.compiler.emit.interpretation import TERMS, Drawn, Interpretation
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import Draw, ForwardSum, Scan, SumOut, Var
from ppl.compiler.ir.walk import definitions
from ppl.compiler.ir.walk import walk as nodes_of
from ppl.core.lanes import plain as plain_key

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


@dataclass(frozen=True)
class InOrder(Interpretation):
    """Draws are made by their strategies; a record is the value with its log density."""

    strategies: Any = None

    def draw(self, draw: Draw, dist: Any, given: Given, key: Any) -> Drawn:
        strategy: Sampled = self.strategies[draw.var.id]
        x = strategy.sample(dist, plain_key(key()) if getattr(dist, "is_discrete", True) else key())
        x = jax.lax.stop_gradient(x) if strategy.scored else x
        return Drawn(x, None, Recorded((x, jnp.sum(dist.log_prob(x)))))


def _sample(walk: Walk, loop: Scan) -> None:
    draws = {d.var.id: d for d in _draws(loop)}
    strategies = {name: _in_order(walk, d) for name, d in draws.items()}
    interpretation = InOrder("in order", samples=True, strategies=strategies)
    results = definitions(loop)

    def run(frame: Frame, key: Any) -> Any:
        inner = Frame(frame, key=key)
        inner.ranges.update(frame.ranges)
        Evaluator(interpretation).execute(loop, inner)
        return tuple(inner.read(r) for r in results), inner.effects().records

    found = walk.lifted(loop, run, loop.span, (walk.estimator.keys.take(walk.plates),))
    values, records = found.value
    time = Axis(walk.size(loop.upper), ordered=True)
    scored_names = [n for n, s in strategies.items() if s.scored]
    choices = {n: Choice(draws[n].site, (*walk.plates, time), draws[n].span, time) for n in scored_names}
    inside = merged((found.deps, {c: frozenset() for c in choices.values()}))
    outside = {c: lost | ({time} if time in c.plates else frozenset()) for c, lost in inside.items()}
    lower = walk.size(loop.lower)
    for var, value in zip(results, values, strict=True):
        walk.values[var.id] = Labelled(value, found.axes, outside)
    for name, record in records.items():
        x, log_q = record.value
        log_density = replace(_along_time(log_q, found.axes, time, lower), deps=inside)
        walk.records[name] = Labelled(Recorded(x, record.present), found.axes, inside, (time,))
        assert walk.made is not None
        if name not in choices:
            walk.made.append(Followed())
        else:
            walk.made.append(Scored(choices[name], log_density, None, walk.replicates))
            log_density = replace(log_density, score_of=choices[name])
        walk.add(log_density)
    for s in loop.stacked:
        if isinstance(s.value, Var) and s.value.id in draws:
            walk.series[s.var.id] = Labelled(None, (), inside, (time,))


def _in_order(walk: Walk, draw: Draw) -> Sampled:
    strategy: Strategy = walk.estimator.strategy(walk.code.model.name, draw)
    if isinstance(strategy, Sampled):
        if draw.strategy is not None and draw.strategy.args:
            raise EmissionError(
                f"`{draw.site}` is drawn in an ordered loop, where a baseline is not supported yet",
                draw.span,
                helps=("leave the baseline out: each step is charged with later costs only",),
            )
        return strategy
    raise NotLocal(Choice(draw.site, walk.plates, draw.span), draw.span)


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
