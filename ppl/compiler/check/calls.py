"""Calls: of builtins, functions, closures, models, guides, objectives, distributions and constructors."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import builtin_calls, distribution_calls, inference
from ppl.compiler.check.arguments import bind, support_fits
from ppl.compiler.check.context import Context
from ppl.compiler.check.module import ModuleScope, ParameterType, Signature
from ppl.compiler.check.names import SPECIAL_FORMS, imported, unknown_name
from ppl.compiler.check.suggest import FOREIGN_DISTRIBUTIONS
from ppl.compiler.check.typeexprs import size_of
from ppl.compiler.check.unify import Instance, describe, match, promote, substitute_support
from ppl.compiler.check.values import UNKNOWN, DistFacts, Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.builtins import BUILTINS
from ppl.compiler.ir.distributions import DISTRIBUTIONS
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING
from ppl.compiler.ir.types import Type
from ppl.compiler.syntax import ast


def call(cx: Context, e: ast.Call, expected: Type | None = None) -> Value:
    match e.function:
        case ast.Name(name):
            return _named(cx, e, name, expected)
        case ast.Index(ast.Name(name), subscripts) if (
            name in cx.module.decls and cx.peek(name) is None and cx.site(name) is None
        ):
            return apply_declared(cx, cx.module, name, e, _explicit_sizes(cx, subscripts))
        case ast.Attribute(base, name) if (scope := imported(cx, base)) is not None and (
            name in scope.decls or scope.constructor(name)
        ):
            return apply_declared(cx, scope, name, e)
    return _closure_call(cx, e)


def _explicit_sizes(cx: Context, subscripts: tuple[ast.Expr | ast.Slice, ...]) -> list[Size | None]:
    return [size_of(cx, s, "an explicit size") if isinstance(s, ast.Expr) else None for s in subscripts]


def _named(cx: Context, e: ast.Call, name: str, expected: Type | None) -> Value:
    local = cx.peek(name)
    known = name in BUILTINS or name in DISTRIBUTIONS or name in cx.module.decls
    if local is not None and (isinstance(local.value.type, ty.Function) or local.value.unknown or not known):
        return _closure_call(cx, e)
    site = cx.site(name)
    if local is None and site is not None and (isinstance(ty.element(site.element), ty.Function) or not known):
        return _closure_call(cx, e)
    if name in cx.module.decls or name in cx.module.constructors:
        return apply_declared(cx, cx.module, name, e)
    if name in SPECIAL_FORMS:
        return inference.special(cx, e, name)
    if name in DISTRIBUTIONS:
        return distribution_calls.distribution(cx, DISTRIBUTIONS[name], e)
    if name in BUILTINS and name.isidentifier() and not BUILTINS[name].internal:
        return builtin_calls.builtin(cx, e, name)
    role = "distribution" if name in FOREIGN_DISTRIBUTIONS or name[:1].isupper() else "call"
    unknown_name(cx, name, e.function.span, role)
    _check_anyway(cx, e)
    return unknown(e.span)


def _check_anyway(cx: Context, e: ast.Call) -> None:
    """Arguments of an unknown callee still have their own mistakes."""
    from ppl.compiler.check.expressions import check

    for a in e.args:
        check(cx, a.value)


# --- declared callees ----------------------------------------------------------------------------------------------


def apply_declared(
    cx: Context, scope: ModuleScope, name: str, e: ast.Call, explicit: list[Size | None] | None = None
) -> Value:
    decl = scope.decls.get(name)
    if decl is None:
        return _constructor(cx, scope, name, e)
    signature = scope.signature(name)
    if signature is None:
        kind = {ast.ConstDecl: "a constant", ast.TypeDecl: "a type", ast.Import: "an imported file"}.get(
            type(decl), "no function"
        )
        cx.error("E109", f"`{name}` is {kind} and can't be applied", e.function.span, kind)
        _check_anyway(cx, e)
        return unknown(e.span)
    if signature.kind == "dist":
        return distribution_calls.user(cx, scope, signature, e)
    cx.calls.add(signature.name)
    scope.ensure(name)
    signature = scope.signature(name) or signature
    bound = bind(
        cx,
        str(signature),
        [(p.name, p.has_default) for p in signature.params],
        e.args,
        e.span,
        e.function.span,
        signature.span,
    )
    if bound is None:
        _check_anyway(cx, e)
        return unknown(e.span)
    instance = instantiate(cx, signature, explicit, e)
    args = arguments(cx, signature, bound, instance)
    for pattern, actual, what in instance.finish(cx, e.span):
        cx.error(
            "E202",
            f"sizes differ: {what} gives {actual}, but {pattern} is needed",
            e.span,
            "",
            ((signature.span, "declared here"),),
        )
    return finish(cx, scope, signature, decl, e, instance, args)


def instantiate(cx: Context, signature: Signature, explicit: list[Size | None] | None, e: ast.Call) -> Instance:
    sizes: dict[str, Size | None] = dict.fromkeys(signature.generics.sizes)
    if explicit is not None:
        if len(explicit) != len(signature.generics.sizes):
            cx.error(
                "E203",
                f"{len(explicit)} sizes where {len(signature.generics.sizes)} are declared",
                e.function.span,
                "",
                ((signature.span, "declared here"),),
                (f"the signature is `{signature}`",),
            )
        sizes.update(zip(signature.generics.sizes, explicit, strict=False))
    sizes.update(dict.fromkeys(p.name for p in signature.params if p.is_size))
    return Instance(sizes, dict.fromkeys(signature.generics.traces))


def arguments(cx: Context, signature: Signature, bound: dict[str, ast.Expr], instance: Instance) -> dict[str, Value]:
    """The values of the arguments, promoted; sizes that they determine go into the instance."""
    from ppl.compiler.check.expressions import check, mismatch

    out: dict[str, Value] = {}
    for p in sorted(signature.params, key=lambda p: not p.is_size):
        if p.name not in bound:
            continue
        expr = bound[p.name]
        if p.is_size:
            size = size_of(cx, expr, f"the argument `{p.name}`") or Size.var("?")
            instance.sizes[p.name] = size
            out[p.name] = cx.size_value(size, expr.span)
            continue
        hint = instance.apply(p.type)
        value = as_target(check(cx, expr, hint), p.type)
        if not match(cx, p.type, value.type, instance, f"the argument `{p.name}`"):
            mismatch(cx, value, hint, f"the argument `{p.name}`", "E201", ((p.span, f"declared as {p.type}"),))
            value = unknown(expr.span)
        else:
            value = replace(value, atom=promote(cx, value, hint))
            support_fits(cx, value, p.support, f"the argument `{p.name}`", "E403", ((p.span, "declared here"),))
        out[p.name] = value
    return {p.name: out[p.name] for p in signature.params if p.name in out}


def as_target(value: Value, wanted: Type) -> Value:
    """An applied model where a target is asked for."""
    if (
        isinstance(wanted, ty.Target)
        and isinstance(value.type, ty.Dist)
        and value.dist is not None
        and value.dist.model is not None
    ):
        return replace(value, type=ty.Target(ty.Trace(value.dist.model)))
    return value


def finish(
    cx: Context,
    scope: ModuleScope,
    signature: Signature,
    decl: ast.Decl,
    e: ast.Call,
    instance: Instance,
    args: dict[str, Value],
) -> Value:
    if signature.kind in ("fn", "objective"):
        return _function_call(cx, scope, signature, decl, e, instance, args)
    return inference.apply_model(cx, scope, signature, e, instance, args)


def solved_sizes(
    cx: Context, signature: Signature, instance: Instance, e: ast.Call
) -> tuple[tuple[str, Size], ...] | None:
    """The sizes of the instance; an error names one that nothing determines."""
    for n in signature.generics.sizes:
        if instance.sizes.get(n) is None:
            cx.error(
                "E213",
                f"the size `{n}` of `{signature.name}` can't be found from the arguments",
                e.span,
                f"`{n}` is not determined",
                ((signature.span, "declared here"),),
                helps=(
                    Help(
                        f"give the sizes: `{signature.name}[{', '.join(signature.generics.sizes)}](…)` with their "
                        f"values"
                    ),
                ),
            )
            return None
    return tuple((n, s) for n, s in instance.sizes.items() if s is not None)


def own_checks(cx: Context, checks: tuple[ir.SizeCheck, ...], sizes: dict[str, Size], e: ast.Call) -> None:
    """What the callee needs of its sizes is needed of those of the call."""
    for c in checks:
        left, right = c.left.substitute(sizes), c.right.substitute(sizes)
        if not cx.require_sizes(left, right, c.reason, e.span, c.relation):
            cx.error(
                "E202",
                f"{c.reason}, but {left} {c.relation} {right} does not hold",
                e.span,
                "with the sizes of this call",
                ((c.span, "needed here"),),
            )


def _function_call(
    cx: Context,
    scope: ModuleScope,
    signature: Signature,
    decl: ast.Decl,
    e: ast.Call,
    instance: Instance,
    args: dict[str, Value],
) -> Value:
    if signature.result is None:
        cx.error(
            "E207",
            f"the recursive function `{signature.name}` needs a result type",
            decl.name_span,
            "no result type",
            ((e.span, "it is applied inside its own body"),),
            helps=(Help("write `-> real` (or what it is) behind the parameters"),),
        )
        return unknown(e.span)
    sizes = solved_sizes(cx, signature, instance, e)
    if sizes is None or any(v.unknown for v in args.values()):
        return replace(unknown(e.span), level=joined_level(*args.values()))
    found = scope.parts.functions.get(signature.name)
    if found is not None:
        own_checks(cx, found.size_checks, dict(sizes), e)
    atoms = tuple(args[p.name].atom if p.name in args else _default(cx, scope, decl, p, args) for p in signature.params)
    result = instance.apply(signature.result)
    support = substitute_support(signature.result_support, dict(sizes))
    level = joined_level(*args.values())
    type_ = ty.Function(tuple(instance.apply(p.type) for p in signature.params), result)
    function = (
        ir.ModelRef(signature.name, type_) if signature.kind == "objective" else ir.FunctionRef(signature.name, type_)
    )
    var = cx.let(ir.Call(function, atoms, sizes), result, support, level, e.span)
    dist = DistFacts() if isinstance(result, ty.Dist) else None
    return Value(var, result, support, level, e.span, dist=dist)


def _default(cx: Context, scope: ModuleScope, decl: ast.Decl, p: ParameterType, args: dict[str, Value]) -> ir.Atom:
    """The default of a function's parameter, evaluated at the call with the names of its declaration."""
    from ppl.compiler.check.expressions import check_as
    from ppl.compiler.check.frames import Local

    assert isinstance(decl, ast.FnDecl | ast.ExternFnDecl | ast.ObjectiveDecl)
    expr = next(q.default for q in decl.params if q.name == p.name and q.default is not None)
    scopes, module, sites = cx.scopes, cx.module, cx.sites
    cx.scopes, cx.module, cx.sites = [{n: Local(v, v.span) for n, v in args.items()}], scope, {}
    try:
        return check_as(cx, expr, p.type, f"the default of `{p.name}`").atom
    finally:
        cx.scopes, cx.module, cx.sites = scopes, module, sites


