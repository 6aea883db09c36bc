"""Deterministic values by name and by element (``let x[i] = …``), and simulated traces."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Box, SitePiece
from ppl.compiler.check.pieces import add_piece
from ppl.compiler.check.registration import broken, register
from ppl.compiler.check.targets import target
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import Value
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.supports import ANYTHING
from ppl.compiler.ir.types import REAL, element
from ppl.compiler.syntax import ast


def element_name(name: str, box: Box, cx: Context) -> str:
    if not box:
        return name
    indices = [f.index_name for f in cx.frames if f.index is not None and any(f.id in lo.variables for lo, _ in box)]
    return (
        "_".join([name, *(indices or [str(lo) for lo, _ in box])])
        .replace(" ", "")
        .replace("-", "m")
        .replace("+", "p")
        .replace("*", "")
    )


def _in_expectation(cx: Context) -> bool:
    """In an ``expect`` block, or in an ``infer`` block of one."""
    while cx.kind == "infer" and cx.parent is not None:
        cx = cx.parent
    return cx.kind == "expect"


def simulate(cx: Context, stmt: ast.Draw) -> None:
    """``(z, lq) ~ sim(q)``: a trace with its log density."""
    from ppl.compiler.check.expressions import check

    call = stmt.dist
    assert isinstance(call, ast.Call)
    if not _in_expectation(cx):
        cx.error("E312", "`sim` stands inside `expect` only", call.span, "not allowed here")
    if len(call.args) != 1 or not isinstance(stmt.target, ast.TupleLit) or len(stmt.target.elements) != 2:
        cx.error(
            "E203", "`sim` draws a trace with its log density", stmt.span, "", helps=(Help("write `(z, lq) ~ sim(q)`"),)
        )
        broken(cx, stmt)
        return
    q = check(cx, call.args[0].value)
    if q.unknown:
        broken(cx, stmt)
        return
    if isinstance(q.type, ty.Dist) and q.dist is not None and q.dist.model is not None:
        q = replace(q, type=ty.Guide(ty.Trace(q.dist.model)))
    if not isinstance(q.type, ty.Guide):
        cx.error(
            "E201", f"`sim` draws from a guide, not from {describe(q.type)}", q.span, f"this is {describe(q.type)}"
        )
        broken(cx, stmt)
        return
    trace = cx.var("z", q.type.trace, ANYTHING, Level.CONTINUOUS, stmt.span)
    log_density = cx.var("lq", REAL, ANYTHING, Level.CONTINUOUS, stmt.span)
    cx.emit(ir.SimDraw(trace, log_density, q.atom, span=stmt.span))
    for t, var in zip(stmt.target.elements, (trace, log_density), strict=True):
        define(cx, t, Value(var, var.type, ANYTHING, Level.CONTINUOUS, t.span), "let", t.span, None)


def define(
    cx: Context, e: ast.Expr, value: Value, kind: str, span: Span, doc: str | None, missing: bool = False
) -> None:
    """``let x = …`` or ``let x[i] = …``: a name, or an element of an array."""
    if isinstance(e, ast.Name):
        cx.bind(e.id, value.at(e.span), e.span)
        return
    where = target(cx, e)
    if where is None or value.unknown:
        broken(cx, ast.Draw(kind, e, None, e, None, span=span))
        return
    name, box = where
    stmt = ast.Let(e, None, e, span=span, doc=doc)
    site = register(cx, stmt, name, box, kind, value.type, value.support, element(value.type) != REAL, missing, None)
    if site is None:
        return
    atom = value.atom
    if not isinstance(atom, ir.Var) or cx.depth.get(atom.id, 0) < len(cx.frames):
        atom = cx.let(
            ir.Prim("copy", (atom,)), value.type, value.support, value.level, span, element_name(name, box, cx)
        )
    add_piece(cx, site, SitePiece(box, (), atom, e.span), cx.frames[-1])
