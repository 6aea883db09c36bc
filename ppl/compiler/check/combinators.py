"""Combinators: distributions made of distributions."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.typeexprs import size_of
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import UNKNOWN, DistFacts, Value, unknown
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.distributions import DistSignature
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, REALS, UNIT_INTERVAL, Integers, Interval, Structured, Support
from ppl.compiler.ir.types import REAL, array, element, shape
from ppl.compiler.syntax import ast


def combinator(cx: Context, d: DistSignature, bound: dict[str, ast.Expr], e: ast.Call) -> Value:
    if d.name == "mixture":
        return _mixture(cx, d, bound, e)
    inner = _inner(cx, d, bound["D"])
    if inner.unknown:
        for name, expr in bound.items():
            if name != "D":
                _anything(cx, expr)
        return unknown(e.span)
    return {
        "iid": _iid,
        "truncated": _truncated,
        "ordered": _ordered,
        "transformed": _transformed,
        "ZeroInflated": _zero_inflated,
    }[d.name](cx, inner, bound, e)


def _anything(cx: Context, expr: ast.Expr) -> None:
    from ppl.compiler.check.expressions import check

    check(cx, expr)


def _inner(cx: Context, d: DistSignature, expr: ast.Expr) -> Value:
    from ppl.compiler.check.expressions import check

    value = check(cx, expr)
    if value.unknown or isinstance(value.type, ty.Dist):
        return value
    cx.error(
        "E201",
        f"the argument `D` of `{d.name}` must be a distribution, not {describe(value.type)}",
        value.span,
        f"this is {describe(value.type)}",
        notes=(f"the signature is `{d}`",),
    )
    return unknown(expr.span)


def _facts(v: Value) -> DistFacts:
    return v.dist or DistFacts()


def _value_type(v: Value):
    assert isinstance(v.type, ty.Dist)
    return v.type.value


def _make(
    cx: Context, name: str, args: dict[str, Value], value, facts: DistFacts, support: Support, e: ast.Expr
) -> Value:
    from ppl.compiler.check.distribution_calls import make

    return make(cx, name, args, value, facts, support, e)


def _iid(cx: Context, inner: Value, bound: dict[str, ast.Expr], e: ast.Call) -> Value:
    n = size_of(cx, bound["n"], "the number of copies")
    if n is None:
        return unknown(e.span)
    value = array(_value_type(inner), n)
    facts = replace(_facts(inner), name="iid", event=len(shape(value)), arguments=(("D", inner),), model=None)
    return _make(cx, "iid", {"D": inner, "n": cx.size_value(n, bound["n"].span)}, value, facts, inner.support, e)


def _truncated(cx: Context, inner: Value, bound: dict[str, ast.Expr], e: ast.Call) -> Value:
    from ppl.compiler.check.distribution_calls import ordered_bounds
    from ppl.compiler.check.expressions import check, conform

    args = {"D": inner}
    kind = element(_value_type(inner))
    for b in ("lower", "upper"):
        if b in bound:
            v = check(cx, bound[b])
            target = array(REAL, *shape(v.type)) if kind == REAL and not v.unknown else v.type
            args[b] = conform(cx, v, target, f"the bound `{b}`")
    if len(args) == 1:
        cx.error(
            "E203",
            "`truncated` needs `lower` or `upper`",
            e.span,
            "no bound",
            notes=("its signature is `truncated(D, lower=, upper=)`",),
        )
    if any(v.unknown for v in args.values()):
        return unknown(e.span)
    facts = _facts(inner)
    if kind not in (REAL, ty.INT) or facts.event not in (0, None):
        cx.error(
            "E201",
            f"only a distribution over numbers can be truncated, not one over {_value_type(inner)}",
            inner.span,
            "",
        )
        return unknown(e.span)
    both = "lower" in args and "upper" in args
    if both and not ordered_bounds(cx, "truncated", args["lower"], args["upper"], strict=kind == REAL):
        return unknown(e.span)
    own = rules.interval(inner.support)
    low = max(own.lower, rules.interval(args["lower"].support).lower) if "lower" in args else own.lower
    high = min(own.upper, rules.interval(args["upper"].support).upper) if "upper" in args else own.upper
    if low > high:
        cx.error(
            "E404",
            "the bounds leave no value of the distribution",
            e.span,
            "empty",
            ((inner.span, f"its values are {inner.support}"),),
        )
        return unknown(e.span)
    dynamic = any(args[b].const is None for b in ("lower", "upper") if b in args)
    if kind == REAL:
        support: Support = Interval(
            low, high, own.lower_open and low == own.lower, own.upper_open and high == own.upper, dynamic
        )
    else:
        ends = [None if abs(x) == inf else int(x) for x in (low, high)]
        support = Integers(ends[0], ends[1], dynamic)
    axes = max((shape(v.type) for n, v in args.items() if n != "D"), key=len, default=())
    value = _value_type(inner) if shape(_value_type(inner)) else array(_value_type(inner), *axes)
    facts = replace(facts, name="truncated", dynamic=dynamic, arguments=tuple(args.items()), model=None)
    return _make(cx, "truncated", args, value, facts, support, e)


def _ordered(cx: Context, inner: Value, bound: dict[str, ast.Expr], e: ast.Call) -> Value:
    n = size_of(cx, bound["K"], "the number of ordered draws")
    if n is None:
        return unknown(e.span)
    if _value_type(inner) != REAL:
        cx.error(
            "E201",
            f"`ordered` takes a distribution over reals, not over {_value_type(inner)}",
            inner.span,
            f"over {_value_type(inner)}",
        )
        return unknown(e.span)
    positive = rules.interval(inner.support).lower >= 0
    support = Structured("positive_ordered" if positive else "ordered")
    facts = DistFacts("ordered", 1, False, density=True, arguments=(("D", inner),))
    return _make(cx, "ordered", {"D": inner, "K": cx.size_value(n, bound["K"].span)}, array(REAL, n), facts, support, e)


def _transformed(cx: Context, inner: Value, bound: dict[str, ast.Expr], e: ast.Call) -> Value:
    from ppl.compiler.check.closures import closure
    from ppl.compiler.check.expressions import check, conform

    have = _value_type(inner)
    one = element(have) if _facts(inner).event in (0, None) else have
    f = bound["f"]
    if isinstance(f, ast.Lambda):
        function = closure(cx, f, ty.Function((one,), UNKNOWN), supports=(inner.support,))
    else:
        function = check(cx, f, ty.Function((one,), UNKNOWN))
    if function.unknown:
        return unknown(e.span)
    if not isinstance(function.type, ty.Function) or len(function.type.params) != 1:
        cx.error(
            "E201",
            f"the argument `f` of `transformed` must be a function of one value, not {describe(function.type)}",
            function.span,
            "",
        )
        return unknown(e.span)
    conform(
        cx,
        Value(function.atom, ty.Function(function.type.params, UNKNOWN), span=function.span),
        ty.Function((one,), UNKNOWN),
        "the argument `f`",
    )
    support = function.support
    if isinstance(function.atom, ir.FunctionRef):
        from ppl.compiler.ir.builtins import BUILTINS

        b = BUILTINS.get(function.atom.name)
        support = rules.apply(b.support, [inner.support]) if b is not None else support
    result = function.type.result
    value = array(result, *shape(have)) if one == element(have) else result
    facts = replace(_facts(inner), name="transformed", arguments=(("D", inner),), model=None)
    return _make(
        cx, "transformed", {"D": inner, "f": function}, value, facts, support if support != ANYTHING else REALS, e
    )


def _zero_inflated(cx: Context, inner: Value, bound: dict[str, ast.Expr], e: ast.Call) -> Value:
    from ppl.compiler.check.arguments import support_fits
    from ppl.compiler.check.expressions import check, conform

    p = check(cx, bound["p"])
    if p.unknown:
        return unknown(e.span)
    p = conform(cx, p, array(REAL, *shape(p.type)), "the argument `p` of `ZeroInflated`")
    support_fits(cx, p, UNIT_INTERVAL, "the argument `p` of `ZeroInflated`", "E401")
    have = _value_type(inner)
    if element(have) == REAL:
        cx.error(
            "E313",
            "a zero-inflated continuous distribution mixes an atom and a density",
            inner.span,
            "this has a density",
            notes=("`ZeroInflated` adds probability at 0 to a distribution over counts",),
        )
        return unknown(e.span)
    value = have if shape(have) else array(have, *shape(p.type))
    support = rules.join(inner.support, Integers(0, 0))
    facts = replace(_facts(inner), name="ZeroInflated", arguments=(("p", p), ("D", inner)), model=None)
    return _make(cx, "ZeroInflated", {"p": p, "D": inner}, value, facts, support, e)


def _mixture(cx: Context, d: DistSignature, bound: dict[str, ast.Expr], e: ast.Call) -> Value:
    from ppl.compiler.check.arguments import support_fits
    from ppl.compiler.check.constants import constant_vector
    from ppl.compiler.check.expressions import check, conform

    weights = check(cx, bound["weights"])
    components = check(cx, bound["D"])
    if weights.unknown or components.unknown:
        return unknown(e.span)
    if not shape(weights.type):
        cx.error(
            "E201",
            f"the weights of a mixture must be a simplex, not {describe(weights.type)}",
            weights.span,
            f"this is {describe(weights.type)}",
        )
        return unknown(e.span)
    weights = conform(cx, weights, array(REAL, *shape(weights.type)), "the weights of a mixture")
    numbers = constant_vector(bound["weights"])
    if numbers is not None and (min(numbers) < 0 or abs(sum(numbers) - 1) > 1e-6):
        cx.error(
            "E401",
            "the weights of a mixture must be a simplex: entries of at least 0 that sum to 1",
            weights.span,
            f"the sum is {sum(numbers):g}",
        )
    else:
        support_fits(cx, weights, UNIT_INTERVAL, "each weight of a mixture", "E401")
    count = shape(weights.type)[-1]
    of = _components(cx, components, e)
    if of is None:
        return unknown(e.span)
    value, number, facts = of
    if not cx.require_sizes(count, number, "a mixture has a weight for each component", e.span):
        cx.error(
            "E202",
            f"{count} weights for {number} components",
            e.span,
            "",
            ((weights.span, f"this is {weights.type}"), (components.span, "the components")),
        )
        return unknown(e.span)
    batch = shape(weights.type)[:-1]
    value = array(value, *batch) if batch and not shape(value) else value
    facts = replace(facts, name="mixture", arguments=(("weights", weights), ("D", components)), model=None)
    if facts.atom and facts.density:
        _mixed(cx, e, components)
    return _make(cx, "mixture", {"weights": weights, "D": components}, value, facts, components.support, e)


def _mixed(cx: Context, e: ast.Call, components: Value) -> None:
    cx.error(
        "E313",
        "a mixture of an atom and a density has no density",
        e.span,
        "mixed measure",
        ((components.span, "`Delta` beside a continuous distribution"),),
        ("the probability of a point and the density of a continuum can't be added",),
    )


def _components(cx: Context, v: Value, e: ast.Call) -> tuple[ty.Type, Size, DistFacts] | None:
    """What one component is over, how many there are, and the facts of the mixture."""
    if isinstance(v.type, ty.Array) and isinstance(v.type.element, ty.Dist):
        return v.type.element.value, v.type.shape[0], v.dist or DistFacts()
    if not isinstance(v.type, ty.Dist):
        cx.error(
            "E201",
            f"the components of a mixture must be distributions, not {describe(v.type)}",
            v.span,
            f"this is {describe(v.type)}",
        )
        return None
    facts = _facts(v)
    axes = shape(v.type.value)
    lead = len(axes) - (facts.event or 0)
    if lead < 1:
        cx.error(
            "E201",
            "a mixture needs several components",
            v.span,
            "a single distribution",
            notes=("give array arguments, one entry a component, or a list: `mixture(w, [D1, D2])`",),
        )
        return None
    return array(element(v.type.value), *axes[: lead - 1], *axes[lead:]), axes[lead - 1], facts
