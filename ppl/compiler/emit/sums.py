"""Discrete variables summed out exactly: over one variable, and over a Markov chain by the forward algorithm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from ppl.compiler.emit import loops
from ppl.compiler.emit.frame import Effects, Frame, Given
from ppl.compiler.emit.interpretation import DENSITY, Interpretation
from ppl.compiler.emit.scans import as_type, scan
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import Block, Carry, FiniteValues, ForwardSum, Scan, SumOut, Var
from ppl.compiler.ir.types import BOOL
from ppl.compiler.ir.walk import statements
from ppl.core.distributions.mixture import log_sum_exp

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator

_draws = Memo(draws_in)


def sum_out(evaluator: Evaluator, frame: Frame, statement: SumOut) -> None:
    interpretation = evaluator.interpretation
    name, body = statement.var.id, statement.body
    joint = _drawn_jointly(interpretation, lambda: _others_given(frame, body, {name}))
    if name in frame.given or joint:
        results, effects = _run(evaluator, frame, body, {}, frame.next_key())
    elif not interpretation.weighs and not interpretation.samples:
        # A change of variables: what leaves the body does not depend on the value.
        values = _values(frame, statement.values, statement.var)
        results, effects = _run(evaluator, frame, body, {name: Given(values[0])}, None)
    elif not interpretation.samples:
        results, weights, effects = _for_each(evaluator, frame, statement)
        effects = Effects(log_sum_exp(weights), {}, effects)
    else:
        _, weights, _ = _for_each(evaluator.with_interpretation(DENSITY), frame, statement)
        k = jax.random.categorical(frame.next_key(), weights)
        value = _values(frame, statement.values, statement.var)[k]
        results, effects = _run(evaluator, frame, body, {name: Given(value)}, frame.next_key())
        effects = effects._replace(weight=log_sum_exp(weights) if interpretation.weighs else None)
    for var, value in zip(statement.results, results, strict=True):
        frame.define(var, value)
    frame.absorb(effects)


def _run(
    evaluator: Evaluator, frame: Frame, body: Block, extra: dict[str, Given], key: Any
) -> tuple[tuple[Any, ...], Effects]:
    inner = Frame(frame, given={**frame.given, **extra}, whole=frame.whole, key=key)
    return evaluator.run(body, inner), inner.effects()


def _for_each(evaluator: Evaluator, frame: Frame, statement: SumOut) -> tuple[tuple[Any, ...], Any, dict[str, Any]]:
    """Results (of any one value), the weights w_k, and the log density recorded under the variable's name if terms
    are."""

    def at(value: Any) -> Any:
        results, effects = _run(evaluator, frame, statement.body, {statement.var.id: Given(value)}, None)
        return results, jnp.asarray(0.0 if effects.weight is None else effects.weight)

    results, weights = jax.vmap(at)(_values(frame, statement.values, statement.var))
    terms = {}
    if evaluator.interpretation.records == "term":
        site = next(d.site for d in _draws(statement.body) if d.var.id == statement.var.id)
        terms[f"{site} and what it explains"] = log_sum_exp(weights)
    return _first(results), weights, terms


def _first(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[0], tree)


def _values(frame: Frame, values: FiniteValues, var: Var) -> Any:
    """v_0 … v_{K-1}, in the type that the variable's draws have."""
    count, first = frame.size(values.count), frame.size(values.first)
    if values.table is not None:
        return frame.read(values.table)
    if var.type == BOOL:
        return jnp.arange(2) == 1
    return first + jnp.arange(count)


def _drawn_jointly(interpretation: Interpretation, others_given: Callable[[], bool]) -> bool:
    """Whether the variable is drawn as the program says, from its prior, and not given what it explains. Completing
    (which samples, and weighs nothing) knows all that inference scored; generating may lack some of it."""
    if not interpretation.samples:
        return False
    return not interpretation.conditions or (interpretation.weighs and not others_given())


def _others_given(frame: Frame, body: Block, summed: set[str]) -> bool:
    """Whether every other draw in the body that is scored is given: only then are there weights to sum over."""
    nested = {s.var.id for s in statements(body) if isinstance(s, SumOut)}
    nested |= {v.id for s in statements(body) if isinstance(s, ForwardSum) for v in (s.first, s.var)}
    return all(
        d.var.id in frame.given and frame.given[d.var.id].missing is None
        for d in _draws(body)
        if d.var.id not in summed | nested and d.site not in frame.deferred
    )


# --- chains -------------------------------------------------------------------------------------------------------


