"""Loops whose iterations run at once: plates, comprehensions, and ordered loops whose carries are known. ``vmap``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from ppl.compiler.emit.frame import Effects, Frame, Given
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import Draw, Map, MappedRead, Plate, Scan
from ppl.core.select import gate

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator

draws_of: Callable[[Any], tuple[Draw, ...]] = Memo(draws_in)


class Iteration(NamedTuple):
    """The inputs of one iteration (of all, with a leading axis): a PyTree."""

    index: Any
    mapped: dict[str, Any]
    given: dict[str, Given]
    carried: dict[str, Any]
    key: Any


def inputs(evaluator: Evaluator, frame: Frame, loop: Plate | Scan | Map, body: Any) -> tuple[int, Iteration]:
    """The number of iterations, and the inputs of all."""
    lower, upper = frame.size(loop.lower), frame.size(loop.upper)
    n = max(upper - lower, 0)
    draws = draws_of(body)
    given = {d.var.id: frame.given[d.var.id] for d in draws if d.var.id in frame.given}
    mapped = {m.var.id: _mapped(frame, m, lower, n) for m in loop.mapped}
    key = frame.next_key() if draws and evaluator.interpretation.samples else None
    keys = None if key is None else jax.random.split(key, n)
    return n, Iteration(jnp.arange(lower, lower + n), mapped, given, {}, keys)


def _mapped(frame: Frame, read: MappedRead, lower: int, n: int) -> Any:
    array = frame.read(read.array, gated=False)
    start = lower + frame.size(read.offset)
    value = jax.tree.map(lambda a: a if start == 0 and a.shape[0] == n else a[start : start + n], array)
    for condition in frame.conditions(getattr(read.array, "id", "")):
        value = gate(condition, value)
    return value


def enter(frame: Frame, loop: Any, at: Iteration) -> Frame:
    """The frame of one iteration."""
    inner = Frame(frame, given=at.given, key=at.key)
    inner.define(loop.index, at.index)
    inner.ranges[loop.index.id] = frame.size(loop.lower), frame.size(loop.upper)
    inner.values.update(at.mapped)
    inner.values.update(at.carried)
    return inner


def _sum_over_iterations(effects: Effects) -> Effects:
    return effects if effects.weight is None else effects._replace(weight=jnp.sum(effects.weight, axis=0))


def run_at_once(evaluator: Evaluator, frame: Frame, loop: Plate | Scan, iterations: Iteration) -> None:
    def body(at: Iteration) -> Any:
        inner = enter(frame, loop, at)
        evaluator.run(loop.body, inner)
        return tuple(inner.read(s.value) for s in loop.stacked), inner.effects()

    stacked, effects = jax.vmap(body)(iterations)
    leave(frame, loop, stacked, effects)


def leave(frame: Frame, loop: Plate | Scan, stacked: tuple[Any, ...], effects: Effects) -> None:
    for s, value in zip(loop.stacked, stacked, strict=True):
        frame.define(s.var, value)
    frame.absorb(_sum_over_iterations(effects))


def plate(evaluator: Evaluator, frame: Frame, loop: Plate) -> None:
    _, iterations = inputs(evaluator, frame, loop, loop.body)
    run_at_once(evaluator, frame, loop, iterations)


def map_(evaluator: Evaluator, frame: Frame, op: Map) -> Any:
    _, iterations = inputs(evaluator, frame, op, op.body)

    def body(at: Iteration) -> Any:
        inner = enter(frame, op, at)
        return evaluator.run(op.body, inner)[0], inner.effects()

    values, effects = jax.vmap(body)(iterations)
    frame.absorb(_sum_over_iterations(effects))
    return values
