"""Discrete variables summed out exactly, one at a time. Chains of them: ``chains``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from ppl.compiler.emit.frame import Effects, Frame, Given
from ppl.compiler.emit.interpretation import DENSITY, Interpretation
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import Block, FiniteValues, ForwardSum, SumOut, Var
from ppl.compiler.ir.types import BOOL
from ppl.compiler.ir.walk import statements
from ppl.core.numerics import log_sum_exp

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator

_draws = Memo(draws_in)


def sum_out(evaluator: Evaluator, frame: Frame, statement: SumOut) -> None:
    interpretation = evaluator.interpretation
    name, body = statement.var.id, statement.body
    joint = drawn_jointly(interpretation, lambda: others_given(frame, body, {name}))
    if name in frame.given or joint:
        results, effects = run_body(evaluator, frame, body, {}, frame.next_key())
    elif not interpretation.weighs and not interpretation.samples:
        # A change of variables: what leaves the body does not depend on the value.
        values = values_of(frame, statement.values, statement.var)
        results, effects = run_body(evaluator, frame, body, {name: Given(values[0])}, None)
    elif not interpretation.samples:
        results, weights, terms = _for_each(evaluator, frame, statement)
        effects = Effects(log_sum_exp(weights), {}, terms)
    else:
        _, weights, _ = _for_each(evaluator.with_interpretation(DENSITY), frame, statement)
        k = jax.random.categorical(frame.next_key(), weights)
        value = values_of(frame, statement.values, statement.var)[k]
        results, effects = run_body(evaluator, frame, body, {name: Given(value)}, frame.next_key())
        effects = effects._replace(weight=log_sum_exp(weights) if interpretation.weighs else None)
    for var, value in zip(statement.results, results, strict=True):
        frame.define(var, value)
    frame.absorb(effects)


def run_body(
    evaluator: Evaluator, frame: Frame, body: Block, extra: dict[str, Given], key: Any
) -> tuple[tuple[Any, ...], Effects]:
    inner = Frame(frame, given={**frame.given, **extra}, whole=frame.whole, key=key)
    return evaluator.run(body, inner), inner.effects()


def _for_each(evaluator: Evaluator, frame: Frame, statement: SumOut) -> tuple[tuple[Any, ...], Any, dict[str, Any]]:
    """Results (of any one value), the weights w_k, and the log density recorded under the variable's name if terms
    are."""

    def at(value: Any) -> Any:
        results, effects = run_body(evaluator, frame, statement.body, {statement.var.id: Given(value)}, None)
        return results, jnp.asarray(0.0 if effects.weight is None else effects.weight)

    results, weights = jax.vmap(at)(values_of(frame, statement.values, statement.var))
    terms = {}
    if evaluator.interpretation.records == "term":
        site = next(d.site for d in _draws(statement.body) if d.var.id == statement.var.id)
        terms[f"{site} and what it explains"] = log_sum_exp(weights)
    return _first(results), weights, terms


def _first(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[0], tree)


def values_of(frame: Frame, values: FiniteValues, var: Var) -> Any:
    """v_0 … v_{K-1}, in the type that the variable's draws have."""
    count, first = frame.size(values.count), frame.size(values.first)
    if values.table is not None:
        return frame.read(values.table)
    if var.type == BOOL:
        return jnp.arange(2) == 1
    return first + jnp.arange(count)


def drawn_jointly(interpretation: Interpretation, others_given: Callable[[], bool]) -> bool:
    """Whether the variable is drawn as the program says, from its prior, and not given what it explains. Completing
    (which samples, and weighs nothing) knows all that inference scored; generating may lack some of it."""
    if not interpretation.samples:
        return False
    return not interpretation.conditions or (interpretation.weighs and not others_given())


def others_given(frame: Frame, body: Block, summed: set[str]) -> bool:
    """Whether every other draw in the body that is scored is given: only then are there weights to sum over."""
    nested = {s.var.id for s in statements(body) if isinstance(s, SumOut)}
    nested |= {v.id for s in statements(body) if isinstance(s, ForwardSum) for v in (s.first, s.var)}
    return all(
        d.var.id in frame.given and frame.given[d.var.id].missing is None
        for d in _draws(body)
        if d.var.id not in summed | nested and d.site not in frame.deferred
    )
