"""How many nodes a value of recursive type may have in one compiled program: all have room for as many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppl.compiler.emit.arena import nodes
from ppl.compiler.ir.nodes import MakeSum, Model, Program
from ppl.compiler.ir.recursion import types_with
from ppl.compiler.ir.types import Sum, element
from ppl.compiler.ir.walk import walk

MADE = 128


def capacity(program: Program, model: Model, args: Mapping[str, Any]) -> int:
    """As many as the largest value in the data has; 128 more where the program itself makes such values."""
    recursive = {s.name for s in program.sums if types_with(program, s.name)}
    if not recursive:
        return 1
    given = [
        nodes(args[p.name])
        for p in model.params
        if p.name in args and isinstance(kind := element(p.var.type), Sum) and kind.name in recursive
    ]
    made = {c.name for s in program.sums if s.name in recursive for c in s.constructors}
    bodies = (program.models, program.functions, program.dists, program.constants)
    makes = any(isinstance(n, MakeSum) and n.constructor in made for body in bodies for n in walk(body))
    return max(max(given, default=0) + (MADE if makes else 0), 1)
