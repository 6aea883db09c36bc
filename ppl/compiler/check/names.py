"""What a name stands for where it is read, and what to say when it stands for nothing."""

from __future__ import annotations

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.module import ModuleScope
from ppl.compiler.check.suggest import FOREIGN_FUNCTIONS, distribution_for, nearest
from ppl.compiler.check.unify import is_numeric
from ppl.compiler.check.values import UNKNOWN, Value, unknown
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.builtins import BUILTINS, CONSTANTS
from ppl.compiler.ir.distributions import DISTRIBUTIONS
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING
from ppl.compiler.ir.types import BOOL, INT, REAL, Type
from ppl.compiler.syntax import ast

SPECIAL_FORMS = ("sim", "density", "marginal", "logprob", "logpdf", "cdf")


def read_name(cx: Context, name: str, span: Span, expected: Type | None = None) -> Value:
    local = cx.lookup(name)
    if local is not None:
        return local.value.at(span)
    site = cx.site(name)
    if site is not None:
        from ppl.compiler.check.sites import read

        return read(cx, site, [], span)
    if name in cx.generics.sizes:
        return cx.size_value(Size.var(name), span, ty.SizeType())
    found = global_value(cx, cx.module, name, span)
    if found is not None:
        return found
    if name in cx.upcoming:
        cx.error(
            "E305",
            f"`{name}` is read before it is drawn",
            span,
            "nothing drawn yet",
            ((cx.upcoming[name], "drawn here"),),
        )
        return unknown(span)
    if name in CONSTANTS:
        value = CONSTANTS[name]
        return Value(ir.Lit(value, REAL, span=span), REAL, rules.constant(value), span=span, const=value)
    if name in DISTRIBUTIONS:
        signature = DISTRIBUTIONS[name]
        cx.error(
            "E109",
            f"the distribution `{name}` needs its parameters",
            span,
            "not applied",
            notes=(f"its signature is `{signature}`",),
        )
        return unknown(span)
    if name in BUILTINS and name.isidentifier() and not BUILTINS[name].internal:
        return _builtin_value(cx, name, span)
    unknown_name(cx, name, span, "value", expected)
    return unknown(span)


def global_value(cx: Context, scope: ModuleScope, name: str, span: Span) -> Value | None:
    """A declaration or constructor used as a value."""
    decl = scope.decls.get(name)
    if decl is None or isinstance(decl, ast.Import):
        constructor = scope.constructor(name)
        if constructor is None:
            if isinstance(decl, ast.Import) and name not in scope.imports:  # reported where it is imported
                return unknown(span)
            if isinstance(decl, ast.Import):
                cx.error("E109", f"`{name}` is an imported file, not a value", span, "write `" + name + ".…`")
                return unknown(span)
            return None
        sum_type, info = constructor
        if info.args:
            cx.error(
                "E203",
                f"the constructor `{name}` takes {len(info.args)} argument{'s' * (len(info.args) != 1)}",
                span,
                "not applied",
                notes=(f"it is declared as `{name}({', '.join(map(str, info.args))})`",),
            )
            return unknown(span)
        var = cx.let(ir.MakeSum(name, ()), sum_type, ANYTHING, Level.CONSTANT, span)
        return Value(var, sum_type, span=span)
    if isinstance(decl, ast.ConstDecl):
        return _constant(scope, name, span)
    signature = scope.signature(name)
    if signature is None:
        cx.error("E109", f"`{name}` is a type, not a value", span, "a type")
        return unknown(span)
    if signature.kind == "dist":
        cx.error(
            "E109",
            f"the distribution `{name}` needs its parameters",
            span,
            "not applied",
            notes=(f"its signature is `{signature}`",),
        )
        return unknown(span)
    return reference(cx, scope, name, span)


def _constant(scope: ModuleScope, name: str, span: Span) -> Value | None:
    scope.ensure(name)
    found = scope.parts.constants.get(scope.prefix + name)
    if found is None:
        return unknown(span)
    var, block = found
    result = block.results[0] if block.results else None
    if isinstance(result, ir.Lit) and not block.statements and not isinstance(result.value, str):
        affine = Size.const(result.value) if result.type == INT and isinstance(result.value, int) else None
        return Value(
            ir.Lit(result.value, result.type, span=span),
            result.type,
            var.support,
            span=span,
            affine=affine,
            const=result.value,
        )
    return Value(var, var.type, var.support, var.level, span)


def reference(cx: Context, scope: ModuleScope, name: str, span: Span) -> Value:
    """A fn, model, guide or objective as a value of function type."""
    signature = scope.signature(name)
    assert signature is not None
    if signature.kind == "guide":
        cx.error(
            "E109",
            f"the guide `{name}` must be applied",
            span,
            "not applied",
            helps=(suggestion(f"write `{name}(…)`", span, f"{name}()"),),
        )
        return unknown(span)
    if signature.generics.sizes or any(p.is_size for p in signature.params):
        cx.error(
            "E213",
            f"`{name}` has sizes of its own: it can be applied, but is no value",
            span,
            "which sizes is not known here",
            helps=(Help("wrap it in a lambda that applies it: `fn(x: real[3]) => …`"),),
        )
        return unknown(span)
    scope.ensure(name)
    cx.calls.add(signature.name)
    signature = scope.signature(name) or signature
    result = signature.result if signature.result is not None else UNKNOWN
    params = tuple(p.type for p in signature.params)
    if signature.kind == "model":
        type_: Type = ty.Function(params, ty.Dist(result))
        return Value(ir.ModelRef(signature.name, type_, span=span), type_, span=span)
    type_ = ty.Function(params, result)
    return Value(ir.FunctionRef(signature.name, type_, span=span), type_, span=span)


