"""Plates become ``vmap``, ordered loops ``lax.scan``; a loop whose carries are all known runs like a plate.

A carry that only hands on earlier values of a site is known wherever the site is given, so the density of an
autoregressive model is computed for all times at once. Which carries those are is found by evaluating the body with
undefined carries: what comes out defined did not need them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from ppl.compiler.emit.frame import Effects, Frame, Given
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import Carry, Draw, Map, MappedRead, Plate, Scan
from ppl.compiler.ir.types import BOOL, REAL, IndexType, Scalar, SizeType, Type, element
from ppl.core.select import gate
from ppl.core.undefined import UNDEFINED, has_undefined, is_undefined

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator

_draws: Callable[[Any], tuple[Draw, ...]] = Memo(draws_in)


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
    draws = _draws(body)
    given = {d.var.id: frame.given[d.var.id] for d in draws if d.var.id in frame.given}
    mapped = {m.var.id: _mapped(frame, m, lower, n) for m in loop.mapped}
    key = frame.next_key()
    keys = jax.random.split(key, n) if key is not None and draws and evaluator.interpretation.samples else None
    return n, Iteration(jnp.arange(lower, lower + n), mapped, given, {}, keys)


def _mapped(frame: Frame, read: MappedRead, lower: int, n: int) -> Any:
    array = frame.read(read.array, gated=False)
    start = lower + frame.size(read.offset)
    value = jax.tree.map(lambda a: a if start == 0 and a.shape[0] == n else a[start : start + n], array)
    for condition in frame.conditions(getattr(read.array, "id", "")):
        value = gate(condition, value)
    return value


def enter(frame: Frame, loop: Any, at: Iteration) -> Frame:
    inner = Frame(frame, given=at.given, key=at.key)
    inner.define(loop.index, at.index)
    inner.values.update(at.mapped)
    inner.values.update(at.carried)
    return inner


def _sum_over_iterations(effects: Effects) -> Effects:
    return effects if effects.weight is None else effects._replace(weight=jnp.sum(effects.weight, axis=0))


def _run_at_once(evaluator: Evaluator, frame: Frame, loop: Plate | Scan, iterations: Iteration) -> None:
    def body(at: Iteration) -> Any:
        inner = enter(frame, loop, at)
        evaluator.run(loop.body, inner)
        return tuple(inner.read(s.value) for s in loop.stacked), inner.effects()

    stacked, effects = jax.vmap(body)(iterations)
    _leave(frame, loop, stacked, effects)


def _leave(frame: Frame, loop: Plate | Scan, stacked: tuple[Any, ...], effects: Effects) -> None:
    for s, value in zip(loop.stacked, stacked, strict=True):
        frame.define(s.var, value)
    frame.absorb(_sum_over_iterations(effects))


def plate(evaluator: Evaluator, frame: Frame, loop: Plate) -> None:
    _, iterations = inputs(evaluator, frame, loop, loop.body)
    _run_at_once(evaluator, frame, loop, iterations)


def map_(evaluator: Evaluator, frame: Frame, op: Map) -> Any:
    _, iterations = inputs(evaluator, frame, op, op.body)

    def body(at: Iteration) -> Any:
        return evaluator.run(op.body, enter(frame, op, at))[0]

    return jax.vmap(body)(iterations)


def scan(evaluator: Evaluator, frame: Frame, loop: Scan) -> None:
    n, iterations = inputs(evaluator, frame, loop, loop.body)
    inits = {c.var.id: as_type(frame.read(c.init), c.var.type) for c in loop.carries}
    known, finals = _known_carries(evaluator, frame, loop, iterations, inits, n)
    iterations = iterations._replace(carried=known)
    rest = [c for c in loop.carries if c.var.id not in known]
    if not rest:
        _run_at_once(evaluator, frame, loop, iterations)
    elif any(has_undefined(inits[c.var.id]) for c in rest):
        _run_at_once(
            evaluator, frame, loop, iterations._replace(carried={**known, **{c.var.id: UNDEFINED for c in rest}})
        )
        finals = finals | {c.var.id: UNDEFINED for c in rest}
    else:
        finals = finals | _run_in_order(
            evaluator, frame, loop, iterations, {c.var.id: inits[c.var.id] for c in rest}, rest
        )
    for c in loop.carries:
        if c.final is not None:
            frame.define(c.final, finals[c.var.id])


def _run_in_order(
    evaluator: Evaluator, frame: Frame, loop: Scan, iterations: Iteration, inits: dict[str, Any], rest: list[Carry]
) -> dict[str, Any]:
    def step(carried: dict[str, Any], at: Iteration) -> Any:
        inner = enter(frame, loop, at)
        inner.values.update(carried)
        evaluator.run(loop.body, inner)
        nexts = {c.var.id: as_type(inner.read(c.next), c.var.type) for c in rest}
        return nexts, (tuple(inner.read(s.value) for s in loop.stacked), inner.effects())

    if _has_undrawn(evaluator, frame, loop) and _undefined_after_one_step(step, inits, iterations):
        inits = {name: UNDEFINED for name in inits}
        _run_at_once(evaluator, frame, loop, iterations._replace(carried={**iterations.carried, **inits}))
        return inits
    finals, (stacked, effects) = jax.lax.scan(step, inits, iterations)
    _leave(frame, loop, stacked, effects)
    return finals


def _has_undrawn(evaluator: Evaluator, frame: Frame, loop: Scan) -> bool:
    return not evaluator.interpretation.samples and any(d.var.id not in frame.given for d in _draws(loop.body))


def _undefined_after_one_step(step: Callable[..., Any], inits: dict[str, Any], iterations: Iteration) -> bool:
    """Whether the state depends on draws that are not made in this interpretation."""
    first = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), iterations)
    nexts, _ = jax.eval_shape(step, inits, first)
    return has_undefined(nexts)


def _known_carries(
    evaluator: Evaluator, frame: Frame, loop: Scan, iterations: Iteration, inits: dict[str, Any], n: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """For each carry that is known without running in order: what each iteration finds in it, and what is left at the
    end."""
    known: dict[str, Any] = {}
    finals: dict[str, Any] = {}
    if not loop.carries or not iterations.given:
        return known, finals
    quiet = evaluator.with_interpretation(evaluator.interpretation.values_only())
    while len(known) < len(loop.carries):
        rest = [c for c in loop.carries if c.var.id not in known]

        def body(at: Iteration, rest: list[Carry] = rest) -> dict[str, Any]:
            inner = enter(frame, loop, at)
            for c in rest:
                inner.define(c.var, UNDEFINED)
            quiet.run(loop.body, inner)
            return {c.var.id: as_type(inner.read(c.next), c.var.type) for c in rest}

        nexts = jax.vmap(body)(iterations._replace(carried=dict(known)))
        found = {
            name: value for name, value in nexts.items() if not has_undefined(value) and not has_undefined(inits[name])
        }
        if not found:
            break
        for name, after in found.items():
            whole = jax.tree.map(lambda i, a: jnp.concatenate([jnp.asarray(i)[None], a]), inits[name], after)
            known[name] = jax.tree.map(lambda w: w[:n], whole)
            finals[name] = jax.tree.map(lambda w: w[n], whole)
    return known, finals


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
