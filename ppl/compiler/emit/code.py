"""The static part of an emitted program: code pointers, sizes, layout. Equal for two bindings that compile alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jax

from ppl.compiler.emit.errors import CompilerDefect
from ppl.compiler.emit.frame import NOTHING, Frame, total
from ppl.compiler.emit.layout import Layout, layout
from ppl.compiler.emit.recursion.call import apply, of_closure, of_function
from ppl.compiler.emit.tagged import zero
from ppl.compiler.emit.traverse import Memo, used_functions, used_variables
from ppl.compiler.ir.nodes import (
    Closure,
    Draw,
    Factor,
    Function,
    Let,
    MakeDist,
    Model,
    Observe,
    Parameter,
    Program,
    Require,
    Role,
    Stmt,
)
from ppl.compiler.ir.recursion import group, types_with
from ppl.compiler.ir.walk import walk
from ppl.core.closure import Closure as ClosureValue
from ppl.core.functions import FUNCTIONS


def extern_name(name: str) -> str:
    """The variable of the global frame that holds an ``extern fn``."""
    return f"extern {name}"


class Code:
    """A program with the sizes of one binding. Equal if the program is the same object and the sizes are equal.
    ``capacity``: how many nodes a value of recursive type may have."""

    def __init__(self, program: Program, model: Model, sizes: dict[str, int], capacity: int = 1):
        self.program, self.model, self.sizes, self.capacity = program, model, sizes, capacity
        self._key = (id(program), model.name, tuple(sorted(sizes.items())), capacity)
        self._functions = {f.name: f for f in program.functions}
        self._dists = {d.name: d for d in program.dists}
        self._sums = {s.name: s for s in program.sums}
        self._constants = {v.id: block for v, block in program.constants}
        self.globals_used = Memo(self._globals_used)
        self.variables_used = Memo(used_variables)
        self.machines: dict[Any, Any] = {}  # of recursive functions, traced once for each kind of arguments
        self.group = cache(lambda name: group(program, name))
        self.recursion_of = cache(lambda name: types_with(program, name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Code) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def layout(self) -> Layout:
        return layout(self.model, self.sizes)

    def dist(self, name: str) -> Any:
        return self._dists.get(name)

    def sum(self, name: str) -> Any:
        return self._sums[name]

    def constructors(self, name: str) -> tuple[Any, ...]:
        """Those of all types in the recursion of type ``name``."""
        return tuple(c for s in sorted(self.recursion_of(name)) for c in self._sums[s].constructors)

    def zero(self, frame: Frame, t: Any) -> Any:
        return zero(frame, t)

    def constructor(self, name: str) -> tuple[Any, int]:
        """The sum type that has this constructor, and its position there."""
        for info in self.program.sums:
            for position, c in enumerate(info.constructors):
                if c.name == name:
                    return info, position
        raise CompilerDefect(f"no sum type has the constructor {name!r}")

    @cached_property
    def determined(self) -> frozenset[str]:
        """Latent sites whose every draw is from a ``Delta``: they are no random variables for inference."""
        deltas = {
            s.var.id
            for s in walk(self.model.body)
            if isinstance(s, Let) and isinstance(s.op, MakeDist) and s.op.name == "Delta"
        }
        latent = {s.name for s in self.model.sites if s.role is not Role.DATA}
        others = {
            s.site for s in walk(self.model.body) if isinstance(s, Draw) and getattr(s.dist, "id", "") not in deltas
        }
        return frozenset(s.site for s in walk(self.model.body) if isinstance(s, Draw) and s.site in latent - others)

    def determined_value(self, dist: Any) -> Any:
        return dist.sample(jax.random.key(0))

    @cached_property
    def _labels(self) -> dict[int, str]:
        found: dict[type, list[Stmt]] = {Observe: [], Factor: [], Require: []}
        for s in walk(self.model.body):
            if type(s) in found:
                found[type(s)].append(s)
        return {
            id(s): kind.__name__.lower() + (f" {k + 1}" if len(statements) > 1 else "")
            for kind, statements in found.items()
            for k, s in enumerate(statements)
        }

    def label(self, statement: Stmt) -> str:
        """How an ``observe``, ``factor`` or ``require`` is called in reports: numbered in the order of the text."""
        return self._labels[id(statement)]

    def global_frame(self, externs: dict[str, Any]) -> Frame:
        """The frame of constants and extern functions, around every other."""
        frame = Frame(None, code=self, sizes=self.sizes)
        frame.values.update({extern_name(name): f for name, f in externs.items()})
        for name, block in self._constants.items():
            frame.values[name] = _evaluate_pure(block, Frame(frame))
        return frame

    def function(self, name: str, frame: Frame) -> Callable[..., Any]:
        """A top-level function as a value."""
        declared = self._functions.get(name)
        if declared is None:
            return ClosureValue(BuiltinCode(name), {})
        if declared.body is None:
            return frame.globals.values[extern_name(name)]
        captured = {g: frame.globals.values[g] for g in self.globals_used(declared)}
        return ClosureValue(FunctionCode(self, declared), captured)

    def _globals_used(self, node: Any) -> frozenset[str]:
        """Constants and extern functions that a node reads, through the functions that it calls as well."""
        found: set[str] = set()
        seen: set[str] = set()
        todo = [node]
        while todo:
            node = todo.pop()
            found |= used_variables(node) & self._constants.keys()
            for name in used_functions(node) - seen:
                seen.add(name)
                declared = self._functions.get(name)
                if declared is not None and declared.body is None:
                    found.add(extern_name(name))
                elif declared is not None:
                    todo.append(declared)
        return frozenset(found)

    def close(self, op: Closure, frame: Frame) -> ClosureValue:
        """A lambda with the values that it uses."""
        names = self.variables_used(op) | self.globals_used(op)
        captured = {n: v for n in sorted(names) if (v := frame.lookup(n)) is not NOTHING}
        return ClosureValue(LambdaCode(self, op, tuple(sorted(frame.sizes.items()))), captured)


@dataclass(frozen=True)
class BuiltinCode:
    name: str

    def __call__(self, _captured: dict[str, Any], *args: Any) -> Any:
        return FUNCTIONS[self.name](*args)


@dataclass(frozen=True, eq=False)
class FunctionCode:
    """A top-level ``fn``. ``sizes`` are the values of its size variables, where the call gives them."""

    code: Code
    function: Function
    sizes: tuple[tuple[str, int], ...] = ()

    def _key(self) -> Any:
        return self.code, self.function.name, self.sizes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FunctionCode) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __call__(self, captured: dict[str, Any], *args: Any) -> Any:
        return self.run(captured, args)[0]

    def run(self, captured: dict[str, Any], args: Sequence[Any], active: Any = None) -> tuple[Any, Any]:
        """The value, and a weight: NaN where a recursion went too deep, None where none did. ``active``: see Frame."""
        if self.code.group(self.function.name):
            return apply(of_function(self.code, self.function, dict(self.sizes), self.body), captured, args, active)
        return self.body(captured, args, active)

    def body(self, captured: dict[str, Any], args: Sequence[Any], active: Any) -> tuple[Any, Any]:
        outer = Frame(None, code=self.code, sizes=dict(self.sizes))
        outer.values.update(captured)
        outer.active = active
        frame = Frame(outer)
        bind_parameters(
            frame, self.function.params, dict(zip((p.name for p in self.function.params), args, strict=False))
        )
        return _evaluate_pure(self.function.body, frame), total(frame.weights)


@dataclass(frozen=True, eq=False)
class LambdaCode:
    """The code of a closure: equal where the lambda is the same place of the same program."""

    code: Code
    op: Closure
    sizes: tuple[tuple[str, int], ...]

    def _key(self) -> Any:
        return self.code, id(self.op), self.sizes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LambdaCode) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __call__(self, captured: dict[str, Any], *args: Any) -> Any:
        return self.run(captured, args)[0]

    def run(self, captured: dict[str, Any], args: Sequence[Any], active: Any = None) -> tuple[Any, Any]:
        """As for ``FunctionCode``."""
        if self.op.recursive is not None:
            return apply(of_closure(self.code, self.op, dict(self.sizes), self.body), captured, args, active)
        return self.body(captured, args, active)

    def body(self, captured: dict[str, Any], args: Sequence[Any], active: Any) -> tuple[Any, Any]:
        frame = Frame(None, code=self.code, sizes=dict(self.sizes))
        frame.values.update(captured)
        frame.active = active
        if self.op.recursive is not None:
            frame.define(self.op.recursive, ClosureValue(self, captured))
        for param, value in zip(self.op.params, args, strict=True):
            frame.define(param, value)
        return _evaluate_pure(self.op.body, frame), total(frame.weights)


def bind_parameters(frame: Frame, params: tuple[Parameter, ...], args: dict[str, Any]) -> None:
    """Defines the parameters; those that ``args`` lacks have their defaults."""
    for p in params:
        if p.name in args:
            value = args[p.name]
        elif p.is_size and p.var.id in frame.sizes:
            value = frame.sizes[p.var.id]
        elif p.default is not None:
            value = _evaluate_pure(p.default, Frame(frame))
        else:
            raise CompilerDefect(f"the parameter {p.name!r} has no value")
        if p.is_size:
            value = int(value)
            frame.sizes = {**frame.sizes, p.var.id: value}
        frame.define(p.var, value)


def _evaluate_pure(block: Any, frame: Frame) -> Any:
    """The value of a deterministic block."""
    from ppl.compiler.emit.evaluate import PURE

    results = PURE.run(block, frame)
    return results[0] if results else None
