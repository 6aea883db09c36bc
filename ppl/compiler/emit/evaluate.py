"""The evaluator: walks a block of the IR once, in one interpretation, while JAX traces what it computes."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from ppl.compiler.diagnostics.span import NOWHERE
from ppl.compiler.emit import branches, chains, loops, operations, scans, sums
from ppl.compiler.emit.errors import CompilerDefect, EmissionError
from ppl.compiler.emit.frame import Frame, Recorded
from ppl.compiler.emit.interpretation import NOT_GIVEN, Interpretation, log_density
from ppl.compiler.ir.nodes import (
    Block,
    Draw,
    Factor,
    For,
    ForwardSum,
    If,
    Let,
    Match,
    Observe,
    Output,
    ParamStmt,
    Plate,
    Require,
    Scan,
    Stmt,
    SumOut,
)
from ppl.core.undefined import has_undefined, is_undefined


class Evaluator:
    """``interpretation`` says what happens at draws. ``scored``: the statements (by ``id``) whose log density is
    counted; None for all."""

    def __init__(self, interpretation: Interpretation, scored: frozenset[int] | None = None):
        self.interpretation = interpretation
        self.scored = scored

    def with_interpretation(self, interpretation: Interpretation) -> Evaluator:
        return Evaluator(interpretation, self.scored)

    def run(self, block: Block, frame: Frame) -> tuple[Any, ...]:
        """Evaluates the statements in ``frame`` and gives the block's results."""
        if self.interpretation.samples and frame.key is not None:
            frame.expect_keys(sum(_keys_used(s, frame) for s in block.statements))
        for statement in block.statements:
            self.execute(statement, frame)
        return tuple(frame.read(r) for r in block.results)

    def execute(self, statement: Stmt, frame: Frame) -> None:
        match statement:
            case Let():
                operations.let(self, frame, statement)
            case Draw():
                self._draw(frame, statement)
            case Plate():
                loops.plate(self, frame, statement)
            case Scan():
                scans.scan(self, frame, statement)
            case If():
                branches.if_(self, frame, statement)
            case Match():
                branches.match_(self, frame, statement)
            case Observe(value=value, dist=dist):
                if self._counts(statement):
                    term = log_density("observe", frame.read(dist), frame.read(value))
                    self._add(frame, statement, jnp.sum(term) if np.ndim(term) else term)
            case Factor(value=value):
                if self._counts(statement):
                    self._add(frame, statement, self._known(frame.read(value), "a factor"))
            case Require(condition=condition):
                if self._counts(statement):
                    holds = self._known(frame.read(condition), "a require")
                    self._add(frame, statement, jnp.where(holds, 0.0, -jnp.inf))
            case Output(name=name, value=value):
                if self.interpretation.outputs:
                    frame.outputs[name] = frame.read(value)
            case SumOut():
                sums.sum_out(self, frame, statement)
            case ForwardSum():
                chains.forward_sum(self, frame, statement)
            case ParamStmt(var=var):
                if var.id not in frame.values:
                    raise EmissionError(
                        f"the learnable parameter `{statement.site}` has no value yet",
                        statement.span,
                        helps=("train it by the method vi",),
                    )
            case For():
                raise CompilerDefect("a For reached the emitter: the pass that makes scans has not run")
            case _:
                span = getattr(statement, "span", NOWHERE)
                raise EmissionError(f"{type(statement).__name__} cannot be executed by this method", span)

    def _draw(self, frame: Frame, draw: Draw) -> None:
        given = frame.given.get(draw.var.id, NOT_GIVEN)
        dist = frame.read(draw.dist)
        if not self.interpretation.nested and draw.site in frame.code.determined:
            value = dist if is_undefined(dist) else frame.code.determined_value(dist)
            frame.define(draw.var, value)
            if self.interpretation.records == "value" and not is_undefined(value):
                frame.records[draw.var.id] = Recorded(value)
            return
        interpretation = self.interpretation if self.is_scored(draw) else self.interpretation.unscored()
        drawn = interpretation.draw(draw, dist, given, frame.next_key)
        frame.define(draw.var, drawn.value)
        if drawn.weight is not None:
            frame.weights.append(drawn.weight)
        if drawn.record is not None:
            frame.records[draw.var.id] = drawn.record

    def is_scored(self, statement: Stmt) -> bool:
        return self.scored is None or id(statement) in self.scored

    def _counts(self, statement: Stmt) -> bool:
        return self.interpretation.weighs and self.is_scored(statement)

    def _known(self, value: Any, what: str) -> Any:
        if has_undefined(value):
            raise CompilerDefect(f"{what} depends on variables that are drawn after inference")
        return value

    def _add(self, frame: Frame, statement: Stmt, weight: Any) -> None:
        frame.weights.append(weight)
        if self.interpretation.records == "term":
            frame.outputs[frame.code.label(statement)] = weight


def _keys_used(statement: Stmt, frame: Frame) -> int:
    """How many keys a statement takes from its frame, at most."""
    match statement:
        case Draw(var=var):
            given = frame.given.get(var.id)
            return int(given is None or given.missing is not None)
        case SumOut():
            return 2
        case ForwardSum():
            return 5
    return int(isinstance(statement, (Plate, Scan, If, Match)) and bool(loops.draws_of(statement)))


PURE = Evaluator(Interpretation("pure"))
SAMPLER = Evaluator(Interpretation("sampler", samples=True))