def forward_sum(evaluator: Evaluator, frame: Frame, statement: ForwardSum) -> None:
    interpretation = evaluator.interpretation
    chain = {statement.first.id, statement.var.id}
    joint = _drawn_jointly(
        interpretation, lambda: all(_others_given(frame, b, chain) for b in (statement.start, statement.body))
    )
    if chain & frame.given.keys() or joint:
        _run_chain(evaluator, frame, statement, {})
    elif not interpretation.weighs and not interpretation.samples:
        v = _values(frame, statement.values, statement.var)[0]
        n = max(frame.size(statement.upper) - frame.size(statement.lower), 0)
        _run_chain(evaluator, frame, statement, {statement.first.id: v, statement.var.id: jnp.broadcast_to(v, (n,))})
    elif not interpretation.samples:
        _define_results(evaluator, frame, statement)
        weight = _filter(evaluator, frame, statement)[2]
        frame.weights.append(weight)
        if interpretation.records == "term":
            site = next(d.site for d in _draws(statement.body) if d.var.id == statement.var.id)
            frame.outputs[f"{site} and what it explains"] = weight
    else:
        _define_results(evaluator, frame, statement)
        alphas, moves, weight = _filter(evaluator.with_interpretation(DENSITY), frame, statement)
        path = _sample_backwards(frame.next_key(), alphas, moves)
        values = _values(frame, statement.values, statement.var)[path]
        before = len(frame.weights)
        _run_chain(evaluator, frame, statement, {statement.first.id: values[0], statement.var.id: values[1:]})
        del frame.weights[before:]
        if interpretation.weighs:
            frame.weights.append(weight)


def _define_results(evaluator: Evaluator, frame: Frame, statement: ForwardSum) -> None:
    """What leaves the statement, at some path of the chain: the filter reads the results of ``start`` that do not
    depend on it."""
    forward_sum(evaluator.with_interpretation(evaluator.interpretation.values_only()), frame, statement)


def _run_chain(evaluator: Evaluator, frame: Frame, statement: ForwardSum, path: dict[str, Any]) -> None:
    """``start``, then the iterations in order, at a path that is given or drawn."""
    first = next(d for d in _draws(statement.start) if d.var.id == statement.first.id)
    start = Block(statement.start.statements, (*statement.start.results, first.var))
    extra = {name: Given(value) for name, value in path.items()}
    results, effects = _run(evaluator, frame, start, extra, frame.next_key())
    frame.absorb(effects)
    for var, value in zip(statement.results, results[:-1], strict=True):
        frame.define(var, value)
    inner = Frame(frame, given={**frame.given, **extra}, whole=frame.whole, key=frame.next_key())
    inner.define(statement.first, results[-1])
    scan(evaluator, inner, _as_scan(statement))
    for s in statement.stacked:
        frame.define(s.var, inner.read(s.var))
    for c in statement.carries:
        if c.final is not None:
            frame.define(c.final, inner.read(c.final))
    frame.absorb(inner.effects())


def _as_scan(statement: ForwardSum) -> Scan:
    previous = Carry(statement.previous, init=statement.first, next=statement.var)
    return Scan(
        statement.index,
        statement.lower,
        statement.upper,
        statement.body,
        carries=(*statement.carries, previous),
        stacked=statement.stacked,
        mapped=statement.mapped,
        axis=statement.axis,
        span=statement.span,
    )


def _filter(evaluator: Evaluator, frame: Frame, statement: ForwardSum) -> tuple[Any, Any, Any]:
    """a of every time, shape (n + 1, K); W of every time, (n, K, K) from j to k; and logsumexp of the last a."""
    values = _values(frame, statement.values, statement.var)

    def start(value: Any) -> Any:
        _, effects = _run(evaluator, frame, statement.start, {statement.first.id: Given(value)}, None)
        return _or_zero(effects)

    def weigh(inner: Frame, previous: Any, value: Any) -> tuple[Any, Any]:
        body = Frame(inner, given={**inner.given, statement.var.id: Given(value)})
        body.define(statement.previous, previous)
        evaluator.run(statement.body, body)
        nexts = {c.var.id: as_type(body.read(c.next), c.var.type) for c in statement.carries}
        return _or_zero(body.effects()), nexts

    loop = _as_scan(statement)
    _, iterations = loops.inputs(evaluator, frame, loop, statement.body)
    inits = {c.var.id: as_type(frame.read(c.init), c.var.type) for c in statement.carries}

    def step(state: Any, at: loops.Iteration) -> Any:
        alpha, carried = state
        inner = loops.enter(frame, loop, at)
        inner.values.update(carried)
        pairs = jax.vmap(lambda p: jax.vmap(lambda v: weigh(inner, p, v))(values))(values)
        move, nexts = pairs[0], jax.tree.map(lambda leaf: leaf[0, 0], pairs[1])
        after = log_sum_exp((alpha[:, None] + move).T)
        return (after, nexts), (after, move)

    alpha = jax.vmap(start)(values)
    (last, _), (alphas, moves) = jax.lax.scan(step, (alpha, inits), iterations)
    return jnp.concatenate([alpha[None], alphas]), moves, log_sum_exp(last)


def _or_zero(effects: Effects) -> Any:
    return jnp.asarray(0.0 if effects.weight is None else effects.weight)


def _sample_backwards(key: Any, alphas: Any, moves: Any) -> Any:
    """Indices of a path from its exact conditional: the last from a, then each given its successor."""
    last_key, key = jax.random.split(key)
    last = jax.random.categorical(last_key, alphas[-1])

    def step(after: Any, at: Any) -> tuple[Any, Any]:
        alpha, move, k = at
        here = jax.random.categorical(k, alpha + move[:, after])
        return here, here

    keys = jax.random.split(key, moves.shape[0])
    _, path = jax.lax.scan(step, last, (alphas[:-1], moves, keys), reverse=True)
    return jnp.concatenate([path, last[None]])
