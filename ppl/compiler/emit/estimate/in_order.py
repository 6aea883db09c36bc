"""How the draws of an ordered loop are made, one step after the other.

A measure-valued draw needs, for each step, the rest of the loop under each of its alternatives, with the same noise.
Those are lanes of the shared axis: lane 0 is the draw, and a lane of an alternative is the same but for one variable in
one step, from where on it goes its own way. All T steps have lanes where T ≤ STEPS: with m parameters 1 + 2 m T runs of
the loop. In a longer loop STEPS of them have, chosen anew for each estimate without replacement, and their terms
are weighted by T/STEPS: unbiased, and linear in T, with a variance that grows by what the left out terms differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate.axes import Axis, Choice, Labelled, NotLocal
from ppl.compiler.emit.estimate.choices import Perturbed, at_first
from ppl.compiler.emit.estimate.choose import distribution
from ppl.compiler.emit.estimate.measure_valued import Alternatives, MeasureValued, entry
from ppl.compiler.emit.estimate.strategies import Sampled
from ppl.compiler.emit.evaluate import Evaluator
from ppl.compiler.emit.frame import Frame, Recorded
from ppl.compiler.emit.interpretation import Interpretation
from ppl.compiler.ir.nodes import Atom, Draw, Lit, Scan, SizeAtom

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.walk import Walk

STEPS = 32


@dataclass(frozen=True)
class One:
    """One value each step, by a strategy. ``baseline``: an expression of the loop's body."""

    strategy: Sampled
    baseline: Atom | None = None

    @property
    def scored(self) -> bool:
        return self.strategy.scored


@dataclass(frozen=True, eq=False)
class Several:
    """The alternatives of a measure-valued draw: [start, start + 2 m B) of ``axis``, for the B steps ``steps``.
    ``lanes``: which step is another one, and by which alternative, for each element of the axis (a pair of arrays)."""

    table: Alternatives
    arguments: Mapping[str, Atom]
    lanes: Labelled
    axis: Axis
    start: int
    steps: Any
    weight: float
    lower: int
    scored: ClassVar[bool] = False

    def perturbed(self, weights: Labelled) -> Perturbed:
        """``weights``: (length of the loop, 2 m), of which those of the draws are used."""
        w = at_first(weights, {self.axis})
        value = w.value[self.steps - self.lower] * self.weight
        value = value.reshape((-1, *value.shape[2:]))
        return Perturbed(self.axis, self.start, self.start + value.shape[0], Labelled(value, w.axes, w.deps))


Made = One | Several


def how(walk: Walk, loop: Scan, draw: Draw) -> Made:
    """EmissionError for what can't be done in this place."""
    strategy = walk.estimator.strategy(walk.code.model.name, draw)
    direct = any(s is draw for s in loop.body.statements)
    if isinstance(strategy, Sampled):
        baseline = dict(draw.strategy.args).get("baseline") if draw.strategy is not None and strategy.scored else None
        if baseline is not None and not direct:
            raise EmissionError(
                f"`{draw.site}` has a baseline, in a loop or branch inside of an ordered loop",
                draw.span,
                notes=("the steps of the outer loop are charged as a whole, and so are their baselines",),
                helps=("draw it directly in the ordered loop", "or leave the baseline out"),
            )
        return One(strategy, baseline)
    if not isinstance(strategy, MeasureValued):
        raise NotLocal(Choice(draw.site, walk.plates, draw.span), draw.span)
    if not direct:
        raise EmissionError(
            f"`{draw.site}` is drawn via mvd in a loop or branch inside of an ordered loop",
            draw.span,
            helps=("draw it directly in the ordered loop", "or use `via reinforce`"),
        )
    return _several(walk, loop, draw)


def _several(walk: Walk, loop: Scan, draw: Draw) -> Several:
    made = distribution(walk.code.model, draw)
    arguments = dict(made.args) if made is not None and not made.batch else {}
    fixed = frozenset(n for n, a in arguments.items() if isinstance(a, (Lit, SizeAtom)))
    table = entry(draw, made.name if made is not None and not made.batch else "", tuple(arguments), fixed)
    lower, upper = walk.size(loop.lower), walk.size(loop.upper)
    used = min(upper - lower, STEPS)
    steps = jnp.arange(lower, upper)
    if used < upper - lower:
        steps = jax.random.choice(walk.estimator.keys.take().value, steps, (used,), replace=False)
    assert walk.made is not None
    each = 2 * len(table.moving)
    axis, start = walk.estimator.shared.extend(walk.made, draw, walk.plates, each * used)
    ours = slice(start, start + each * used)
    step = jnp.full(axis.size, lower - 1).at[ours].set(jnp.repeat(steps, each))
    which = jnp.zeros(axis.size, int).at[ours].set(jnp.tile(jnp.arange(1, each + 1), used))
    lanes = Labelled((step, which), (axis,))
    return Several(table, arguments, lanes, axis, start, steps, (upper - lower) / max(used, 1), lower)


class InOrder(Evaluator):
    """Draws are made by their strategies. A record is the value with its log density, and the baseline or the weights
    of the alternatives. ``lanes``: of the measure-valued draws, in their order."""

    def __init__(self, loop: Scan, made: Mapping[str, Made], lanes: list[Any]):
        super().__init__(Interpretation("in order", samples=True))
        several = [name for name, m in made.items() if isinstance(m, Several)]
        self.loop, self.made, self.lanes = loop, made, dict(zip(several, lanes, strict=True))

    def _draw(self, frame: Frame, draw: Draw) -> None:
        made, dist = self.made[draw.var.id], frame.read(draw.dist)
        more: Any
        if isinstance(made, Several):
            arguments = {n: frame.read(a) for n, a in made.arguments.items()}
            values, more = made.table.draw(frame.next_key(), arguments)
            step, which = self.lanes[draw.var.id]
            x = values[jnp.where(frame.read(self.loop.index) == step, which, 0)]
        else:
            x = made.strategy.sample(dist, frame.next_key())
            x = jax.lax.stop_gradient(x) if made.scored else x
            more = None if made.baseline is None else jnp.asarray(frame.read(made.baseline), float)
        frame.define(draw.var, x)
        frame.records[draw.var.id] = Recorded((x, jnp.sum(dist.log_prob(x)), more))
