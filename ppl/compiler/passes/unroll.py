"""Recursive models are inlined in themselves to a bounded depth; there the path ends, with density zero.

What is left out is the mass of the deeper paths: a program that conditions on a finite size loses nothing, and the log
evidence of one that conditions on nothing says what was lost. A recursion that is steered by constants (``f(n - 1)``
from ``f(20)``) ends by itself: its conditions are decided here."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.walk import statements, walk

_COPIES = 64  # of a recursive body, about
_DEPTH = 30

_STATIC: dict[str, Callable[..., object]] = {
    "copy": lambda x: x,
    "int": lambda x: x,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "neg": operator.neg,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "not": operator.not_,
}


def deepest(model: ir.Model, recursive: frozenset[str], lets: Mapping[str, ir.Op]) -> int:
    """How often a model is inlined in itself: by the number of recursive applications in its body."""
    calls = [lets.get(getattr(s.dist, "id", "")) for s in statements(model.body) if isinstance(s, ir.Draw)]
    names = [op.model.name for op in calls if isinstance(op, ir.ApplyModel) and isinstance(op.model, ir.ModelRef)]
    each = max(1, sum(name in recursive for name in names))
    depth, copies = 1, each
    while depth < _DEPTH and copies < _COPIES // each:
        depth, copies = depth + 1, copies * each if each > 1 else 1
    return depth


def static(atom: ir.Atom, lets: Mapping[str, ir.Op]) -> int | bool | None:
    """The value of an integer or a bool that constants decide."""
    match atom:
        case ir.Lit(value) if isinstance(value, (bool, int)):
            return value
        case ir.SizeAtom(size) if not size.variables:
            return size.evaluate({})
        case ir.Var(id=name):
            op = lets.get(name)
            if isinstance(op, ir.Prim) and op.name in ("and", "or"):
                values = [static(a, lets) for a in op.args]
                decisive = op.name == "or"  # one operand may decide
                return decisive if decisive in values else None if None in values else not decisive
            if isinstance(op, ir.Prim) and op.name in _STATIC:
                values = [static(a, lets) for a in op.args]
                return None if None in values else _STATIC[op.name](*values)  # type: ignore[return-value]
    return None


def chosen(stmt: ir.If, lets: Mapping[str, ir.Op]) -> ir.Block | None:
    """The branch that is surely taken."""
    decided = static(stmt.condition, lets)
    return None if decided is None else stmt.then if decided else stmt.otherwise


def ending(draw: ir.Draw, names: Names, sums: tuple[ir.SumInfo, ...]) -> tuple[ir.Stmt, ...] | None:
    """What stands for the application at which a recursion is cut: a path of density zero, and some value. None where
    no value of the type can be made up."""
    made: list[ir.Stmt] = []
    op = _some(draw.var.type, made, names, {s.name: s for s in sums})
    if op is None:
        return None
    return (ir.Require(ir.Lit(False, ty.BOOL), span=draw.span), *made, ir.Let(draw.var, op, span=draw.span))


def _some(type_: ty.Type, made: list[ir.Stmt], names: Names, sums: Mapping[str, ir.SumInfo]) -> ir.Op | None:
    """Some value of the type; of a sum type the first whose constructor needs no other of it. ``sums``: the types that
    may be used for that."""
    match type_:
        case ty.Tuple(elements):
            parts = _named(elements, made, names, sums)
            return None if parts is None else ir.MakeTuple(parts)
        case ty.Record(fields):
            parts = _named(tuple(t for _, t in fields), made, names, sums)
            return None if parts is None else ir.MakeRecord(tuple(zip((n for n, _ in fields), parts, strict=True)))
        case ty.Sum(name) if name in sums:
            others = {n: s for n, s in sums.items() if n != name}
            for c in sums[name].constructors:
                trial: list[ir.Stmt] = []
                parts = _named(c.args, trial, names, others)
                if parts is not None:
                    made += trial
                    return ir.MakeSum(c.name, parts)
            return None
    kind, shape = ty.element(type_), ty.shape(type_)
    if kind == ty.REAL and shape:
        return ir.Prim("zeros", tuple(map(ir.SizeAtom, shape)))
    if shape:
        return None
    if kind == ty.BOOL:
        return ir.Prim("copy", (ir.Lit(False, ty.BOOL),))
    if kind == ty.REAL:
        return ir.Prim("copy", (ir.Lit(0.0, ty.REAL),))
    return ir.Prim("copy", (ir.Lit(0, ty.INT),)) if kind == ty.INT or isinstance(kind, ty.IndexType) else None


def _named(
    types: tuple[ty.Type, ...], made: list[ir.Stmt], names: Names, sums: Mapping[str, ir.SumInfo]
) -> tuple[ir.Atom, ...] | None:
    """Variables that hold some values of the types."""
    found: list[ir.Atom] = []
    for t in types:
        op = _some(t, made, names, sums)
        if op is None:
            return None
        var = ir.Var(names.fresh("nothing"), t)
        made.append(ir.Let(var, op))
        found.append(var)
    return tuple(found)


def uncut(model: ir.Model) -> list[Diagnostic]:
    """Applications of recursive models that are left in ``model``, inlined: E601."""
    lets = {n.var.id: n.op for n in walk(model.body) if isinstance(n, ir.Let)}
    found = {}
    for s in walk(model.body):
        op = lets.get(getattr(s.dist, "id", "")) if isinstance(s, ir.Draw) else None
        if isinstance(op, ir.ApplyModel) and isinstance(op.model, ir.ModelRef):
            found[op.model.name] = Diagnostic(
                "E601",
                f"not executable yet: recursion of `{op.model.name}`, which gives values of type {s.var.type}",
                Label(s.span, "where the recursion would be cut no value can be made up"),
                helps=(Help("give the model a number of levels, and end it by `if levels == 0`"),),
            )
    return list(found.values())
