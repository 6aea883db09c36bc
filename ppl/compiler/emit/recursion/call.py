"""One application of a recursive function from outside of its group.

Where constants decide how deep it goes it is evaluated like any other function: what is compiled is its result, and
reverse mode goes through it. That is tried first, within bounds; a recursive application under a condition that is
not known while tracing ends the attempt, and the machine runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.diagnostics.span import NOWHERE
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.recursion.fixed import fixed_parameters, part_of
from ppl.compiler.emit.recursion.machine import DEPTH, Machine, register, with_defaults
from ppl.compiler.emit.recursion.segments import Cut, cut
from ppl.compiler.emit.recursion.slots import Slot, View
from ppl.compiler.emit.recursion.units import Unit, Units
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.recursion import misplaced
from ppl.core.forward import by_forward_mode
from ppl.core.undefined import UNDEFINED, has_undefined

_DEPTH_WRITTEN_OUT = 24
_CALLS_WRITTEN_OUT = 256


@dataclass(frozen=True)
class Recursion:
    """A recursive function with its sizes. ``key`` tells its group from others. ``body(captured, args, active)``
    evaluates it like any other function. ``captured`` holds what it reads from outside."""

    key: Any
    code: Any
    first: Unit
    units: Units
    result: ty.Type
    body: Callable[[dict[str, Any], Sequence[Any], Any], tuple[Any, Any]]


@dataclass
class _Attempt:
    active: Any
    calls: int = 0
    depth: int = 0


class _NotStatic(Exception):
    def __init__(self, key: Any):
        super().__init__()
        self.key = key


_IN_MACHINE = object()
_running: ContextVar[Mapping[Any, Any]] = ContextVar("running", default={})  # noqa: B039


@contextmanager
def _as(key: Any, state: Any) -> Iterator[None]:
    token = _running.set({**_running.get(), key: state})
    try:
        yield
    finally:
        _running.reset(token)


def apply(recursion: Recursion, captured: dict[str, Any], args: Sequence[Any], active: Any) -> tuple[Any, Any]:
    """The value, and a weight: NaN where the machine had a fault (None: it surely had none)."""
    if any(map(has_undefined, args)):
        return UNDEFINED, None
    state = _running.get().get(recursion.key)
    if state is _IN_MACHINE:
        raise as_a_value(recursion.first.name, recursion.first.body)
    if isinstance(state, _Attempt):
        return _further(recursion, captured, args, active, state)
    try:
        if _steered(recursion, args):
            with _as(recursion.key, _Attempt(active)):
                return recursion.body(captured, args, active)
    except _NotStatic as error:
        if error.key != recursion.key:
            raise
    return _by_machine(recursion, captured, args, active)


def _steered(recursion: Recursion, args: Sequence[Any]) -> bool:
    """Whether something that changes from call to call is known while tracing."""
    return bool(recursion.first.key) or any(not isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(list(args)))


def _further(
    recursion: Recursion, captured: dict[str, Any], args: Sequence[Any], active: Any, attempt: _Attempt
) -> tuple[Any, Any]:
    attempt.calls += 1
    if active is not attempt.active or attempt.calls > _CALLS_WRITTEN_OUT or attempt.depth >= _DEPTH_WRITTEN_OUT:
        raise _NotStatic(recursion.key)
    attempt.depth += 1
    try:
        return recursion.body(captured, args, active)
    finally:
        attempt.depth -= 1


def as_a_value(name: str, body: ir.Block) -> EmissionError:
    return EmissionError(
        f"`{name}` stands inside of its own body as a value, or in a lambda: only an application of it in its body can "
        "be compiled",
        body.statements[0].span if body.statements else NOWHERE,
        helps=(f"apply `{name}` outside of the lambda, and give the lambda its result",),
    )


def _by_machine(recursion: Recursion, captured: dict[str, Any], args: Sequence[Any], active: Any) -> tuple[Any, Any]:
    """Everything traced that the machine reads is an operand of one function, so that it can be differentiated."""
    units = recursion.units
    if any(True for _ in misplaced(recursion.first.body, units.names, units.mark)):
        raise as_a_value(recursion.first.name, recursion.first.body)
    pieces = cut(units, recursion.first)
    for unit in pieces.units:
        if any(True for _ in misplaced(unit.body, units.names, units.mark)):
            raise as_a_value(unit.name, unit.body)
    leaves, structure = jax.tree.flatten((list(args), captured, active))
    moving = tuple(k for k, x in enumerate(leaves) if isinstance(x, jax.Array))
    fixed = tuple(None if k in moving else _frozen(x) for k, x in enumerate(leaves))
    known = recursion.code.machines
    key = (recursion.key[1:], recursion.first, structure, moving, fixed)
    if key not in known:
        known[key] = _compiled(recursion, pieces, structure, leaves, moving)
    function, shape = known[key]
    *flat, fault = function(*(leaves[k] for k in moving))
    value = jax.tree.unflatten(shape[0], [_or_nothing(fault, x) for x in flat])
    return value, jnp.where(fault, jnp.nan, 0.0)


def _compiled(
    recursion: Recursion, pieces: Cut, structure: Any, leaves: list[Any], moving: tuple[int, ...]
) -> tuple[Callable[..., Any], list[Any]]:
    """The machine as a function of the leaves ``moving``, and the structure of its value (known after a first call)."""
    still = [None if k in moving else x for k, x in enumerate(leaves)]
    shape: list[Any] = []

    def function(*operands: Any) -> tuple[Any, ...]:
        filled = list(still)
        for k, x in zip(moving, operands, strict=True):
            filled[k] = x
        args, captured, active = jax.tree.unflatten(structure, filled)
        with _as(recursion.key, _IN_MACHINE):
            value, fault = _run(recursion, pieces, captured, args, active)
        flat, form = jax.tree.flatten(value)
        shape[:] = [form]
        return (*flat, fault)

    return by_forward_mode(function), shape


def _frozen(x: Any) -> Any:
    return (x.shape, str(x.dtype), x.tobytes()) if isinstance(x, np.ndarray) else (type(x), x)


def _run(recursion: Recursion, pieces: Cut, captured: dict[str, Any], args: list[Any], active: Any) -> tuple[Any, Any]:
    outer = {}
    for number, unit in enumerate(pieces.units):
        frame = outer[number] = Frame(None, code=recursion.code, sizes=unit.sizes)
        frame.values.update(captured)
        frame.values.update({p.var.id: unit.sizes[p.var.id] for p in unit.params if p.is_size})
    values = with_defaults(outer[0], pieces.units[0].params, args)
    fixed = fixed_parameters(pieces)
    for number, frame in outer.items():
        frame.values.update({name: values[source] for name, source in fixed[number].items()})
    slots = _slots(recursion, pieces, outer, values)
    zeros = {u: _zero(recursion, pieces, outer, u) for u in outer}
    return Machine(pieces, outer, slots, zeros, DEPTH).run(values, active)


def _slots(
    recursion: Recursion, pieces: Cut, outer: dict[int, Frame], args: dict[str, Any]
) -> dict[str, Slot | View]:
    parts = part_of(pieces, recursion.code.recursion_of)
    slots: dict[str, Slot | View] = {}
    for segment in pieces.segments:
        for v in segment.live:
            var = pieces.variables[segment.unit][v]
            name = register(segment.unit, v)
            if name in slots or v in outer[segment.unit].values:
                continue
            if v in parts:
                slots[name] = View(args[parts[v]])
                continue
            try:
                slots[name] = Slot(_numbers(recursion.code.zero(outer[segment.unit], var.type)))
            except EmissionError as error:
                raise EmissionError(
                    f"`{v}`, of type {var.type}, changes from one application of the recursive function "
                    f"`{pieces.units[segment.unit].name}` to the next: only numbers and structures of numbers may",
                    var.span,
                    notes=(error.message,),
                    helps=("hand it on unchanged, or write a loop",),
                ) from error
    return slots


def _zero(recursion: Recursion, pieces: Cut, outer: dict[int, Frame], number: int) -> Any:
    """Some value of the type that unit ``number`` gives."""
    unit = pieces.units[number]
    declared = recursion.units.functions.get(unit.name)
    result = recursion.result if declared is None else declared.result
    try:
        return _numbers(recursion.code.zero(outer[number], result))
    except EmissionError as error:
        raise EmissionError(
            f"the recursive function `{unit.name}` gives a value of type {result}: only numbers and structures of "
            "numbers can be given back through a recursion whose depth is not known while compiling",
            unit.body.statements[0].span if unit.body.statements else NOWHERE,
            notes=(error.message,),
            helps=("steer it by a size or by literals, or give it the arguments to which the result is applied",),
        ) from error


def _numbers(value: Any) -> Any:
    return jax.tree.map(jnp.asarray, value)


def _or_nothing(fault: Any, x: Any) -> Any:
    """NaN, or the smallest integer, where the machine had a fault."""
    kind = jnp.result_type(x)
    if jnp.issubdtype(kind, jnp.inexact):
        return jnp.where(fault, jnp.nan, x)
    return jnp.where(fault, jnp.iinfo(kind).min, x) if jnp.issubdtype(kind, jnp.integer) else x


def of_function(code: Any, declared: ir.Function, sizes: Mapping[str, int], body: Any) -> Recursion:
    """The recursion of a top-level function."""
    names = code.group(declared.name)
    units = Units({f.name: f for f in code.program.functions if f.name in names})
    return Recursion((code, names), code, units.function(declared, sizes), units, declared.result, body)


def of_closure(code: Any, op: ir.Closure, sizes: Mapping[str, int], body: Any) -> Recursion:
    """The recursion of a lambda that applies itself."""
    units = Units({}, op)
    kind = op.recursive.type if op.recursive is not None else None
    result = kind.result if isinstance(kind, ty.Function) else ty.UNIT
    return Recursion((code, id(op)), code, units.closure(sizes), units, result, body)
