"""Type expressions to types, supports and whether entries may be missing."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.suggest import nearest
from ppl.compiler.check.values import UNKNOWN, Value
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.record import record
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import (
    ANYTHING,
    BOOLEANS,
    INTEGERS,
    NONNEGATIVE,
    REALS,
    UNIT_INTERVAL,
    Integers,
    Interval,
    Product,
    Structured,
    Support,
)
from ppl.compiler.ir.types import BOOL, INT, REAL, SizeType, Type, array
from ppl.compiler.syntax import ast

POS = NONNEGATIVE  # `pos` is real<lower=0>
_SCALARS: dict[str, tuple[Type, Support]] = {
    "real": (REAL, REALS),
    "int": (INT, INTEGERS),
    "bool": (BOOL, BOOLEANS),
    "pos": (REAL, POS),
    "prob": (REAL, UNIT_INTERVAL),
    "size": (SizeType(), Integers(lower=0)),
    "string": (ty.STRING, ANYTHING),
}
_VECTORS = ("simplex", "ordered", "positive_ordered")
_MATRICES = ("cov", "corr", "chol_cov", "chol_corr")
_APPLIED = ("index", "Dist", "Target", "Guide")
TYPE_NAMES = (*_SCALARS, *_VECTORS, *_MATRICES, *_APPLIED)
_FOREIGN = {
    "float": "real",
    "vector": "real[n]",
    "matrix": "real[n, m]",
    "double": "real",
    "boolean": "bool",
    "positive": "pos",
    "probability": "prob",
    "integer": "int",
    "cholesky_factor_corr": "chol_corr",
    "cov_matrix": "cov",
    "Real": "real",
    "corr_matrix": "corr",
    "unit_vector": "real[n]",
    "natural": "int",
    "nat": "int",
    "number": "real",
}


@record
class Declared:
    """A declared type; ``bounded``: says more than the bare type of its values."""

    type: Type
    support: Support = ANYTHING
    missing: bool = False


_BAD = Declared(UNKNOWN)
Evaluate = Callable[[Context, ast.Expr], Value]


def declared(cx: Context, t: ast.TypeExpr) -> Declared:
    """What a type expression says. Sizes in it may use every size in scope."""
    match t:
        case ast.NamedType():
            return _named(cx, t)
        case ast.ArrayType():
            return _array(cx, t)
        case ast.MissingType(element):
            inner = declared(cx, element)
            return Declared(inner.type, inner.support, True)
        case ast.TupleType(elements):
            parts = [declared(cx, e) for e in elements]
            return Declared(ty.Tuple(tuple(p.type for p in parts)), Product(tuple(p.support for p in parts)))
        case ast.RecordType(fields):
            named = [(n, declared(cx, e)) for n, e in fields]
            return Declared(
                ty.Record(tuple((n, p.type) for n, p in named)), Product(tuple(p.support for _, p in named))
            )
        case ast.FnType(params, result):
            return Declared(ty.Function(tuple(declared(cx, p).type for p in params), declared(cx, result).type))
        case ast.SumType():
            cx.error(
                "E212",
                "a sum type is declared by `type`",
                t.span,
                "not a type on its own",
                notes=("constructors belong to a named type: `type Shape = | Circle(real) | Point`",),
            )
    return _BAD


def _named(cx: Context, t: ast.NamedType) -> Declared:
    name = t.name
    if name in _SCALARS and not t.args:
        type_, support = _SCALARS[name]
        return Declared(type_, _bounds(cx, t, support) if t.bounds else support)
    if name == "index":
        return _index(cx, t)
    if name in ("Dist", "Target", "Guide"):
        if len(t.args) != 1 or not isinstance(t.args[0], ast.TypeExpr):
            cx.error("E212", f"`{name}` needs one type", t.span, f"write `{name}<…>`")
            return _BAD
        if name == "Dist":
            return Declared(ty.Dist(declared(cx, t.args[0]).type))
        argument = t.args[0]
        trace = ty.Trace(argument.name if isinstance(argument, ast.NamedType) else "?")
        return Declared(ty.Target(trace) if name == "Target" else ty.Guide(trace))
    if name in _VECTORS or name in _MATRICES:
        cx.error(
            "E212",
            f"`{name}` needs its size",
            t.span,
            "no size",
            helps=(suggestion(f"write `{name}[K]`", t.span, f"{name}[K]"),),
        )
        return _BAD
    if name in cx.generics.traces:
        return Declared(ty.Trace(name))
    found = cx.module.type_named(name)
    if found is not None:
        return found
    return _unknown_type(cx, t)


def _unknown_type(cx: Context, t: ast.NamedType) -> Declared:
    helps: tuple[Help, ...] = ()
    alias = t.name.partition(".")[0]
    if alias != t.name and isinstance(cx.module.decls.get(alias), ast.Import) and alias not in cx.module.imports:
        return _BAD  # reported where it is imported
    near = _FOREIGN.get(t.name) or nearest(t.name, [*TYPE_NAMES, *cx.module.type_names()])
    if near:
        helps = (suggestion(f"did you mean `{near}`?", t.span, near),)
    cx.error("E103", f"there is no type `{t.name}`", t.span, "unknown type", helps=helps)
    return _BAD


def _index(cx: Context, t: ast.NamedType) -> Declared:
    if len(t.args) == 1:
        argument = t.args[0]
        if isinstance(argument, ast.NamedType):
            argument = ast.Name(argument.name, span=argument.span)
        if isinstance(argument, ast.Expr):
            size = size_of(cx, argument, "the size of an index type")
            return _BAD if size is None else Declared(ty.IndexType(size), Integers(0, size - 1))
    cx.error("E212", "`index` needs one size", t.span, "write `index<K>`")
    return _BAD


def _bounds(cx: Context, t: ast.NamedType, base: Support) -> Support:
    from ppl.compiler.check.expressions import check

    lower, upper, dynamic = None, None, False
    for which, expr in t.bounds:
        value = check(cx, expr)
        if which not in ("lower", "upper"):
            cx.error("E212", f"a bound is `lower` or `upper`, not `{which}`", expr.span, "unknown bound")
        elif value.const is None:
            dynamic = True
        elif which == "lower":
            lower = value.const
        else:
            upper = value.const
    if lower is not None and upper is not None and lower >= upper:
        cx.error("E212", f"the bounds are in the wrong order: {lower} is not below {upper}", t.span, "no value fits")
        return base
    if t.name == "int":
        return Integers(None if lower is None else int(lower), None if upper is None else int(upper), dynamic)
    base_lower = base.lower if isinstance(base, Interval) else -inf
    base_upper = base.upper if isinstance(base, Interval) else inf
    return Interval(
        max(base_lower, float(lower)) if lower is not None else base_lower,
        min(base_upper, float(upper)) if upper is not None else base_upper,
        dynamic=dynamic,
    )


def _array(cx: Context, t: ast.ArrayType) -> Declared:
    dims = [size_of(cx, d, "the size of an axis") for d in t.dims]
    element = t.element
    missing = False
    if isinstance(element, ast.MissingType):
        element, missing = element.element, True
    if isinstance(element, ast.NamedType) and element.name in _VECTORS + _MATRICES:
        if any(d is None for d in dims):
            return _BAD
        return _structured(cx, t, element.name, [d for d in dims if d is not None], missing)
    inner = declared(cx, element)
    if any(d is None for d in dims) or inner.type == UNKNOWN:
        return _BAD
    return Declared(array(inner.type, *[d for d in dims if d is not None]), inner.support, missing or inner.missing)


def _structured(cx: Context, t: ast.ArrayType, name: str, dims: list[Size], missing: bool) -> Declared:
    if name in _VECTORS:
        return Declared(array(REAL, *dims), Structured(name), missing)
    # cov[K] is K × K; cov[N, K] an array of N of them
    return Declared(array(REAL, *dims, dims[-1]), Structured(name), missing)


def size_of(cx: Context, expr: ast.Expr, what: str) -> Size | None:
    """The static size that an expression stands for; an error where it is none."""
    from ppl.compiler.check.expressions import check

    value = check(cx, expr)
    if value.unknown:
        return None
    size = cx.static_size(value)
    if size is not None:
        if (-size - 1).provably_nonnegative():
            cx.error("E206", f"{what} can't be negative: `{size}`", expr.span, "negative size")
            return None
        return size
    not_static(cx, value, expr, what)
    return None


def not_static(cx: Context, value: Value, expr: ast.Expr, what: str) -> None:
    from ppl.compiler.ir.nodes import Level

    if value.level >= Level.DISCRETE:
        name = value.origin or cx.text(expr.span)
        site = cx.site(value.origin) if value.origin else None
        cx.error(
            "E206",
            f"{what} depends on the random variable `{name}`"
            if value.origin
            else f"{what} depends on a random variable",
            expr.span,
            "random",
            ((site.span, f"`{name}` is drawn here"),) if site else (),
            notes=("sizes are fixed when the program is compiled, before anything is drawn",),
        )
        return
    if value.affine is not None:
        cx.error(
            "E206",
            f"{what} changes from iteration to iteration",
            expr.span,
            "depends on a loop index",
            notes=("sizes are fixed when the program is compiled",),
        )
        return
    if value.type not in (INT, SizeType()) and not isinstance(value.type, ty.IndexType):
        cx.error("E206", f"{what} must be a size, not a value of type {value.type}", expr.span, f"this is {value.type}")
        return
    helps: tuple[Help, ...] = ()
    if isinstance(expr, ast.Name) and (local := cx.peek(expr.id)) is not None and local.kind == "parameter":
        written = cx.parameter_types.get(expr.id)
        if isinstance(written, ast.NamedType):
            helps = (suggestion(f"declare `{expr.id}: size`", written.span, "size"),)
    cx.error(
        "E206",
        f"{what} must be static",
        expr.span,
        "known only when the program runs",
        notes=("a static size is made of size variables, `size` parameters, `length(…)` and numbers with `+ - *`",),
        helps=helps,
    )
