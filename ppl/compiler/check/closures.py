"""Lambdas and comprehensions."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Frame
from ppl.compiler.check.typeexprs import declared
from ppl.compiler.check.unify import promote
from ppl.compiler.check.values import UNKNOWN, Value, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import NOWHERE
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, REALS, Integers, Support
from ppl.compiler.ir.types import INT, REAL, Type, array
from ppl.compiler.syntax import ast


def closure(
    cx: Context,
    e: ast.Lambda,
    expected: Type | None = None,
    supports: tuple[Support, ...] = (),
    name: str | None = None,
) -> Value:
    """``fn(x: real) => e``. A parameter without a type takes it from where the lambda is used. ``name``: what the
    body may call
    the function itself. The support of a function value is that of its results."""
    from ppl.compiler.check.expressions import check, conform

    hints = (
        expected.params
        if isinstance(expected, ty.Function) and len(expected.params) == len(e.params)
        else (None,) * len(e.params)
    )
    inner = cx.child("lambda")
    params: list[ir.Var] = []
    result = declared(cx, e.result) if e.result is not None else None
    wanted = result.type if result is not None else None
    if wanted is None and isinstance(expected, ty.Function) and expected.result != UNKNOWN and hints != (None,):
        wanted = expected.result
    with inner.block() as statements:
        inner.frames[-1].block = statements
        for i, (p, hint) in enumerate(zip(e.params, hints, strict=True)):
            type_, support = _parameter(inner, p, hint)
            if i < len(supports) and support in (ANYTHING, REALS):
                support = supports[i]
            span = p.name_span if p.name_span != NOWHERE else p.span
            var = inner.var(p.name, type_, support, Level.CONTINUOUS, span)
            params.append(var)
            inner.bind(p.name, Value(var, type_, support, Level.CONTINUOUS, span), span, "parameter", shadow=True)
        recursive = _recursive(inner, e, params, result.type if result else None, name)
        if isinstance(e.body, ast.Block):
            from ppl.compiler.check.statements import returning_body

            value = returning_body(inner, e.body, wanted)
        else:
            value = check(inner, e.body, wanted)
            if wanted is not None:
                value = conform(inner, value, wanted, "the result of the function")
        type_ = wanted if wanted is not None and wanted != UNKNOWN else value.type
        if isinstance(type_, ty.SizeType):
            type_ = INT
        atom = promote(inner, value, type_) if not value.unknown else value.atom
    if any(p.type == UNKNOWN for p in params):
        return unknown(e.span)
    level = captured_level(statements, atom, params)
    function = ty.Function(tuple(p.type for p in params), type_)
    support = result.support if result is not None and result.support != ANYTHING else value.support
    used = recursive if recursive is not None and _mentions(statements, atom, recursive) else None
    op = ir.Closure(tuple(params), ir.Block(tuple(statements), (atom,)), used)
    if value.unknown:
        return unknown(e.span)
    return Value(cx.let(op, function, support, level, e.span, name or "f"), function, support, level, e.span)


def _parameter(cx: Context, p: ast.Param, hint: Type | None) -> tuple[Type, Support]:
    if p.type is not None:
        given = declared(cx, p.type)
        return given.type, given.support
    if hint is not None and hint != UNKNOWN:
        return hint, ANYTHING
    span = p.name_span if p.name_span != NOWHERE else p.span
    cx.error(
        "E207",
        f"the parameter `{p.name}` needs a type",
        span,
        "no type",
        helps=(Help("declare it", (Edit(span, f"{p.name}: real"),)),),
    )
    return UNKNOWN, ANYTHING


def _recursive(
    cx: Context, e: ast.Lambda, params: list[ir.Var], result: Type | None, name: str | None
) -> ir.Var | None:
    if name is None or result is None:
        return None
    type_ = ty.Function(tuple(p.type for p in params), result)
    var = cx.var(name, type_, ANYTHING, Level.CONTINUOUS, e.span)
    cx.bind(name, Value(var, type_, ANYTHING, Level.CONTINUOUS, e.span), e.span, "parameter", shadow=True)
    return var


def _free(statements: list[ir.Stmt], atom: ir.Atom):
    from ppl.compiler.ir.walk import walk

    block = ir.Block(tuple(statements), (atom,))
    return (n for n in walk(block) if isinstance(n, ir.Var))


def _mentions(statements: list[ir.Stmt], atom: ir.Atom, var: ir.Var) -> bool:
    return any(v.id == var.id for v in _free(statements, atom))


def captured_level(statements: list[ir.Stmt], atom: ir.Atom, params: list[ir.Var]) -> Level:
    """The level of a function is that of what it captures."""
    from ppl.compiler.ir.walk import binders, definitions, walk

    own = {p.id for p in params}
    seen = []
    for n in walk(ir.Block(tuple(statements), (atom,))):
        if isinstance(n, ir.Var):
            seen.append(n)
        elif isinstance(n, ir.Stmt):
            own |= {v.id for v in (*definitions(n), *binders(n))}
        elif isinstance(n, (ir.Op, ir.Case)):
            own |= {v.id for v in binders(n)}
    return max((v.level for v in seen if v.id not in own), default=Level.CONSTANT)


# --- comprehensions -------------------------------------------------------------------------------------------------


def comprehension(cx: Context, e: ast.Comprehension, expected: Type | None = None) -> Value:
    """``[e for i in N, k in K]``: a Map in a Map; the first index is the leading axis."""
    inner = expected
    for _ in e.indices:
        inner = array(inner.element, *inner.shape[1:]) if isinstance(inner, ty.Array) else None
    return _map(cx, e, e.indices, inner)


def _map(cx: Context, e: ast.Comprehension, indices: tuple[ast.LoopIndex, ...], expected: Type | None) -> Value:
    from ppl.compiler.check.expressions import check
    from ppl.compiler.check.loops import loop_range

    if not indices:
        value = check(cx, e.element, expected)
        if expected == REAL and value.type in (INT,):
            value = replace(value, atom=promote(cx, value, REAL), type=REAL)
        return value
    i, rest = indices[0], indices[1:]
    bounds = loop_range(cx, i)
    if bounds is None:
        return unknown(e.span)
    lower, upper = bounds
    index = cx.var(i.name, INT, Integers(lower.value, _last(upper)), Level.DATA, i.name_span)
    frame = Frame("map", e.span, index, i.name, lower, upper, outer=cx.blocks[-1])
    with cx.frame(frame), cx.block() as statements:
        frame.block = statements
        cx.bind(
            i.name,
            Value(index, INT, index.support, Level.DATA, i.name_span, affine=Size.var(index.id)),
            i.name_span,
            "index",
            shadow=True,
        )
        value = _map(cx, e, rest, expected)
    if value.unknown:
        return unknown(e.span)
    element = INT if isinstance(value.type, ty.SizeType) else value.type
    type_ = array(element, upper - lower)
    op = ir.Map(index, lower, upper, ir.Block(tuple(statements), (value.atom,)), tuple(frame.mapped.values()))
    level = max(value.level, Level.DATA) if upper.value is None else value.level
    return Value(cx.let(op, type_, value.support, level, e.span), type_, value.support, level, e.span, dist=value.dist)


def _last(upper: Size):
    last = upper - 1
    return last.value if last.value is not None else last
