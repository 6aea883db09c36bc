"""What all executions of a program share: its declarations, constants, and functions given from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ppl.compiler.ir import nodes as ir
from ppl.reference.choices import Options, exact_options
from ppl.reference.environment import Environment, Place, bind_sizes
from ppl.reference.errors import MissingValue
from ppl.reference.functions import FUNCTIONS
from ppl.reference.values import FunctionValue


class Context:
    """``options`` tells how nested ``infer`` and ``expect`` enumerate the draws of their blocks (exactly, or by
    quadrature)."""

    def __init__(
        self, program: ir.Program, externs: Mapping[str, Callable] | None = None, options: Options = exact_options
    ):
        self.program, self.externs, self.options = program, dict(externs or {}), options
        self.models = {m.name: m for m in program.models}
        self.functions = {f.name: f for f in program.functions}
        self.dists = {d.name: d for d in program.dists}
        self.globals = Environment(None, Place())
        for var, block in program.constants:
            self.globals.bind(var, self.pure_run().result(block, self.globals))

    def pure_run(self):
        """A run for blocks without random choices."""
        from ppl.reference.choices import FromTrace
        from ppl.reference.run import Run

        return Run(self, FromTrace({}), {})

    def function(self, name: str) -> FunctionValue:
        if name not in self.functions:
            return FunctionValue(name, FUNCTIONS[name])
        declared = self.functions[name]
        if declared.body is None:
            return FunctionValue(name, self._extern(declared))
        return FunctionValue(name, lambda *args: self._apply(declared, args))

    def _apply(self, function: ir.Function, args: tuple[Any, ...]) -> Any:
        sizes: dict[str, int] = {}
        env = Environment(self.globals, Place(sizes=sizes))
        for p, value in zip(function.params, args, strict=False):
            if p.is_size:
                sizes[p.var.id] = int(value)
            else:
                bind_sizes(p.var.type, value, sizes)
            env.bind(p.var, value)
        run = self.pure_run()
        for p in function.params[len(args) :]:
            if p.default is None:
                raise MissingValue(f"`{function.name}` needs its parameter `{p.name}`")
            env.bind(p.var, run.result(p.default, env))
        return run.results(function.body, env)[0]

    def _extern(self, function: ir.Function) -> Callable:
        if function.name in self.externs:
            return self.externs[function.name]
        if not function.source:
            raise MissingValue(f"`extern fn {function.name}` was not given")
        module, _, name = function.source.partition(":")
        return getattr(import_module(module), name)
