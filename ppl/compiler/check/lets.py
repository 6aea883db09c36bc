"""``let``: values by name, at their declared types."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import patterns
from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.arguments import support_fits
from ppl.compiler.check.closures import closure
from ppl.compiler.check.context import Context
from ppl.compiler.check.definitions import define
from ppl.compiler.check.expressions import check, conform
from ppl.compiler.check.typeexprs import Declared, declared
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import UNKNOWN, Value, unknown
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.supports import ANYTHING
from ppl.compiler.ir.types import INT, element
from ppl.compiler.syntax import ast


def let(cx: Context, stmt: ast.Let) -> None:
    given = declared(cx, stmt.type) if stmt.type is not None else None
    name = stmt.target.id if isinstance(stmt.target, ast.Name) else None
    if isinstance(stmt.value, ast.Lambda):
        value = closure(cx, stmt.value, given.type if given else None, name=name)
    else:
        value = check(cx, stmt.value, given.type if given else None)
    if given is not None:
        value = as_declared(cx, value, given, "the value")
    if isinstance(stmt.target, ast.TupleLit):
        _destructure(cx, stmt.target, value, stmt)
        return
    if name is not None and isinstance(value.atom, ir.Var) and not value.unknown and fresh(cx, value.atom):
        value = renamed(cx, value, name)
    define(cx, stmt.target, value, "let", stmt.span, stmt.doc)


def fresh(cx: Context, var: ir.Var) -> bool:
    """Made by the last statement, under a name of the checker's own."""
    last = cx.blocks[-1][-1] if cx.blocks[-1] else None
    return isinstance(last, ir.Let) and last.var is var


def renamed(cx: Context, value: Value, name: str) -> Value:
    last = cx.blocks[-1][-1]
    assert isinstance(last, ir.Let)
    var = replace(last.var, id=cx.ids.fresh(name))
    cx.depth[var.id] = cx.depth[last.var.id]
    cx.blocks[-1][-1] = replace(last, var=var)
    return replace(value, atom=var)


def as_declared(cx: Context, value: Value, given: Declared, what: str, code: str = "E201") -> Value:
    if given.type == UNKNOWN:
        return value
    value = conform(cx, value, given.type, what, code)
    if value.unknown:
        return value
    support_fits(cx, value, given.support, what, "E403")
    wider = rules.included(value.support, given.support) is not True
    support = given.support if wider and given.support != ANYTHING else value.support
    type_ = given.type if element(value.type) == INT and isinstance(element(given.type), ty.IndexType) else value.type
    return replace(value, support=support, type=type_)


def _destructure(cx: Context, target: ast.TupleLit, value: Value, stmt: ast.Stmt) -> None:
    if not value.unknown and (not isinstance(value.type, ty.Tuple) or len(value.type.elements) != len(target.elements)):
        cx.error(
            "E201",
            f"{len(target.elements)} names for {describe(value.type)}",
            target.span,
            "",
            ((value.span, f"this is {describe(value.type)}"),),
        )
        value = unknown(value.span)
    parts = [unknown(t.span) for t in target.elements] if value.unknown else patterns.components(cx, value)
    for t, part in zip(target.elements, parts, strict=True):
        if isinstance(t, ast.TupleLit):
            _destructure(cx, t, part, stmt)
        else:
            define(cx, t, part, "let", stmt.span, None)
