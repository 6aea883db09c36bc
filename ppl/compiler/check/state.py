"""State variables: ``var``, and assignment inside the block that declares them."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.arguments import support_fits
from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.expressions import check, conform
from ppl.compiler.check.forecast import targets
from ppl.compiler.check.indexing import subscripts_of
from ppl.compiler.check.lets import as_declared, fresh, renamed
from ppl.compiler.check.typeexprs import declared
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import UNKNOWN, Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.types import INT, REAL, element, shape
from ppl.compiler.syntax import ast


def var(cx: Context, stmt: ast.VarStmt) -> None:
    given = declared(cx, stmt.type) if stmt.type is not None else None
    value = check(cx, stmt.value, given.type if given else None)
    if given is not None:
        value = as_declared(cx, value, given, "the value")
        value = replace(value, type=given.type if given.type != UNKNOWN else value.type)
    value = replace(value, type=INT if isinstance(value.type, ty.SizeType) else value.type, const=None, affine=None)
    span = stmt.name_span
    cx.bind(stmt.name, value, span, "var", mutable=True)
    cx.scopes[-1][stmt.name].declared = given.support if given is not None else None


def assign(cx: Context, stmt: ast.Assign) -> None:
    base = stmt.target.base if isinstance(stmt.target, ast.Index) else stmt.target
    if not isinstance(base, ast.Name):
        check(cx, stmt.value)
        edit = (Edit(stmt.span, f"let {cx.text(stmt.span)}"),)
        cx.error(
            "E210",
            "one variable is assigned at a time",
            stmt.target.span,
            "not a name",
            helps=(Help("new names are introduced by `let`", edit),),
        )
        for name, _, span in targets(stmt.target):
            cx.bind(name, unknown(span), span, shadow=True)
        return
    local = cx.peek(base.id)
    value = check(cx, stmt.value, local.value.type if local is not None and local.mutable else None)
    if local is None or not local.mutable:
        _not_assignable(cx, stmt, base, local)
        return
    for f in cx.frames[local.depth :]:
        if f.kind in ("plate", "body", "map"):
            text = "the iterations of a plate are independent" if f.kind == "plate" else "a function keeps no state"
            cx.error(
                "E210",
                f"`{base.id}` can't be changed from here",
                stmt.span,
                text,
                ((local.span, "declared outside"),),
                helps=(Help("use `for`, whose iterations are ordered"),) if f.kind == "plate" else (),
            )
            return
    if isinstance(stmt.target, ast.Index):
        value = _update(cx, local.value, stmt.target, value)
    elif not value.unknown and not local.value.unknown:
        value = _assigned(cx, value, local, stmt)
    local.value = replace(value.at(stmt.value.span), const=None, affine=None)


def _assigned(cx: Context, value: Value, local, stmt: ast.Assign) -> Value:
    have = local.value.type
    if element(have) == INT and element(value.type) == REAL and shape(have) == shape(value.type):
        name = cx.text(local.span)
        cx.error(
            "E210",
            f"`{name}` is an int and can't become a real",
            value.span,
            "this is a real",
            ((local.span, "declared with an int"),),
            helps=(suggestion(f"declare it `var {name}: real`", local.span, f"{name}: real"),),
        )
        return unknown(value.span)
    value = conform(cx, value, have, "the new value", "E210", ((local.span, f"declared as {describe(have)}"),))
    if local.declared is not None and not value.unknown:
        support_fits(cx, value, local.declared, "the new value", "E403", ((local.span, "declared here"),))
        if rules.included(value.support, local.declared) is not True:
            value = replace(value, support=local.declared)
    if isinstance(value.atom, ir.Var) and fresh(cx, value.atom):
        value = renamed(cx, value, cx.text(local.span) or "s")
    return value


def _update(cx: Context, base: Value, target: ast.Index, value: Value) -> Value:
    """``a[i] = e`` of a state variable: a new array."""
    from ppl.compiler.check.indexing import atom_of
    from ppl.compiler.check.indexing import element as element_at

    subscripts = subscripts_of(cx, target.subscripts)
    if subscripts is None or base.unknown or value.unknown:
        return base
    if any(s.slice is not None for s in subscripts):
        cx.error("E204", "a slice can't be assigned to", target.span, "one element at a time")
        return base
    old = element_at(cx, base, subscripts, target.span)
    value = conform(cx, value, old.type, "the new element", "E210")
    if old.unknown or value.unknown:
        return base
    atoms = tuple(
        s.value.atom if s.value is not None else atom_of(cx, s.point or Size(), target.span) for s in subscripts
    )
    level = joined_level(base, value)
    support = rules.join(rules.scaled(base.support), rules.scaled(value.support))
    var = cx.let(
        ir.Prim("set", (base.atom, value.atom, *atoms)),
        base.type,
        support,
        level,
        target.span,
        cx.text(target.base.span) or "s",
    )
    return Value(var, base.type, support, level, target.span)


def _reads_as_assignment(cx: Context, stmt: ast.Assign) -> bool:
    """False for ``x <- e`` and ``x := e``, which the parser has reported already."""
    return cx.text(stmt.span)[stmt.target.span.end - stmt.span.start :].lstrip().startswith("=")


def _not_assignable(cx: Context, stmt: ast.Assign, base: ast.Name, local) -> None:
    name = base.id
    if local is None and cx.site(name) is None and name not in cx.generics.sizes and isinstance(stmt.target, ast.Name):
        helps = (
            Help(
                "a new name is introduced by `let`, or by `var` if it changes",
                (Edit(stmt.span, f"let {cx.text(stmt.span)}"),),
            ),
        )
        if _reads_as_assignment(cx, stmt):
            cx.error("E210", f"there is no state variable `{name}`", stmt.target.span, "not declared", helps=helps)
        cx.bind(name, unknown(stmt.span), stmt.target.span)
        return
    if local is None and isinstance(stmt.target, ast.Index):
        helps = (
            Help(
                "an array is built by `let x[i] = …`, a random variable drawn by `~`",
                (Edit(stmt.span, f"let {cx.text(stmt.span)}"),),
            ),
        )
        cx.error("E210", f"there is no state variable `{name}`", stmt.target.span, "not declared", helps=helps)
        return
    site = cx.site(name)
    earlier = local.span if local is not None else site.span if site is not None else None
    kinds = {
        "index": "a loop index",
        "parameter": "a parameter",
        "let": "named by `let`",
        "pattern": "bound by a pattern",
    }
    what = kinds.get(local.kind, "not a state variable") if local is not None else "a random variable"
    cx.error(
        "E210",
        f"`{name}` can't be assigned to: it is {what}",
        stmt.target.span,
        "never changes",
        ((earlier, "defined here"),) if earlier else (),
        helps=(Help("state that changes is declared by `var`"),),
    )
