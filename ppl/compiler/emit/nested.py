"""``infer { … } by enumerate``: the exact posterior of what a block returns, by visiting every outcome of its draws.

A draw with K values runs what follows it once, mapped over an axis of K (``vmap``): the program grows by one axis per
draw, not by copies. Loops that draw are unrolled (their outcomes are as many as K to the power of their length
anyway); after a branch that draws, what follows is traced once for each side, and outcomes of sides not taken have
weight zero.

Everything is evaluated twice. An outcome of weight zero has derivative zero, but what leads to it may have an infinite
one (``factor alpha * logprob(d, x)`` where x is impossible), and zero times infinity is NaN. The first evaluation says
which outcomes are impossible; in the second no derivative passes into these."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.frame import Frame, total
from ppl.compiler.emit.interpretation import DENSITY
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import ApplyModel, Block, Draw, If, InferOp, Let, LogEvidence, Match, Plate, Scan, Stmt, Var
from ppl.core.distributions import support_values
from ppl.core.distributions.atoms import Atoms
from ppl.core.errors import ResourceError
from ppl.core.numerics import log_sum_exp
from ppl.core.select import gate
from ppl.core.target import is_auxiliary
from ppl.core.undefined import UNDEFINED, has_undefined

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator

MOST_OUTCOMES = 1_000_000

_draws: Callable[[Any], tuple[Draw, ...]] = Memo(draws_in)


class Outcomes(NamedTuple):
    """Log weights (K,), and a PyTree of values with a leading axis of length K."""

    log_weight: Float[Array, " K"]
    value: Any


Continuation = Callable[[Frame], Outcomes]


def infer(frame: Frame, op: InferOp) -> Any:
    """The distribution that ``op`` denotes; undefined where it reads what is drawn after inference."""
    from ppl.compiler.emit.evaluate import Evaluator

    root = Frame(frame)
    first = _Run(Evaluator(DENSITY), root)
    found = first.statements(op.body.statements, root, lambda last: first.outcome(last, op))
    if has_undefined(found.value) or has_undefined(found.log_weight):
        return UNDEFINED
    second = _Run(Evaluator(DENSITY), root, lax.stop_gradient(found.log_weight) > -jnp.inf, first.splits)
    root = second.root = Frame(frame)
    found = second.statements(op.body.statements, root, lambda last: second.outcome(last, op))
    log_z = log_sum_exp(found.log_weight)
    possible = log_z > -jnp.inf
    return Atoms(found.value, jnp.where(possible, found.log_weight - jnp.where(possible, log_z, 0.0), -jnp.inf))


def log_evidence(frame: Frame, op: LogEvidence) -> Any:
    """The log of the total mass of a block, by visiting every outcome of its draws."""
    from ppl.compiler.emit.evaluate import Evaluator

    root = Frame(frame)
    first = _Run(Evaluator(DENSITY), root)
    found = first.statements(op.body.statements, root, first.weighed)
    if has_undefined(found.log_weight) or has_undefined(found.value):
        return UNDEFINED
    second = _Run(Evaluator(DENSITY), root, lax.stop_gradient(found.log_weight) > -jnp.inf, first.splits)
    root = second.root = Frame(frame)
    return log_sum_exp(second.statements(op.body.statements, root, second.weighed).log_weight)


class _Run:
    """``axes``: the numbers of values of the draws that the current statement is mapped over. ``possible``: which of
    the outcomes that the current statement leads to have a positive weight, None where that is not known yet.
    ``splits``: how many outcomes each side of a branch that draws has, for the branches in the order in which they are
    met."""

    def __init__(
        self,
        evaluator: Evaluator,
        root: Frame,
        possible: Bool[Array, " K"] | None = None,
        splits: list[tuple[int, ...]] | None = None,
    ):
        self.evaluator, self.root, self.possible = evaluator, root, possible
        self.splits = [] if splits is None else splits
        self.axes: tuple[int, ...] = ()
        self.branches = 0

    def outcome(self, last: Frame, op: InferOp) -> Outcomes:
        value = last.read(op.body.results[0])
        if has_undefined(value):
            return Outcomes(jnp.zeros((1,)), value)
        return Outcomes(self.weighed(last).log_weight, jax.tree.map(lambda a: jnp.asarray(a)[None], value))

    def weighed(self, last: Frame) -> Outcomes:
        """An outcome without a value."""
        weight: Any = jnp.zeros(())
        frame: Frame | None = last
        while frame is not None and frame is not self.root.parent:
            weight = weight + (total(frame.weights) if frame.weights else 0.0)
            frame = frame.parent
        return Outcomes(jnp.reshape(weight, (1,)), ())

    def statements(self, rest: tuple[Stmt, ...], frame: Frame, then: Continuation) -> Outcomes:
        """The outcomes of ``rest``, and of what follows it."""
        for position, s in enumerate(rest):
            after = rest[position + 1 :]

            def onward(inner: Frame, after: tuple[Stmt, ...] = after) -> Outcomes:
                return self.statements(after, inner, then)

            if isinstance(s, Draw) and s.absent:
                frame.define(s.var, UNDEFINED)  # noise of mass one that nothing reads
                continue
            if isinstance(s, Draw):
                return self.draw(s, frame, onward)
            if isinstance(s, (Plate, Scan)) and _draws(s):
                return self.loop(s, frame, onward)
            if isinstance(s, (If, Match)) and _draws(s):
                return self.sides(s, arms(s, frame), frame, onward)
            if isinstance(s, Let) and isinstance(s.op, ApplyModel):
                message = "a draw from a model that is only known when the program runs cannot be enumerated"
                raise EmissionError(message, s.span, helps=("write `x ~ m(…)` with the model's own name",))
            self.evaluator.execute(s, frame)
        return then(frame)

    def draw(self, draw: Draw, frame: Frame, onward: Continuation) -> Outcomes:
        dist = frame.read(draw.dist)
        if has_undefined(dist):
            return Outcomes(jnp.zeros((1,)), UNDEFINED)
        values, log_p = self.values(draw, dist)
        k = log_p.shape[0]
        outer = self.axes
        self.axes = (*outer, k)
        if np.prod(self.axes, dtype=float) > MOST_OUTCOMES:
            raise ResourceError(
                f"`infer … by enumerate` would visit {np.prod(self.axes, dtype=float):.3g} outcomes, and at most "
                f"{MOST_OUTCOMES:,} are: {draw.site} is one draw too many",
                helps=("infer fewer variables at a time, or make them variables of the model",),
            )

        possible = self.possible

        def rest(value: Any, log_probability: Any, here: Any) -> Outcomes:
            self.possible = here
            inner = Frame(frame, gated=None if here is None else here.any())
            inner.define(draw.var, value)
            inner.weights.append(log_probability)
            return onward(inner)

        found = jax.vmap(rest)(values, log_p, None if possible is None else possible.reshape(k, -1))
        self.axes, self.possible = outer, possible
        return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), found)

    def values(self, draw: Draw, dist: Any) -> tuple[Any, Array]:
        """Every value of the draw, and its log probability."""
        if isinstance(dist, Atoms):
            return dist.values, dist.log_p
        if is_auxiliary(draw.site):
            raise EmissionError(
                "an estimate inside of `infer … by enumerate` is random, and its randomness cannot be enumerated",
                draw.span,
                helps=("estimate it by a `let` before `infer`", "or write `by enumerate` there too"),
            )
        one = support_values(dist)
        if one is None or dist.event_shape:
            raise EmissionError(
                f"`{draw.site}` has infinitely many values, so that `infer … by enumerate` cannot visit them all",
                draw.span,
                helps=("draw it in the model, and infer the rest",),
            )
        shape = dist.batch_shape
        n = int(np.prod(shape, dtype=int))
        if len(one) ** n > MOST_OUTCOMES:
            raise ResourceError(
                f"`{draw.site}` has {len(one)}^{n} values, and `infer … by enumerate` visits at most {MOST_OUTCOMES:,}",
                helps=("infer fewer variables at a time, or make them variables of the model",),
            )
        grid = np.stack(np.meshgrid(*[np.arange(len(one))] * n, indexing="ij"), -1).reshape(-1, *shape) if n else None
        values = one[grid] if grid is not None else jnp.zeros((1, *shape), one.dtype)
        return values, dist.log_prob(values).reshape(len(values), -1).sum(-1)

    def loop(self, loop: Plate | Scan, frame: Frame, onward: Continuation) -> Outcomes:
        """Iteration after iteration."""
        lower, upper = frame.size(loop.lower), frame.size(loop.upper)
        carries = loop.carries if isinstance(loop, Scan) else ()

        def iteration(i: int, outer: Frame, carried: tuple[Any, ...], kept: tuple[tuple[Any, ...], ...]) -> Outcomes:
            if i >= upper:
                last = Frame(outer)
                for s, values in zip(loop.stacked, zip(*kept, strict=True), strict=True) if kept else ():
                    last.define(s.var, jax.tree.map(lambda *xs: jnp.stack([jnp.asarray(x) for x in xs]), *values))
                for c, value in zip(carries, carried, strict=True):
                    if c.final is not None:
                        last.define(c.final, value)
                return onward(last)
            inner = Frame(outer)
            inner.define(loop.index, i)
            inner.ranges[loop.index.id] = (i, i + 1)
            for m in loop.mapped:
                at = i + outer.size(m.offset)
                inner.define(m.var, jax.tree.map(lambda a, at=at: a[at], outer.read(m.array)))
            for c, value in zip(carries, carried, strict=True):
                inner.define(c.var, value)

            def next_one(f: Frame) -> Outcomes:
                stacked = tuple(f.read(s.value) for s in loop.stacked)
                return iteration(i + 1, f, tuple(f.read(c.next) for c in carries), (*kept, stacked))

            return self.statements(loop.body.statements, inner, next_one)

        return iteration(lower, frame, tuple(frame.read(c.init) for c in carries), ())

    def sides(self, s: If | Match, arms: list[Arm], frame: Frame, onward: Continuation) -> Outcomes:
        """What follows a branch, once for each side that may be taken."""
        index, possible = self.branches, self.possible
        self.branches += 1
        if possible is None:
            self.splits.append(())
        found: list[Outcomes] = []
        for number, arm in enumerate(arms):
            if possible is not None:
                start, stop = (sum(self.splits[index][:k]) for k in (number, number + 1))
                self.possible = possible[start:stop]
            found.append(self.side(s, arm, frame, onward))
            if possible is None:
                self.splits[index] += (len(found[-1].log_weight),)
        self.possible = possible
        return jax.tree.map(lambda *a: jnp.concatenate(a), *found)

    def side(self, s: If | Match, arm: Arm, frame: Frame, onward: Continuation) -> Outcomes:
        inner = Frame(frame, gated=arm.condition)
        for binder, value in arm.binders:
            inner.define(binder, value if arm.condition is None else gate(arm.condition, value))

        def join(f: Frame) -> Outcomes:
            last = Frame(f)
            for var, result in zip(s.results, arm.block.results, strict=True):
                last.define(var, f.read(result))
            if arm.condition is not None:
                last.weights.append(jnp.where(arm.condition, 0.0, -jnp.inf))
            return onward(last)

        return self.statements(arm.block.statements, inner, join)


class Arm(NamedTuple):
    """One side of a branch. ``condition``: whether it is taken, None where that is decided."""

    block: Block
    condition: Any
    binders: tuple[tuple[Var, Any], ...] = ()


def arms(s: If | Match, frame: Frame) -> list[Arm]:
    """The sides that may be taken: one, where what decides is known while tracing."""
    if isinstance(s, If):
        condition = frame.read(s.condition)
        if isinstance(condition, (bool, np.bool_)):
            return [Arm(s.then if condition else s.otherwise, None)]
        return [Arm(s.then, condition), Arm(s.otherwise, ~condition)]
    subject = frame.read(s.subject)
    position = {c.name: k for k, c in enumerate(frame.code.sum(subject.sum).constructors)}
    found: list[Arm] = []
    before: Any = False
    for case in s.cases:
        k = None if case.constructor is None else position[case.constructor]
        here = ~before if k is None else subject.tag == k
        binders = () if k is None else tuple(zip(case.binders, subject.fields[k], strict=True))
        if isinstance(subject.tag, int):
            if k is None or k == subject.tag:
                return [Arm(case.body, None, binders)]
        else:
            found.append(Arm(case.body, here, binders))
            before = here | before
        if k is None:
            break
    return found
