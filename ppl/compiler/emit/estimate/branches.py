"""Branches of an estimator: pure ones are ordinary functions; where a branch draws, both are walked, and what the one
not taken does counts for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from ppl.compiler.emit import branches as ordinary
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate import scored
from ppl.compiler.emit.estimate.axes import Labelled, lift
from ppl.compiler.emit.estimate.terms import Terms
from ppl.compiler.emit.evaluate import PURE
from ppl.compiler.emit.frame import Frame
from ppl.compiler.ir.nodes import Block, Density, ExpectOp, If, Let, Match
from ppl.compiler.ir.walk import is_pure, statements
from ppl.core.select import gate, select

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.walk import Walk


def branch(walk: Walk, statement: If | Match) -> None:
    if is_pure(statement) and not _estimates(statement):
        _pure(walk, statement)
        return
    if isinstance(statement, If):
        condition = walk.array(statement.condition, statement.span)
        if not condition.axes and ordinary.is_concrete(condition.value):
            results = walk.block(statement.then if bool(condition.value) else statement.otherwise)
            for var, value in zip(statement.results, results, strict=True):
                walk.values[var.id] = value
            return
        if not walk.scoring:
            _arms(walk, statement, condition)
            return
    if walk.scoring:
        scored.evaluated(walk, statement)
        return
    raise EmissionError(
        "a match whose cases draw has no place in an expectation yet",
        statement.span,
        helps=("draw before the match",),
    )


def _estimates(statement: If | Match) -> bool:
    return any(isinstance(s, Let) and isinstance(s.op, (Density, ExpectOp)) for s in statements(Block((statement,))))


def _pure(walk: Walk, statement: If | Match) -> None:
    def run(frame: Frame) -> tuple[Any, ...]:
        PURE.execute(statement, frame)
        return tuple(frame.read(r) for r in statement.results)

    found = walk.lifted(statement, run, statement.span)
    for var, value in zip(statement.results, found.value, strict=True):
        walk.values[var.id] = Labelled(value, found.axes, found.deps)


def _arms(walk: Walk, statement: If, condition: Labelled) -> None:
    before, known = walk.where, frozenset(walk.values)
    results = []
    for block, here in ((statement.then, condition), (statement.otherwise, lift(jnp.logical_not, condition))):
        walk.where = here if before is None else lift(jnp.logical_and, before, here)
        walk.gates.append((known, here))
        results.append([walk.settle_sum(v, statement.span) for v in walk.block(block)])
        walk.gates.pop()
    walk.where = before
    for var, a, b in zip(statement.results, *results, strict=True):
        walk.values[var.id] = lift(select, condition, a, b, span=statement.span)


def gated(walk: Walk, name: str, value: Any) -> Any:
    """Derivatives of the branch not taken, which may be infinite, stop here."""
    for known, here in walk.gates:
        if name in known and isinstance(value, Labelled):
            found = lift(gate, here, Labelled(value.value, value.axes, value.deps))
            value = Labelled(found.value, found.axes, found.deps, value.dims)
    return value


def masked(walk: Walk, part: Labelled) -> Labelled:
    """Zero in the branch that is not taken."""
    if walk.where is None:
        return part
    return lift(lambda here, x: jnp.where(here, x, 0.0), walk.where, part)


__all__ = ["Terms", "branch", "gated", "masked"]
