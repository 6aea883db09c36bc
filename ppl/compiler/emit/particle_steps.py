"""``infer { … } by smc(n)``: n executions of a block in step, resampled on the way.

The block is cut at its statements, and ordered loops at their iterations: before a statement or iteration that draws,
the executions are resampled (systematically) if fewer than half of them are effective. Where it ends they stand, with
their weights and the evidence taken out on the way, for the measure of the block: E Ẑ (1/n) Σ w_i f(x_i) is ∫ f dγ
(Del Moral 2004)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.compiler.emit import loops
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.scans import as_type
from ppl.compiler.emit.traverse import draws_in
from ppl.compiler.ir.nodes import Block, Factor, Observe, Require, Scan, Stmt
from ppl.compiler.ir.walk import free, walk
from ppl.core.numerics import log_sum_exp

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator

_ENOUGH = 0.5  # effective share of the particles


class Population(NamedTuple):
    """``values``: variable → its value in each execution (leading axis n), as far as it is still read."""

    values: Any
    log_weights: Float[Array, " n"]
    log_normaliser: Float[Array, ""]


def run(
    evaluator: Evaluator, frame: Frame, body: Block, key: PRNGKeyArray, n: int
) -> tuple[tuple[Any, ...], Float[Array, " n"]]:
    """The results of the executions, and log weights whose mean is the evidence."""
    population = Population({}, jnp.zeros(n), jnp.zeros(()))
    for position, statement in enumerate(body.statements):
        here, choose = jax.random.split(jax.random.fold_in(key, position))
        wanted = free(Block(body.statements[position + 1 :], body.results))
        if isinstance(statement, Scan) and draws_in(statement) and _weighs(statement):
            population = _loop(evaluator, frame, statement, here, population, wanted)
            continue
        if draws_in(statement):
            population = _resampled(choose, population)
        population = _statement(evaluator, frame, statement, here, population, wanted)

    def results(values: dict[str, Any]) -> tuple[Any, ...]:
        inner = _inside(frame, values)
        return tuple(inner.read(r) for r in body.results)

    found = jax.vmap(results, axis_size=n)(population.values)
    return found, population.log_weights + population.log_normaliser


def _weighs(s: Stmt) -> bool:
    return any(isinstance(n, (Factor, Observe, Require)) for n in walk(s))


def _inside(frame: Frame, values: dict[str, Any], key: Any = None) -> Frame:
    inner = Frame(frame, key=key)
    inner.values.update(values)
    return inner


def _statement(
    evaluator: Evaluator, frame: Frame, statement: Stmt, key: Any, population: Population, wanted: frozenset[str]
) -> Population:
    def one(values: dict[str, Any], key: Any) -> tuple[dict[str, Any], Any]:
        inner = _inside(frame, values, key)
        evaluator.execute(statement, inner)
        weight = inner.effects().weight
        return {v: x for v, x in inner.values.items() if v in wanted}, jnp.zeros(()) if weight is None else weight

    n = len(population.log_weights)
    values, weights = jax.vmap(one)(population.values, jax.random.split(key, n))
    return population._replace(values=values, log_weights=population.log_weights + weights)


def _loop(
    evaluator: Evaluator, frame: Frame, loop: Scan, key: Any, population: Population, wanted: frozenset[str]
) -> Population:
    """An iteration at a time. What iterations stack is part of an execution, and is resampled with it."""
    n, lower, upper = len(population.log_weights), frame.size(loop.lower), frame.size(loop.upper)
    length = max(upper - lower, 0)
    quiet = evaluator.with_interpretation(evaluator.interpretation.values_only())

    def first(values: dict[str, Any]) -> tuple[Any, Any]:
        inner = _inside(frame, values)
        _, every = loops.inputs(quiet, inner, loop, loop.body)
        return {c.var.id: as_type(inner.read(c.init), c.var.type) for c in loop.carries}, every.mapped

    carried, mapped = jax.vmap(first, axis_size=n)(population.values)

    def one(values: Any, carried: Any, mapped: Any, index: Any, key: Any) -> tuple[Any, Any, Any]:
        row = jax.tree.map(lambda a: a[index], mapped)
        at = loops.Iteration(lower + index, row, {}, carried, key)
        inner = loops.enter(_inside(frame, values), loop, at)
        evaluator.run(loop.body, inner)
        weight = inner.effects().weight
        nexts = {c.var.id: as_type(inner.read(c.next), c.var.type) for c in loop.carries}
        kept = {s.var.id: jax.tree.map(jnp.asarray, inner.read(s.value)) for s in loop.stacked}
        return nexts, kept, jnp.zeros(()) if weight is None else weight

    every = jax.vmap(one, in_axes=(0, 0, 0, None, 0), axis_size=n)

    def step(now: tuple[Population, Any, Any], at: tuple[Any, Any]) -> tuple[Any, None]:
        population, carried, stacked = now
        index, key = at
        choose, move = jax.random.split(key)
        moved = _resampled(choose, population._replace(values=(population.values, carried, stacked, mapped)))
        values, carried, stacked, rows = moved.values
        carried, new, weights = every(values, carried, rows, index, jax.random.split(move, n))
        stacked = jax.tree.map(lambda whole, x: whole.at[:, index].set(x), stacked, new)
        return (Population(values, moved.log_weights + weights, moved.log_normaliser), carried, stacked), None

    some = jax.eval_shape(
        lambda keys: every(population.values, carried, mapped, jnp.asarray(0), keys)[1], jax.random.split(key, n)
    )
    stacked = jax.tree.map(lambda a: jnp.zeros((n, length, *a.shape[1:]), a.dtype), some)
    steps = (jnp.arange(length), jax.random.split(key, length))
    (population, carried, stacked), _ = lax.scan(step, (population, carried, stacked), steps)
    finals = {c.final.id: carried[c.var.id] for c in loop.carries if c.final is not None}
    values = {v: x for v, x in {**population.values, **stacked, **finals}.items() if v in wanted}
    return population._replace(values=values)


def _resampled(key: PRNGKeyArray, population: Population) -> Population:
    """Ancestors with E[offspring_i] = n w_i / Σ w, if few are effective; the mean weight goes into the normaliser."""
    n = len(population.log_weights)
    total = log_sum_exp(population.log_weights)
    alive = total > -jnp.inf
    shares = jnp.where(alive, jnp.exp(population.log_weights - jnp.where(alive, total, 0.0)), 1.0 / n)
    few = 1.0 / jnp.sum(shares**2) < _ENOUGH * n
    places = (jnp.arange(n) + jax.random.uniform(key)) / n
    cumulative = jnp.cumsum(shares)
    drawn = jnp.searchsorted(cumulative / cumulative[-1], places, side="right")
    ancestors = jnp.where(few, jnp.clip(drawn, 0, n - 1), jnp.arange(n))
    mean = total - jnp.log(n)
    return Population(
        jax.tree.map(lambda a: a[ancestors], population.values),
        jnp.where(few, jnp.zeros(n), population.log_weights),
        population.log_normaliser + jnp.where(few, mean, 0.0),
    )
