"""Ordered loops become ``lax.scan``; where all carries are known beforehand, they run at once like plates.

A carry that only hands on earlier values of a site is known wherever the site is given, so the density of an
autoregressive model is computed for all times at once. Which carries those are is found by evaluating the body with
undefined carries: what comes out defined did not need them. Other carries (states, recurrences) are computed in
order, alone; the densities that read them then run at once.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.loops import Iteration, draws_of, enter, inputs, leave, run_at_once
from ppl.compiler.emit.ranges import first_is_special
from ppl.compiler.emit.traverse import Memo, used_variables
from ppl.compiler.ir.nodes import Carry, Scan, Var
from ppl.compiler.ir.types import BOOL, REAL, IndexType, Scalar, SizeType, Type, element
from ppl.core.undefined import UNDEFINED, has_undefined, is_undefined

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator

_used: Callable[[Any], frozenset[str]] = Memo(used_variables)

Values = dict[str, Any]  # carry -> its values


def scan(evaluator: Evaluator, frame: Frame, loop: Scan) -> None:
    run = _Run(evaluator, frame, loop)
    run.find_known()
    if run.rest and not evaluator.interpretation.samples and draws_of(loop.body):
        run.find_in_order()
    if not run.rest:
        run_at_once(evaluator, frame, loop, run.iterations)
    else:
        run.in_order()
    for c in loop.carries:
        if c.final is not None:
            frame.define(c.final, run.finals[c.var.id])


class _Run:
    """One evaluation of a loop. ``iterations.carried``: for the carries known so far, what each iteration finds in
    them; ``finals`` what is left at the end; ``rest`` the others."""

    def __init__(self, evaluator: Evaluator, frame: Frame, loop: Scan):
        self.evaluator, self.frame, self.loop = evaluator, frame, loop
        self.quiet = evaluator.with_interpretation(evaluator.interpretation.values_only())
        self.length, self.iterations = inputs(evaluator, frame, loop, loop.body)
        self.inits = {c.var.id: as_type(frame.read(c.init), c.var.type) for c in loop.carries}
        self.finals: Values = {}

    @property
    def rest(self) -> list[Carry]:
        return [c for c in self.loop.carries if c.var.id not in self.finals]

    def _found(self, carried: Values, finals: Values) -> None:
        self.iterations = self.iterations._replace(carried=self.iterations.carried | carried)
        self.finals |= finals

    def _nexts(self, inner: Frame) -> Values:
        return {c.var.id: as_type(inner.read(c.next), c.var.type) for c in self.rest}

    def find_known(self) -> None:
        """The carries that need no order, as far as the given values go."""
        while self.rest and self.iterations.given:

            def body(at: Iteration) -> Values:
                inner = enter(self.frame, self.loop, at)
                for c in self.rest:
                    inner.define(c.var, UNDEFINED)
                self.quiet.run(self.loop.body, inner)
                return self._nexts(inner)

            nexts = jax.vmap(body)(self.iterations)
            found = {n: v for n, v in nexts.items() if not has_undefined(v) and not has_undefined(self.inits[n])}
            if not found:
                return
            wholes = {n: jax.tree.map(_prepended, self.inits[n], after) for n, after in found.items()}
            self._found(
                {n: jax.tree.map(lambda w: w[: self.length], whole) for n, whole in wholes.items()},
                {n: jax.tree.map(lambda w: w[self.length], whole) for n, whole in wholes.items()},
            )

    def find_in_order(self) -> None:
        """The other carries, computed in order without anything else. What the iterations compute on the way to them is
        kept: the rest of the body need not compute it again."""
        rest = self.rest

        def step(carried: Values, at: Iteration, bounds: tuple[int, int] | None = None) -> tuple[Values, Values]:
            inner = enter(self.frame, self.loop, at)
            if bounds is not None:
                inner.ranges[self.loop.index.id] = bounds
            inner.values.update(carried)
            self.quiet.run(self.loop.body, inner)
            nexts = {c.var.id: as_type(inner.read(c.next), c.var.type) for c in rest}
            return nexts, nexts

        inits = {c.var.id: self.inits[c.var.id] for c in rest}
        if self._undefined(step, inits):
            undefined = dict.fromkeys(inits, UNDEFINED)
            self._found(undefined, undefined)
            return
        if self.length > 1 and first_is_special(self.frame, self.loop):
            lower, upper = self.frame.size(self.loop.lower), self.frame.size(self.loop.upper)
            first = jax.tree.map(itemgetter(0), self.iterations)
            others = jax.tree.map(itemgetter(slice(1, None)), self.iterations)
            after, _ = step(inits, first._replace(index=lower))
            finals, later = jax.lax.scan(lambda c, at: step(c, at, (lower + 1, upper)), after, others)
            nexts = jax.tree.map(_prepended, after, later)
        else:
            finals, nexts = jax.lax.scan(step, inits, self.iterations)
        found = {n: jax.tree.map(lambda i, v: _prepended(i, v[:-1]), inits[n], nexts[n]) for n in inits}
        known = {c.next.id: nexts[c.var.id] for c in rest if isinstance(c.next, Var)}
        self._found(found | known, finals)

    def in_order(self) -> None:
        """The whole loop in order."""

        def step(carried: Values, at: Iteration) -> Any:
            inner = enter(self.frame, self.loop, at)
            inner.values.update(carried)
            self.evaluator.run(self.loop.body, inner)
            return self._nexts(inner), (tuple(inner.read(s.value) for s in self.loop.stacked), inner.effects())

        inits = {c.var.id: self.inits[c.var.id] for c in self.rest}
        if self._undefined(step, inits):
            undefined = dict.fromkeys(inits, UNDEFINED)
            self._found(undefined, undefined)
            run_at_once(self.evaluator, self.frame, self.loop, self.iterations)
            return
        finals, (stacked, effects) = jax.lax.scan(step, inits, self.iterations)
        self._found({}, finals)
        leave(self.frame, self.loop, stacked, effects)

    def _undefined(self, step: Callable[..., Any], inits: Values) -> bool:
        """Whether the state depends on draws that are not made in this interpretation."""
        if any(has_undefined(v) for v in inits.values()):
            return True
        read = [self.frame.lookup(name, gated=False) for name in _used(self.loop.body)]
        read += [*self.iterations.mapped.values(), *self.iterations.carried.values()]
        undrawn = not self.evaluator.interpretation.samples and any(
            d.var.id not in self.frame.given for d in draws_of(self.loop.body)
        )
        if not undrawn and not any(map(has_undefined, read)):
            return False
        first = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), self.iterations)
        return has_undefined(jax.eval_shape(step, inits, first)[0])


def _prepended(first: Any, others: Any) -> Any:
    return jnp.concatenate([jnp.asarray(first)[None], others])


def as_type(value: Any, t: Type) -> Any:
    """Numbers as arrays of the declared type, so that a loop's state keeps one type throughout."""
    if is_undefined(value):
        return value
    match element(t):
        case Scalar() as s if s == REAL:
            return jnp.asarray(value, float)
        case Scalar() as s if s == BOOL:
            return jnp.asarray(value, bool)
        case Scalar() | IndexType() | SizeType():
            return jnp.asarray(value, int)
    return jax.tree.map(jnp.asarray, value)
