"""Applying the type schemes of builtins (their notation is in ``ppl.compiler.ir.builtins``)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.unify import common_type, describe, is_numeric, plain, promote
from ppl.compiler.check.values import UNKNOWN, Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.record import record
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.builtins import BUILTINS, Builtin
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.types import BOOL, INT, REAL, Type, array, element, shape


@record
class Spec:
    """One argument or result of a scheme: ``num*``, ``T[n, m]``, ``real[..]``, ``index<n>``."""

    base: str
    star: bool = False
    dims: tuple[str, ...] | None = None

    @property
    def any_rank(self) -> bool:
        return self.dims == ("..",)


@dataclass(slots=True)
class _Attempt:
    elements: Type | None = None  # T
    numbers: Type | None = None  # num
    star: tuple[Size, ...] = ()
    star_span: Span | None = None
    sizes: dict[str, Size] = field(default_factory=dict)


@record
class Clash:
    """Two axes that surely differ."""

    left: Size
    right: Size
    span: Span


_SPEC = re.compile(r"([A-Za-z]+)(?:<(\w+)>)?(\*)?(?:\[([^\]]*)\])?")


@cache
def alternatives(scheme: str) -> tuple[tuple[tuple[Spec, ...], Spec], ...]:
    out = []
    for alternative in scheme.split(" | "):
        params, result = alternative.rsplit(" -> ", 1)
        out.append((tuple(_spec(p) for p in re.split(r",\s*(?![^\[]*\])", params.strip()[1:-1])), _spec(result)))
    return tuple(out)


def _spec(text: str) -> Spec:
    m = _SPEC.fullmatch(text.strip())
    assert m is not None, text
    base = m[1] + (f"<{m[2]}>" if m[2] else "")
    return Spec(base, bool(m[3]), tuple(d.strip() for d in m[4].split(",")) if m[4] is not None else None)


def apply(cx: Context, name: str, values: list[Value], span: Span) -> Value:
    """The application of a builtin that has a scheme; operands that do not fit are an error with both sides shown."""
    builtin = BUILTINS[name]
    if any(v.unknown for v in values):
        return unknown(span)
    clash: Clash | None = None
    for params, result in alternatives(builtin.scheme):
        if len(params) != len(values):
            continue
        fit = _try(cx, params, result, values)
        if isinstance(fit, tuple):
            return _emit(cx, builtin, values, fit[0], fit[1], span)
        clash = clash or fit
    _complain(cx, builtin, values, span, clash)
    return unknown(span)


def _try(
    cx: Context, params: tuple[Spec, ...], result: Spec, values: list[Value]
) -> tuple[list[Type], Type] | Clash | None:
    a = _Attempt()
    numeric = [plain(element(v.type)) for p, v in zip(params, values, strict=True) if p.base == "num"]
    if numeric:
        a.numbers = REAL if REAL in numeric else INT
    targets: list[Type] = []
    for p, v in zip(params, values, strict=True):
        fit = _fit(cx, a, p, v)
        if not isinstance(fit, Type):
            return fit
        targets.append(fit)
    return targets, _result(a, result)


def _fit(cx: Context, a: _Attempt, p: Spec, v: Value) -> Type | Clash | None:
    have, axes = element(v.type), shape(v.type)
    if p.base == "T":
        return _fit_any(cx, a, p, v)
    base = {"real": REAL, "int": INT, "bool": BOOL, "num": a.numbers}.get(p.base)
    fine = {"real": is_numeric(have), "num": is_numeric(have), "int": plain(have) == INT, "bool": have == BOOL}[p.base]
    if not fine or base is None:
        return None
    if p.star:
        if axes and a.star_span is None:
            a.star, a.star_span = axes, v.span
        elif axes:
            if len(axes) != len(a.star):
                return Clash(Size.const(len(a.star)), Size.const(len(axes)), v.span)
            for left, right in zip(a.star, axes, strict=True):
                if not cx.require_sizes(left, right, "elementwise operands have equal sizes", v.span):
                    return Clash(left, right, v.span)
    elif p.any_rank:
        if not axes:
            return None
    elif len(axes) != len(p.dims or ()):
        return None
    else:
        clash = _bind(cx, a, p.dims or (), axes, v.span)
        if clash:
            return clash
    return array(base, *axes)


def _bind(cx: Context, a: _Attempt, names: tuple[str, ...], axes: tuple[Size, ...], span: Span) -> Clash | None:
    for n, size in zip(names, axes, strict=False):
        known = a.sizes.setdefault(n, size)
        if not cx.require_sizes(known, size, "axes that meet have equal sizes", span):
            return Clash(known, size, span)
    return None


def _fit_any(cx: Context, a: _Attempt, p: Spec, v: Value) -> Type | Clash | None:
    axes = shape(v.type)
    dims = () if p.dims is None or p.any_rank else p.dims
    if len(axes) < len(dims) or (p.any_rank and not axes):
        return None
    clash = _bind(cx, a, dims, axes, v.span)
    if clash:
        return clash
    rest = array(element(v.type), *axes[len(dims) :])
    if isinstance(rest, ty.SizeType):
        rest = INT
    if a.elements is None:
        a.elements = rest
    else:
        common = common_type(cx, a.elements, rest, v.span, "the arguments")
        if common is None:
            return None
        a.elements = common
    return v.type


def _result(a: _Attempt, r: Spec) -> Type:
    if r.base == "T":
        base: Type = a.elements or UNKNOWN
    elif r.base == "num":
        base = a.numbers or REAL
    elif r.base.startswith("index"):
        base = ty.IndexType(a.sizes["n"])
    else:
        base = {"real": REAL, "int": INT, "bool": BOOL}[r.base]
    if r.star:
        return array(base, *a.star)
    return array(base, *(a.sizes[d] for d in r.dims or ()))


def _emit(cx: Context, builtin: Builtin, values: list[Value], targets: list[Type], result: Type, span: Span) -> Value:
    atoms = tuple(promote(cx, v, t) for v, t in zip(values, targets, strict=True))
    support = rules.apply(builtin.support, [v.support for v in values])
    if element(result) == INT:
        support = rules.as_integers(support)
    level = joined_level(*values)
    var = cx.let(ir.Prim(builtin.name, atoms), result, support, level, span)
    return Value(var, result, support, level, span)


def _complain(cx: Context, builtin: Builtin, values: list[Value], span: Span, clash: Clash | None) -> None:
    name = builtin.name
    secondary = tuple((v.span, f"this is {describe(v.type)}") for v in values)
    if clash is not None and all(is_numeric(element(v.type)) for v in values):
        if (
            clash.left.value is not None
            and len({len(shape(v.type)) for v in values if shape(v.type)}) > 1
            and name != "@"
        ):
            what = "the arrays have different numbers of axes"
        else:
            what = f"the sizes differ: {clash.left} against {clash.right}"
        notes = (
            () if name == "@" else ("arrays in elementwise arithmetic have equal sizes; only a scalar meets any array",)
        )
        cx.error("E202", f"`{name}`: {what}", span, "", secondary, notes, _matrix_product(cx, name, values))
        return
    if len(values) == 1:
        v = values[0]
        cx.error(
            "E201",
            f"`{name}` can't take {describe(v.type)}",
            v.span,
            f"this is {describe(v.type)}",
            notes=_notes(builtin, values),
            helps=_helps(cx, name, values),
        )
        return
    both = " and ".join(describe(v.type) for v in values)
    cx.error(
        "E201",
        f"`{name}` can't take {both}",
        span,
        "",
        secondary,
        _notes(builtin, values),
        _matrix_product(cx, name, values) or _helps(cx, name, values),
    )


def _matrix_product(cx: Context, name: str, values: list[Value]) -> tuple[Help, ...]:
    """Where ``*`` or ``dot`` stands between a matrix and what fits it as a product."""
    if name not in ("*", "dot") or max(len(shape(v.type)) for v in values) != 2:
        return ()
    left, right = values
    if name == "dot" or not (cx.text(left.span) and cx.text(right.span)):
        return (Help("the matrix product is `@`"),)
    between = Span(left.span.file, left.span.end, right.span.start)
    text = cx.text(between)
    edit = (Edit(between, text.replace("*", "@")),) if text.count("*") == 1 and "#" not in text else ()
    return (Help("the matrix product is `@`", edit),)


def _notes(builtin: Builtin, values: list[Value]) -> tuple[str, ...]:
    if any(isinstance(element(v.type), ty.Dist) for v in values):
        return ("a distribution is not one of its draws: draw from it with `~` first",)
    if any(isinstance(element(v.type), ty.Function) for v in values):
        return ("a function must be applied to its arguments first",)
    return (
        (f"`{builtin.name}` has the type {builtin.scheme}",)
        if not builtin.name.isalpha() or len(builtin.scheme) < 60
        else ()
    )


def _helps(cx: Context, name: str, values: list[Value]) -> tuple[Help, ...]:
    if any(element(v.type) == BOOL for v in values) and name not in ("and", "or", "not"):
        return (Help("a bool is not a number: `where(c, 1, 0)` makes one"),)
    if name in ("and", "or", "not"):
        return (Help("`and`, `or` and `not` take bools: compare numbers first, for example `x > 0`"),)
    return ()
