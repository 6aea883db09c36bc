"""Distributions: arguments, batch and event axes, the type and support of what is drawn."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from ppl.compiler.check import combinators
from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.arguments import bind, shown, support_fits
from ppl.compiler.check.constants import constant_vector
from ppl.compiler.check.context import Context
from ppl.compiler.check.declared_support import wider_than_needed
from ppl.compiler.check.module import ModuleScope, Signature
from ppl.compiler.check.typeexprs import size_of
from ppl.compiler.check.unify import Instance, describe, is_numeric, match, plain, promote
from ppl.compiler.check.values import DistFacts, Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.distributions import DistParam, DistSignature
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import Finite, Integers, Interval, Structured, Support
from ppl.compiler.ir.types import BOOL, INT, REAL, Type, array, element, shape
from ppl.compiler.syntax import ast


def distribution(cx: Context, d: DistSignature, e: ast.Call) -> Value:
    """A primitive distribution or combinator applied."""
    params = [(p.name, p.optional) for p in d.params]
    bound = bind(cx, str(d), params, e.args, e.span, e.function.span)
    if bound is None:
        from ppl.compiler.check.expressions import check

        for a in e.args:
            check(cx, a.value)
        return unknown(e.span)
    if d.combinator:
        return combinators.combinator(cx, d, bound, e)
    args: dict[str, Value] = {}
    for p in d.params:
        if p.name in bound:
            args[p.name] = _argument(cx, d, p, bound[p.name])
    if any(v.unknown for v in args.values()):
        return replace(unknown(e.span), level=joined_level(*args.values()))
    shapes = _axes(cx, d, args, e)
    if shapes is None:
        return unknown(e.span)
    batch, event = shapes
    _constants(cx, d, bound, args)
    value = array(_scalar(d, args, event), *batch, *(event if d.event else ()))
    support = _support(cx, d, args, bound)
    discrete = d.discrete if d.name != "Delta" else element(value) != REAL
    facts = DistFacts(
        d.name,
        len(event) if d.event else 0,
        discrete,
        atom=d.name == "Delta" and not discrete,
        density=not discrete and d.name != "Delta",
        improper=d.improper,
        dynamic=bool(getattr(support, "dynamic", False)),
        arguments=tuple(args.items()),
    )
    return make(cx, d.name, {p.name: args[p.name] for p in d.params if p.name in args}, value, facts, support, e)


def make(
    cx: Context,
    name: str,
    args: dict[str, Value],
    value: Type,
    facts: DistFacts,
    support: Support,
    e: ast.Expr,
    sizes=(),
) -> Value:
    type_ = ty.Dist(value, facts.event)
    level = joined_level(*args.values())
    op = ir.MakeDist(name, tuple((n, v.atom) for n, v in args.items()), (), sizes)
    return Value(
        cx.let(op, type_, support, level, e.span, name[0].lower() + name[1:]), type_, support, level, e.span, dist=facts
    )


def _argument(cx: Context, d: DistSignature, p: DistParam, expr: ast.Expr) -> Value:
    from ppl.compiler.check.expressions import check

    if p.kind == "size":
        size = size_of(cx, expr, f"the argument `{p.name}` of `{d.name}`")
        return unknown(expr.span) if size is None else cx.size_value(size, expr.span)
    hint = REAL if d.name != "Delta" else None
    value = check(cx, expr, array(REAL, *(Size.const(0),) * p.axes) if p.axes else hint)
    if value.unknown:
        return value
    what = f"the argument `{p.name}` of `{d.name}`"
    if d.name == "Delta":
        return _plain(value)
    have = element(value.type)
    wanted = INT if p.kind == "int" else REAL
    if not is_numeric(have) or (wanted == INT and plain(have) == REAL):
        _wrong_kind(cx, d, p, value, what, wanted)
        return unknown(expr.span)
    if len(shape(value.type)) < p.axes:
        kind = "a vector" if p.axes == 1 else "a matrix"
        helps = (
            (Help("a matrix of the variances of independent entries is `diag(v)`"),)
            if p.axes == 2 and shape(value.type)
            else ()
        )
        cx.error(
            "E201",
            f"{what} must be {kind}, not {describe(value.type)}",
            value.span,
            f"this is {describe(value.type)}",
            notes=(f"the signature is `{d}`",),
            helps=helps,
        )
        return unknown(expr.span)
    keep = d.name == "Discrete" and p.name == "values"
    if not keep and wanted == REAL:
        value = replace(
            value, atom=promote(cx, value, array(REAL, *shape(value.type))), type=array(REAL, *shape(value.type))
        )
    if support_fits(cx, value, p.support, what, "E401"):
        wider_than_needed(cx, expr, p.support, what)
    return _plain(value)


def _plain(v: Value) -> Value:
    return replace(v, type=plain(v.type)) if is_numeric(element(v.type)) else v


def _wrong_kind(cx: Context, d: DistSignature, p: DistParam, value: Value, what: str, wanted: Type) -> None:
    helps: tuple[Help, ...] = ()
    notes: tuple[str, ...] = (f"the signature is `{d}`",)
    if isinstance(element(value.type), ty.Dist):
        notes = ("a distribution is not one of its draws: draw from it first, then use the draw",)
    elif element(value.type) == BOOL:
        helps = (Help("a bool is not a number: `where(c, 1, 0)` makes one"),)
    article = "an int" if wanted == INT else "a real"
    cx.error(
        "E201",
        f"{what} must be {article}, not {describe(value.type)}",
        value.span,
        f"this is {describe(value.type)}",
        notes=notes,
        helps=helps,
    )


def _axes(
    cx: Context, d: DistSignature, args: dict[str, Value], e: ast.Call
) -> tuple[tuple[Size, ...], tuple[Size, ...]] | None:
    """Batch and event axes; an error where arguments do not agree."""
    batch: tuple[Size, ...] = ()
    batch_of: Value | None = None
    event: Size | None = None
    event_of: Value | None = None
    for p in d.params:
        v = args.get(p.name)
        if v is None or p.kind == "size":
            continue
        axes = shape(v.type)
        own, lead = axes[len(axes) - p.axes :], axes[: len(axes) - p.axes]
        for n in own:
            if d.name == "OrderedLogistic":
                event, event_of = n, v
            elif event is None:
                event, event_of = n, v
            elif not cx.require_sizes(event, n, f"the arguments of {d.name} have one size", v.span):
                _disagree(cx, d, event, n, event_of, v, e)
                return None
        if lead and batch_of is None:
            batch, batch_of = lead, v
        elif lead:
            if len(lead) != len(batch):
                _disagree(cx, d, None, None, batch_of, v, e)
                return None
            for a, b in zip(batch, lead, strict=True):
                if not cx.require_sizes(a, b, f"the array arguments of {d.name} have one size", v.span):
                    _disagree(cx, d, a, b, batch_of, v, e)
                    return None
    sizes = tuple(
        args[n].affine if (known := d.param(n)) is not None and known.kind == "size" else event for n in d.event
    )
    if d.event:
        return batch, tuple(s for s in sizes if s is not None)
    return batch, (event,) if event is not None else ()


def _disagree(
    cx: Context, d: DistSignature, a: Size | None, b: Size | None, first: Value | None, second: Value, e: ast.Call
) -> None:
    what = f"{a} against {b}" if a is not None else "different numbers of axes"
    secondary = tuple((v.span, f"this is {v.type}") for v in (first, second) if v is not None)
    cx.error(
        "E202",
        f"the arguments of `{d.name}` differ in size: {what}",
        e.span,
        "",
        secondary,
        ("array arguments are elementwise: they have equal sizes, or are scalars",),
    )


def _scalar(d: DistSignature, args: dict[str, Value], event: tuple[Size, ...]) -> Type:
    match d.value:
        case "index":
            return ty.IndexType(event[0])
        case "index+1":
            return ty.IndexType(event[0] + 1)
        case "as x":
            v = args["x"]
            return v.type
        case "as values":
            return element(args["values"].type)
    return {"real": REAL, "int": INT, "bool": BOOL}[d.value]


def _support(cx: Context, d: DistSignature, args: dict[str, Value], bound: dict[str, ast.Expr]) -> Support:
    match d.support_rule:
        case "between":
            return _between(cx, d, args["low"], args["high"])
        case "above":
            scale = args["scale"]
            return Interval(max(0.0, rules.interval(scale.support).lower), dynamic=scale.const is None)
        case "upto":
            n = args["n"]
            if n.const is not None:
                return Integers(0, int(n.const))
            return Integers(0, None, dynamic=True)
        case "index":
            vector = next(args[n] for n in ("p", "logits", "cutpoints") if n in args)
            kind = _scalar(d, args, shape(vector.type)[-1:])
            assert isinstance(kind, ty.IndexType)
            return Integers(0, _known(kind.size - 1))
        case "values":
            name = "x" if d.name == "Delta" else "values"
            constants = constant_vector(bound[name]) if name == "values" else None
            return (
                Finite(tuple(sorted(set(constants))))
                if constants
                else rules.scaled(args[name].support)
                if name == "values"
                else args[name].support
            )
    return d.support


def _known(size: Size) -> int | Size:
    """The number, if the size is one."""
    return size.value if size.value is not None else size


def _between(cx: Context, d: DistSignature, low: Value, high: Value) -> Support:
    a, b = rules.interval(low.support), rules.interval(high.support)
    if not d.discrete:
        return Interval(a.lower, b.upper, dynamic=low.const is None or high.const is None)
    first, last = cx.static_size(low), cx.static_size(high)
    if first is not None and last is not None:
        return Integers(
            first.value if first.value is not None else first, last.value if last.value is not None else last
        )
    lower, upper = (None if abs(x) == inf else int(x) for x in (a.lower, b.upper))
    return Integers(lower, upper, True)


def _constants(cx: Context, d: DistSignature, bound: dict[str, ast.Expr], args: dict[str, Value]) -> None:
    """Mistakes that the constant arguments show: a simplex that does not sum to 1, bounds in the wrong order."""
    for p in d.params:
        if p.name not in bound or not isinstance(p.support, Structured):
            continue
        numbers = constant_vector(bound[p.name])
        if numbers is None:
            continue
        what = f"the argument `{p.name}` of `{d.name}`"
        if p.support.name == "simplex" and (min(numbers) < 0 or abs(sum(numbers) - 1) > 1e-6):
            cx.error(
                "E401",
                f"{what} must be a simplex: entries of at least 0 that sum to 1",
                bound[p.name].span,
                f"the sum is {sum(numbers):g}",
            )
        if p.support.name == "ordered" and any(a >= b for a, b in zip(numbers, numbers[1:], strict=False)):
            cx.error("E401", f"{what} must be in increasing order", bound[p.name].span, "not increasing")
    if d.support_rule == "between":
        ordered_bounds(cx, d.name, args["low"], args["high"], strict=not d.discrete)


def ordered_bounds(cx: Context, name: str, low: Value, high: Value, strict: bool) -> bool:
    """An error if no value lies between the bounds."""
    a, b = rules.interval(low.support), rules.interval(high.support)
    if a.lower < b.upper or (a.lower == b.upper and (not strict or a.lower == inf)):
        return True
    secondary = ((low.span, f"this is {shown(low)}"),)
    help_ = Help("give the lower bound first")
    message = f"the bounds of `{name}` leave no value"
    cx.error("E404", message, high.span, f"this is {shown(high)}", secondary, helps=(help_,))
    return False


# --- user distributions ---------------------------------------------------------------------------------------------


def user(cx: Context, scope: ModuleScope, signature: Signature, e: ast.Call) -> Value:
    """A ``dist`` declaration applied. Scalar parameters are elementwise over arrays, as those of the language are."""
    from ppl.compiler.check.calls import instantiate, solved_sizes
    from ppl.compiler.check.expressions import check, mismatch

    scope.ensure(signature.name.rsplit(".", 1)[-1])
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
        return unknown(e.span)
    instance: Instance = instantiate(cx, signature, None, e)
    args: dict[str, Value] = {}
    batch: tuple[Size, ...] = ()
    for p in sorted(signature.params, key=lambda p: not p.is_size):
        if p.name not in bound:
            continue
        if p.is_size:
            size = size_of(cx, bound[p.name], f"the argument `{p.name}`") or Size.var("?")
            instance.sizes[p.name] = size
            args[p.name] = cx.size_value(size, bound[p.name].span)
            continue
        value = check(cx, bound[p.name], instance.apply(p.type))
        extra = shape(value.type)[: max(0, len(shape(value.type)) - len(shape(p.type)))]
        one = array(element(value.type), *shape(value.type)[len(extra) :])
        if not value.unknown and not match(cx, p.type, one, instance, f"the argument `{p.name}`"):
            mismatch(
                cx,
                value,
                instance.apply(p.type),
                f"the argument `{p.name}`",
                "E201",
                ((p.span, f"declared as {p.type}"),),
            )
            value = unknown(value.span)
        if (
            extra
            and batch
            and (
                len(extra) != len(batch)
                or not all(
                    cx.require_sizes(a, b, "array arguments have one size", e.span)
                    for a, b in zip(batch, extra, strict=True)
                )
            )
        ):
            cx.error(
                "E202",
                f"the array arguments of `{signature.name}` differ in size",
                e.span,
                "",
                notes=("array arguments are elementwise",),
            )
        batch = batch or extra
        if not value.unknown:
            value = replace(value, atom=promote(cx, value, array(element(p.type), *shape(value.type))))
            support_fits(
                cx,
                value,
                p.support,
                f"the argument `{p.name}` of `{signature.name}`",
                "E401",
                ((p.span, "declared here"),),
            )
        args[p.name] = value
    broken = instance.finish(cx, e.span)
    for pattern, actual, what in broken:
        cx.error(
            "E202",
            f"sizes differ: {what} gives {actual}, but {pattern} is needed",
            e.span,
            "",
            ((signature.span, "declared here"),),
        )
    sizes = solved_sizes(cx, signature, instance, e)
    if sizes is None or broken or any(v.unknown for v in args.values()) or signature.result is None:
        return unknown(e.span)
    event = instance.apply(signature.result)
    discrete = plain(element(event)) != REAL
    facts = DistFacts(signature.name, len(shape(event)), discrete, density=not discrete, arguments=tuple(args.items()))
    args = {p.name: args[p.name] for p in signature.params if p.name in args}
    return make(cx, signature.name, args, array(event, *batch), facts, signature.result_support, e, sizes)