def _constructor(cx: Context, scope: ModuleScope, name: str, e: ast.Call) -> Value:
    from ppl.compiler.check.expressions import check_as

    found = scope.constructor(name)
    if found is None:
        return unknown(e.span)
    sum_type, info = found
    bad = next((a for a in e.args if a.name is not None), None)
    if len(e.args) != len(info.args) or bad is not None:
        text = name + (f"({', '.join(map(str, info.args))})" if info.args else "")
        cx.error(
            "E203",
            f"the constructor `{name}` takes {len(info.args)} argument{'s' * (len(info.args) != 1)}",
            e.span,
            "",
            notes=(f"it is declared as `{text}`",),
        )
        return unknown(e.span)
    values = [
        check_as(cx, a.value, t, f"argument {i + 1} of `{name}`")
        for i, (a, t) in enumerate(zip(e.args, info.args, strict=True))
    ]
    level = joined_level(*values)
    var = cx.let(ir.MakeSum(info.name, tuple(v.atom for v in values)), sum_type, ANYTHING, level, e.span)
    return Value(var, sum_type, level=level, span=e.span)


# --- closures -----------------------------------------------------------------------------------------------------


def _closure_call(cx: Context, e: ast.Call) -> Value:
    from ppl.compiler.check.expressions import check, check_as

    function = check(cx, e.function)
    if function.unknown:
        _check_anyway(cx, e)
        return unknown(e.span)
    if not isinstance(function.type, ty.Function):
        cx.error(
            "E204", f"{describe(function.type)} can't be applied", e.function.span, f"this is {describe(function.type)}"
        )
        _check_anyway(cx, e)
        return unknown(e.span)
    params = function.type.params
    if len(e.args) != len(params) or any(a.name is not None for a in e.args):
        text = "keywords are for declared functions" if any(a.name for a in e.args) else f"its type is {function.type}"
        cx.error(
            "E203",
            f"{len(e.args)} argument{'s' * (len(e.args) != 1)} for a function of {len(params)}",
            e.span,
            "",
            notes=(text,),
        )
        return unknown(e.span)
    args = [check_as(cx, a.value, t, f"argument {i + 1}") for i, (a, t) in enumerate(zip(e.args, params, strict=True))]
    return apply_closure(cx, function, args, e.span)


def apply_closure(cx: Context, function: Value, args: list[Value], span: Span) -> Value:
    assert isinstance(function.type, ty.Function)
    result = function.type.result
    level = joined_level(function, *args)
    if result == UNKNOWN or any(a.unknown for a in args):
        return replace(unknown(span), level=level)
    model = isinstance(function.atom, ir.ModelRef)
    if model and isinstance(result, ty.Dist):
        names = tuple(f"{i}" for i in range(len(args)))
        op: ir.Op = ir.ApplyModel(function.atom, tuple(zip(names, (a.atom for a in args), strict=True)))
    else:
        op = ir.Call(function.atom, tuple(a.atom for a in args))
    var = cx.let(op, result, function.support, level, span)
    return Value(var, result, function.support, level, span, dist=DistFacts() if isinstance(result, ty.Dist) else None)
