"""``x: real[J] ~ D``: a distribution at the declared type of a draw, with independent copies where that is larger."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.typeexprs import declared
from ppl.compiler.check.unify import Instance, describe, match, plain
from ppl.compiler.check.values import UNKNOWN, DistFacts, Value
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, REALS, Interval, Structured, Support
from ppl.compiler.ir.types import BOOL, INT, REAL, Type, array, element, shape
from ppl.compiler.syntax import ast

_HALF = {"Normal": "HalfNormal", "Cauchy": "HalfCauchy", "StudentT": "HalfStudentT"}


def at_declared_type(cx: Context, stmt: ast.Draw, dist: Value) -> tuple[Value, Type, Support, bool] | None:
    """The distribution, the type and support of what is drawn, and whether entries may be missing; None after an
    error."""
    assert isinstance(dist.type, ty.Dist)
    own = dist.type.value
    if stmt.type is None:
        return dist, own, dist.support, False
    given = declared(cx, stmt.type)
    if given.missing and stmt.role != "data":
        cx.error(
            "E212",
            "only `data` may be missing",
            stmt.type.span,
            "not a data variable",
            helps=(Help("a latent is always unknown: drop the `?`"),),
        )
    if given.type == UNKNOWN or own == UNKNOWN:
        return None
    extra = _extra(cx, given.type, own, stmt)
    if extra is None:
        _mismatch(cx, stmt, given.type, own, dist)
        return None
    if rules.included(_closed(dist.support), given.support) is False:
        _outside(cx, stmt, dist, given.support)
    support = dist.support if dist.support not in (ANYTHING, REALS) or given.support in (ANYTHING,) else given.support
    value_type = given.type if element(given.type) == plain(element(own)) else array(element(own), *extra, *shape(own))
    return copies(cx, dist, extra), value_type, support, given.missing


def _closed(s: Support) -> Support:
    return Interval(s.lower, s.upper, dynamic=s.dynamic) if isinstance(s, Interval) else s


def _extra(cx: Context, want: Type, own: Type, stmt: ast.Draw) -> tuple[Size, ...] | None:
    """The leading axes that the declared type has more; None if the types do not agree."""
    lead = len(shape(want)) - len(shape(own))
    if lead < 0:
        return None
    inner = array(element(want), *shape(want)[lead:])
    promoted = element(want) == INT and isinstance(element(own), ty.IndexType)
    narrowed = isinstance(element(want), ty.IndexType) and element(own) == INT
    if element(want) != element(own) and not promoted and not narrowed and not isinstance(element(want), ty.IndexType):
        if not (
            isinstance(element(own), (ty.Tuple, ty.Record, ty.Function, ty.Sum))
            and type(element(own)) is type(element(want))
        ):
            return None
    instance = Instance()
    target = array(element(own), *shape(inner)) if promoted or narrowed else inner
    if not match(cx, target, own, instance, "the declared type"):
        return None
    if instance.finish(cx, stmt.type.span if stmt.type else stmt.span):
        return None
    return shape(want)[:lead]


def _mismatch(cx: Context, stmt: ast.Draw, want: Type, own: Type, dist: Value) -> None:
    helps: tuple[Help, ...] = ()
    assert stmt.type is not None
    if element(own) == BOOL and element(want) == INT:
        text = cx.text(stmt.type.span).replace("int", "bool", 1)
        helps = (suggestion("declare it `bool`: data may write 0 and 1", stmt.type.span, text),)
    elif element(own) == INT and element(want) == REAL:
        helps = (
            (suggestion("declare it `int`", stmt.type.span, "int"),)
            if not shape(want)
            else (Help("declare it as ints"),)
        )
    name = cx.text(stmt.target.span)
    cx.error(
        "E317",
        f"`{name}` is declared {describe(want)}, but its distribution is over {own}",
        stmt.type.span,
        f"this is {want}",
        ((dist.span, f"draws {describe(own)}"),),
        helps=helps,
    )


def _outside(cx: Context, stmt: ast.Draw, dist: Value, support: Support) -> None:
    assert stmt.type is not None
    facts = dist.dist or DistFacts()
    text, helps = cx.text(dist.span), []
    low, high = rules.interval(support), rules.interval(dist.support)
    if isinstance(support, Interval) and text and not isinstance(dist.support, Structured):
        loc = facts.argument("loc")
        if (
            support.lower == 0
            and support.upper == float("inf")
            and facts.name in _HALF
            and loc is not None
            and loc.const == 0
        ):
            rest = ", ".join(cx.text(v.span) for n, v in facts.arguments if n != "loc")
            helps.append(suggestion(f"use `{_HALF[facts.name]}({rest})`", dist.span, f"{_HALF[facts.name]}({rest})"))
        bounds = [f"lower={low.lower:g}"] * (high.lower < low.lower) + [f"upper={low.upper:g}"] * (
            high.upper > low.upper
        )
        if bounds:
            new = f"truncated({text}, {', '.join(bounds)})"
            helps.append(suggestion(f"or cut it off: `{new}`", dist.span, new))
    cx.error(
        "E402",
        f"`{cx.text(stmt.target.span)}` is declared as {support}, but its distribution reaches outside",
        stmt.type.span,
        f"only {support}",
        ((dist.span, f"draws {dist.support}"),),
        ("a declared type does not cut a distribution off: that would need its normaliser",),
        tuple(helps),
    )


def copies(cx: Context, dist: Value, extra: tuple[Size, ...]) -> Value:
    """Independent copies along the axes ``extra``."""
    if not extra:
        return dist
    assert isinstance(dist.type, ty.Dist)
    value = array(dist.type.value, *extra)
    type_ = ty.Dist(value, dist.type.event)
    last = cx.blocks[-1][-1] if cx.blocks[-1] else None
    if isinstance(last, ir.Let) and last.var is dist.atom and isinstance(last.op, ir.MakeDist):
        var = replace(last.var, type=type_)
        cx.blocks[-1][-1] = replace(last, var=var, op=replace(last.op, batch=extra))
        return replace(dist, atom=var, type=type_)
    atom = dist.atom
    inner = dist.type.value
    for n in reversed(extra):
        inner = array(inner, n)
        type_ = ty.Dist(inner, len(shape(inner)))
        op = ir.MakeDist("iid", (("D", atom), ("n", cx.size_value(n, dist.span).atom)))
        atom = cx.let(op, type_, dist.support, dist.level, dist.span, "iid")
    return replace(dist, atom=atom, type=type_)