def _builtin_value(cx: Context, name: str, span: Span) -> Value:
    """A builtin as a function value: of reals, where it is elementwise."""
    scheme = BUILTINS[name].scheme.split(" | ")[0]
    params, _, result = scheme.rpartition(" -> ")
    kinds = [p.strip(" ()") for p in params.split(",")]
    scalars = {"real*": REAL, "num*": REAL, "bool*": BOOL, "int*": INT}
    if all(k in scalars for k in kinds) and result in scalars:
        type_ = ty.Function(tuple(scalars[k] for k in kinds), scalars[result])
        return Value(ir.FunctionRef(name, type_, span=span), type_, span=span)
    cx.error(
        "E109",
        f"the function `{name}` must be applied here",
        span,
        "not applied",
        helps=(Help(f"a lambda makes a value of it: `fn(x: real[3]) => {name}(x)`"),),
    )
    return unknown(span)


def module_member(cx: Context, e: ast.Attribute) -> Value | None:
    """``alias.name`` of an import; None where the base is no import."""
    scope = imported(cx, e.base)
    if scope is None:
        return None
    found = global_value(cx, scope, e.name, e.span)
    if found is not None:
        return found
    near = nearest(e.name, [*scope.decls, *scope.constructors])
    helps = (suggestion(f"did you mean `{near}`?", e.name_span, near),) if near else ()
    cx.error("E104", f"the file imported here has no `{e.name}`", e.name_span, "not declared there", helps=helps)
    return unknown(e.span)


def imported(cx: Context, base: ast.Expr) -> ModuleScope | None:
    if isinstance(base, ast.Name) and cx.peek(base.id) is None and cx.site(base.id) is None:
        return cx.module.imports.get(base.id)
    if isinstance(base, ast.Attribute):
        outer = imported(cx, base.base)
        return outer.imports.get(base.name) if outer else None
    return None


# --- unknown names -------------------------------------------------------------------------------------------------


def unknown_name(cx: Context, name: str, span: Span, role: str, expected: Type | None = None) -> None:
    """``role``: value, call or distribution: the suggestions are names that can stand there, of a type that can be
    ``expected``."""
    what = {"value": "no variable", "call": "no function", "distribution": "no distribution or model"}[role]
    near, note = _suggestion(cx, name, role, expected)
    helps: tuple[Help, ...] = ()
    if near:
        helps = (suggestion(f"did you mean `{near}`?", span, near),)
    elif note:
        helps = (Help(note),)
    cx.error("E101", f"there is {what} named `{name}`", span, "not defined", helps=helps)


def _suggestion(cx: Context, name: str, role: str, expected: Type | None) -> tuple[str | None, str]:
    decls = cx.module.decls
    callables = [
        n
        for n, d in decls.items()
        if isinstance(d, (ast.FnDecl, ast.ExternFnDecl, ast.ModelDecl, ast.ObjectiveDecl, ast.GuideDecl))
    ]
    functions = [b for b in BUILTINS if b.isidentifier() and not BUILTINS[b].internal]
    dists = [*DISTRIBUTIONS, *(n for n, d in decls.items() if isinstance(d, ast.DistDecl))]
    constructors = list(cx.module.constructors)
    if role == "distribution":
        models = [n for n, d in decls.items() if isinstance(d, ast.ModelDecl)]
        locals_ = [n for s in cx.scopes for n, v in s.items() if isinstance(v.value.type, (ty.Dist, ty.Function))]
        return nearest(name, [*models, *locals_, *dists]) or distribution_for(name), ""
    if role == "call":
        if name in FOREIGN_FUNCTIONS:
            return FOREIGN_FUNCTIONS[name] or None, _operators(name)
        locals_ = [n for s in cx.scopes for n, v in s.items() if isinstance(v.value.type, ty.Function)]
        near = nearest(name, [*locals_, *callables, *functions, *constructors, *dists])
        return near or distribution_for(name), ""
    values = [
        *(n for n in cx.visible_names() if _could_be(cx, n, expected)),
        *(n for n, d in decls.items() if isinstance(d, ast.ConstDecl)),
        *CONSTANTS,
        *constructors,
    ]
    functions_here = [n for n, d in decls.items() if isinstance(d, (ast.FnDecl, ast.ExternFnDecl))]
    wanted = expected is None or isinstance(ty.element(expected), ty.Function)
    return nearest(name, values) or (nearest(name, functions_here) if wanted else None), ""


def _could_be(cx: Context, name: str, expected: Type | None) -> bool:
    """Whether the local variable can stand where ``expected`` is needed: numbers for numbers, functions for functions.
    Random variables and sizes are not looked at more closely."""
    local = cx.peek(name)
    if expected is None or local is None or local.value.unknown:
        return True
    have, want = ty.element(local.value.type), ty.element(expected)
    return type(have) is type(want) or (is_numeric(have) and is_numeric(want))


def _operators(name: str) -> str:
    return {
        "square": "write `x^2`",
        "matmul": "the matrix product is `@`",
        "pow": "write `x^y`",
        "power": "write `x^y`",
    }.get(name, "")
