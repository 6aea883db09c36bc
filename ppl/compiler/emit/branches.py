"""Branches: decided while tracing where the condition is known, else both are compiled and the results selected.

Under ``vmap`` (chains, particles, plates) ``lax.cond`` would become just that. What a branch takes from outside is
gated, so that a branch not taken cannot spoil derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from numpyro.distributions import Distribution

from ppl.compiler.emit.errors import CompilerDefect, EmissionError
from ppl.compiler.emit.frame import Effects, Frame, Given, Recorded
from ppl.compiler.emit.matching import cases_of, is_concrete
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import Block, Draw, If, Let, Match, Prim, Stmt, Var
from ppl.compiler.ir.walk import is_pure
from ppl.core.closure import EitherFunction
from ppl.core.either import EitherDistribution
from ppl.core.select import gate, select
from ppl.core.undefined import UNDEFINED, is_undefined

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator

_draws: Callable[[Any], tuple[Draw, ...]] = Memo(draws_in)


def if_(evaluator: Evaluator, frame: Frame, statement: If) -> None:
    if statement.results and all(r.id in frame.values for r in statement.results) and is_pure(statement):
        return
    condition = frame.read(statement.condition)
    key = frame.next_key() if _draws(statement) else None
    if is_undefined(condition):
        _leave_undefined(evaluator, frame, statement)
        return
    if is_concrete(condition):
        block = statement.then if bool(condition) else statement.otherwise
        inner = Frame(frame, whole=frame.whole, key=key)
        _leave(frame, statement.results, evaluator.run(block, inner), inner.effects())
        return
    arms = [
        _arm(evaluator, frame, statement.then, condition, key, 0),
        _arm(evaluator, frame, statement.otherwise, jnp.logical_not(condition), key, 1),
    ]
    _leave(frame, statement.results, *_merge(condition, arms[0], arms[1], statement))


def match_(evaluator: Evaluator, frame: Frame, statement: Match) -> None:
    subject = frame.read(statement.subject)
    key = frame.next_key() if _draws(statement) else None
    if is_undefined(subject):
        _leave_undefined(evaluator, frame, statement)
        return
    cases = cases_of(frame, subject, statement.cases)
    if is_concrete(subject.tag):
        for case, binders, here in cases:
            if here:
                inner = Frame(frame, whole=frame.whole, key=key)
                inner.values.update({b.id: v for b, v in binders})
                _leave(frame, statement.results, evaluator.run(case.body, inner), inner.effects())
                return
    result: Arm | None = None
    for number, (case, binders, here) in reversed(list(enumerate(cases))):
        arm = _arm(evaluator, frame, case.body, here, key, number, binders)
        result = arm if result is None else _merge(here, arm, result, statement)
    if result is not None:
        _leave(frame, statement.results, *result)


Arm = tuple[tuple[Any, ...], Effects]


def _arm(
    evaluator: Evaluator,
    frame: Frame,
    block: Block,
    here: Any,
    key: Any,
    number: int,
    binders: tuple[tuple[Var, Any], ...] = (),
) -> Arm:
    given = {
        d.var.id: Given(*(gate(here, part) for part in frame.given[d.var.id]))
        for d in _draws(block)
        if d.var.id in frame.given
    }
    key = None if key is None else jax.random.fold_in(key, number)
    inner = Frame(frame, given=given, whole=frame.whole, key=key, gated=None if _is_tame(block) else here)
    inner.under(here)
    inner.values.update({b.id: gate(here, v) for b, v in binders})
    results = evaluator.run(block, inner)
    effects = inner.effects()
    records = {
        name: Recorded(r.value, here if r.present is None else jnp.logical_and(here, r.present))
        for name, r in effects.records.items()
    }
    return results, effects._replace(records=records)


# Everywhere defined, with derivatives that are finite wherever the values are.
_TAME = frozenset("copy + - * neg < <= > >= == != and or not where sin cos".split())


def _tame(block: Block) -> bool:
    """Whether nothing in the block can spoil a derivative, so that no gate is needed."""
    return all(isinstance(s, Let) and isinstance(s.op, Prim) and s.op.name in _TAME for s in block.statements)


_is_tame: Callable[[Block], bool] = Memo(_tame)


def _merge(here: Any, then: Arm, otherwise: Arm, statement: Stmt) -> Arm:
    (a, effects_a), (b, effects_b) = then, otherwise
    results = tuple(_select(here, x, y, statement) for x, y in zip(a, b, strict=True))
    weight = None
    if effects_a.weight is not None or effects_b.weight is not None:
        weight = jnp.where(here, _or_zero(effects_a.weight), _or_zero(effects_b.weight))
    outputs = {}
    for name in effects_a.outputs.keys() | effects_b.outputs.keys():
        x, y = effects_a.outputs.get(name), effects_b.outputs.get(name)
        x, y = _not_there(y) if x is None else x, _not_there(x) if y is None else y
        outputs[name] = _select(here, x, y, statement)
    return results, Effects(weight, effects_a.records | effects_b.records, outputs)


def _or_zero(weight: Any) -> Any:
    return 0.0 if weight is None else weight


def _not_there(like: Any) -> Any:
    """The value of an output in the branch that does not compute it: NaN, where its type has one."""
    return jax.tree.map(
        lambda x: jnp.full_like(x, jnp.nan) if jnp.result_type(x).kind == "f" else jnp.zeros_like(x), like
    )


def _select(here: Any, a: Any, b: Any, statement: Stmt) -> Any:
    try:
        return select(here, a, b, either=_either)
    except TypeError as error:
        raise EmissionError(
            "the branches give values of different structure, which one compiled program cannot choose between",
            statement.span,
            helps=("give both branches values of one type and shape, or make the condition depend on sizes only",),
        ) from error


def _either(here: Any, a: Any, b: Any) -> Any:
    if isinstance(a, Distribution) and isinstance(b, Distribution):
        return EitherDistribution(here, a, b)
    if callable(a) and callable(b):
        return EitherFunction(here, a, b)
    raise TypeError("unlike structures")


def _leave(frame: Frame, results: tuple[Var, ...], values: tuple[Any, ...], effects: Effects) -> None:
    for var, value in zip(results, values, strict=True):
        frame.define(var, value)
    frame.absorb(effects)


def _leave_undefined(evaluator: Evaluator, frame: Frame, statement: If | Match) -> None:
    if evaluator.interpretation.weighs and any(d.var.id in frame.given for d in _draws(statement)):
        raise CompilerDefect("a branch that holds given values depends on variables that are drawn after inference")
    for var in statement.results:
        frame.define(var, UNDEFINED)
