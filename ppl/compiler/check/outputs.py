"""What a model keeps and learns: ``output`` and ``param``."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check.context import Context
from ppl.compiler.check.expressions import check
from ppl.compiler.check.lets import as_declared
from ppl.compiler.check.typeexprs import declared
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import Value, unknown
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.supports import ANYTHING, REALS
from ppl.compiler.ir.types import INT, REAL, array, element, shape
from ppl.compiler.syntax import ast


def output(cx: Context, stmt: ast.Output) -> None:
    given = declared(cx, stmt.type) if stmt.type is not None else None
    value = check(cx, stmt.value, given.type if given else None)
    if given is not None:
        value = as_declared(cx, value, given, "the output")
    if cx.kind != "model":
        cx.error("E312", f"`output` stands in models only, not in a {cx.kind}", stmt.span, "not allowed here")
        return
    if any(f.kind == "branch" for f in cx.own_frames):
        cx.error(
            "E312",
            "an output is defined on every path",
            stmt.span,
            "inside a branch",
            helps=(Help("write `output t = if c then a else b`"),),
        )
        return
    earlier = cx.outputs.get(stmt.name)
    if earlier is not None:
        cx.error(
            "E102",
            f"the output `{stmt.name}` is already defined",
            stmt.name_span,
            "again here",
            ((earlier[2], "first here"),),
        )
        return
    site = cx.sites.get(stmt.name)
    if site is not None:
        cx.error(
            "E102",
            f"`{stmt.name}` is a random variable: it is in the results anyway",
            stmt.name_span,
            "already there",
            ((site.span, "drawn here"),),
            helps=(Help("drop the output, or give it another name"),),
        )
        return
    if value.unknown:
        return
    if isinstance(element(value.type), (ty.Function, ty.Dist)):
        cx.error(
            "E201",
            f"an output is data, not {describe(value.type)}",
            value.span,
            f"this is {describe(value.type)}",
            helps=(Help("output its values at chosen points: `[f(x[i]) for i in N]`"),),
        )
        return
    atom, type_ = value.atom, INT if isinstance(value.type, ty.SizeType) else value.type
    loops = [f for f in cx.own_frames if f.is_loop]
    full = array(type_, *(f.upper - f.lower for f in loops))
    cx.outputs[stmt.name] = (full, (), stmt.name_span)
    cx.emit(ir.Output(stmt.name, atom, span=stmt.span))
    if cx.peek(stmt.name) is None and not loops:
        cx.bind(stmt.name, value, stmt.name_span, "output")


def param(cx: Context, stmt: ast.ParamStmt) -> None:
    given = declared(cx, stmt.type) if stmt.type is not None else None
    value = check(cx, stmt.value, given.type if given else None)
    if given is not None:
        value = as_declared(cx, value, given, "the initial value")
    if cx.kind not in ("model", "guide"):
        cx.error("E312", f"`param` stands in models and guides only, not in a {cx.kind}", stmt.span, "not allowed here")
    elif any(f.kind != "root" for f in cx.own_frames):
        cx.error(
            "E312",
            "a learnable parameter is declared at the top of its body",
            stmt.span,
            "inside a loop or branch",
            helps=(Help("declare an array outside: `param w: real[N] = zeros(N)`"),),
        )
    if given is None and not value.unknown and element(value.type) == INT:
        from ppl.compiler.check.unify import promote

        value = replace(
            value, atom=promote(cx, value, array(REAL, *shape(value.type))), type=array(REAL, *shape(value.type))
        )
    if not value.unknown and element(value.type) != REAL:
        cx.error(
            "E201",
            f"a learnable parameter is real, not {describe(value.type)}",
            stmt.value.span,
            f"this is {describe(value.type)}",
        )
        value = unknown(stmt.span)
    support = given.support if given is not None and given.support != ANYTHING else REALS
    var = cx.var(stmt.name, value.type, support, Level.CONTINUOUS, stmt.name_span)
    if not value.unknown:
        cx.emit(ir.ParamStmt(var, stmt.name, value.atom, span=stmt.span))
    bound = (
        Value(var, value.type, support, Level.CONTINUOUS, stmt.name_span) if not value.unknown else unknown(stmt.span)
    )
    cx.bind(stmt.name, bound, stmt.name_span, "param")
