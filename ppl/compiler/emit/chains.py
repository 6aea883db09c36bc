"""Markov chains of a discrete variable summed out by the forward algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from ppl.compiler.emit import loops
from ppl.compiler.emit.frame import Effects, Frame, Given
from ppl.compiler.emit.interpretation import DENSITY
from ppl.compiler.emit.scans import as_type, scan
from ppl.compiler.emit.sums import drawn_jointly, others_given, run_body, values_of
from ppl.compiler.ir.nodes import Block, Carry, ForwardSum, Scan
from ppl.core.numerics import log_sum_exp

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator


def forward_sum(evaluator: Evaluator, frame: Frame, statement: ForwardSum) -> None:
    interpretation = evaluator.interpretation
    chain = {statement.first.id, statement.var.id}
    joint = drawn_jointly(
        interpretation, lambda: all(others_given(frame, b, chain) for b in (statement.start, statement.body))
    )
    if chain & frame.given.keys() or joint:
        _run_chain(evaluator, frame, statement, {})
    elif not interpretation.weighs and not interpretation.samples:
        v = values_of(frame, statement.values, statement.var)[0]
        n = max(frame.size(statement.upper) - frame.size(statement.lower), 0)
        _run_chain(evaluator, frame, statement, {statement.first.id: v, statement.var.id: jnp.broadcast_to(v, (n,))})
    elif not interpretation.samples:
        _define_results(evaluator, frame, statement)
        weight = _filter(evaluator, frame, statement)[2]
        frame.weights.append(weight)
        if interpretation.records == "term":
            site = next(d.site for d in loops.draws_of(statement.body) if d.var.id == statement.var.id)
            frame.outputs[f"{site} and what it explains"] = weight
    else:
        _define_results(evaluator, frame, statement)
        alphas, moves, weight = _filter(evaluator.with_interpretation(DENSITY), frame, statement)
        path = _sample_backwards(frame.next_key(), alphas, moves)
        values = values_of(frame, statement.values, statement.var)[path]
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
    first = next(d for d in loops.draws_of(statement.start) if d.var.id == statement.first.id)
    start = Block(statement.start.statements, (*statement.start.results, first.var))
    extra = {name: Given(value) for name, value in path.items()}
    results, effects = run_body(evaluator, frame, start, extra, frame.next_key())
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
    values = values_of(frame, statement.values, statement.var)

    def start(value: Any) -> Any:
        _, effects = run_body(evaluator, frame, statement.start, {statement.first.id: Given(value)}, None)
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
