"""Which functions apply themselves, and where: questions to the IR that need no run-time value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.walk import child_blocks, walk


def group(program: ir.Program, name: str) -> frozenset[str]:
    """The functions that ``name`` uses and that use it, itself included; empty if it is not recursive."""
    uses = {
        f.name: frozenset(n.name for n in walk(f.body) if isinstance(n, ir.FunctionRef)) if f.body is not None else ()
        for f in program.functions
    }
    below = _reached(uses, name)
    return frozenset(g for g in below if name in _reached(uses, g)) if name in below else frozenset()


def _reached(uses: dict[str, Any], name: str) -> set[str]:
    found: set[str] = set()
    todo = list(uses.get(name, ()))
    while todo:
        n = todo.pop()
        if n in uses and n not in found:
            found.add(n)
            todo += uses[n]
    return found


def applies(node: Any, names: frozenset[str], own: str | None = None) -> bool:
    """Whether ``node`` mentions one of the functions ``names``, or the closure that ``own`` stands for."""
    return any(
        (isinstance(n, ir.FunctionRef) and n.name in names) or (isinstance(n, ir.Var) and n.id == own)
        for n in walk(node)
    )


def misplaced(body: ir.Block, names: frozenset[str], own: str | None = None) -> Iterator[ir.Stmt]:
    """The statements in which a function of the group stands as a value, or is applied inside a lambda or a nested
    inference: only an application in the body itself, its branches and its loops can be cut out of it."""
    for s in body.statements:
        if not applies(s, names, own):
            continue
        match s:
            case ir.Let(op=ir.Call(args=args)) if not any(applies(a, names, own) for a in args):
                pass
            case ir.Let(op=ir.Map()) | ir.If() | ir.Match() | ir.Plate() | ir.Scan() | ir.For():
                found = [x for block in child_blocks(s) for x in misplaced(block, names, own)]
                yield from found
            case _:
                yield s


def types_with(program: ir.Program, name: str) -> frozenset[str]:
    """The sum types that values of the type ``name`` hold and that hold it, itself included; empty if it is not
    recursive."""
    holds = {
        s.name: frozenset(t.name for c in s.constructors for a in c.args for t in _sums(a)) for s in program.sums
    }
    below = _reached(holds, name)
    return frozenset(s for s in below if name in _reached(holds, s)) if name in below else frozenset()


def _sums(t: ty.Type) -> Iterator[ty.Sum]:
    match t:
        case ty.Sum():
            yield t
        case ty.Array(element=element):
            yield from _sums(element)
        case ty.Tuple(elements=elements):
            for e in elements:
                yield from _sums(e)
        case ty.Record(fields=fields):
            for _, e in fields:
                yield from _sums(e)
