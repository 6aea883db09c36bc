"""Calls of builtin functions: keywords, those whose shape is an argument, and the higher-order ones."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import operators
from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.arguments import bind
from ppl.compiler.check.context import Context
from ppl.compiler.check.typeexprs import size_of
from ppl.compiler.check.unify import common_type, describe, promote
from ppl.compiler.check.values import UNKNOWN, Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.builtins import BUILTINS
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, COUNTS, REALS, Structured
from ppl.compiler.ir.types import INT, REAL, Type, array, shape
from ppl.compiler.syntax import ast

_SMOOTH_DOMAINS = {"log": "0 or below has no logarithm", "sqrt": "a negative number has no root"}


def builtin(cx: Context, e: ast.Call, name: str) -> Value:
    special = _SPECIAL.get(name)
    if special is not None:
        return special(cx, e)
    from ppl.compiler.check.expressions import check

    b = BUILTINS[name]
    if name in ("min", "max") and len(e.args) == 1:
        params = [("a", False)]
    else:
        params = [(p, False) for p in b.params]
    bound = bind(cx, signature_of(name), params, e.args, e.span, e.function.span)
    values = {p: check(cx, x) for p, x in (bound or {a.name or str(i): a.value for i, a in enumerate(e.args)}).items()}
    if bound is None:
        return unknown(e.span)
    ordered = [values[p] for p, _ in params]
    if name in _SMOOTH_DOMAINS and not ordered[0].unknown:
        _domain(cx, name, ordered[0])
    result = operators.apply(cx, name, ordered, e.span)
    return result


def signature_of(name: str) -> str:
    b = BUILTINS[name]
    return f"{name}({', '.join(b.params)})"


def _domain(cx: Context, name: str, x: Value) -> None:
    lowest = rules.interval(x.support)
    if lowest.upper < 0 or (name == "log" and lowest.upper <= 0 and x.const is not None):
        cx.error(
            "E401",
            f"`{name}` of a number that is never positive",
            x.span,
            f"this is {x.support}",
            notes=(_SMOOTH_DOMAINS[name],),
        )


# --- constructors ---------------------------------------------------------------------------------------------------


def _sizes(cx: Context, args: tuple[ast.Arg, ...], what: str) -> list[Size] | None:
    sizes = []
    for a in args:
        if a.name is not None:
            cx.error("E203", f"there is no parameter `{a.name}`", a.span, "sizes are given by position")
            return None
        sizes.append(size_of(cx, a.value, what))
    return None if any(s is None for s in sizes) else [s for s in sizes if s is not None]


def _filled(name: str):
    def make(cx: Context, e: ast.Call) -> Value:
        sizes = _sizes(cx, e.args, f"an argument of `{name}`")
        if sizes is None:
            return unknown(e.span)
        support = rules.apply(BUILTINS[name].support, [])
        if not sizes:
            return operators.literal(0.0 if name == "zeros" else 1.0, e.span)
        return _prim(
            cx,
            name,
            tuple(cx.size_value(s, e.span).atom for s in sizes),
            array(REAL, *sizes),
            support,
            _level(sizes),
            e,
        )

    return make


def _level(sizes: list[Size]) -> Level:
    return Level.CONSTANT if all(s.value is not None for s in sizes) else Level.DATA


def _prim(cx: Context, name: str, atoms: tuple[ir.Atom, ...], type_: Type, support, level: Level, e: ast.Expr) -> Value:
    return Value(cx.let(ir.Prim(name, atoms), type_, support, level, e.span), type_, support, level, e.span)


def _full(cx: Context, e: ast.Call) -> Value:
    from ppl.compiler.check.expressions import check

    if len(e.args) < 2:
        cx.error(
            "E203",
            "`full` takes sizes and a value",
            e.span,
            "",
            notes=("its signature is `full(n, …, x)`, the value last",),
        )
        return unknown(e.span)
    sizes = _sizes(cx, e.args[:-1], "an argument of `full`")
    x = check(cx, e.args[-1].value)
    if sizes is None or x.unknown:
        return unknown(e.span)
    level = max(_level(sizes), x.level)
    atoms = (*(cx.size_value(s, e.span).atom for s in sizes), x.atom)
    return _prim(
        cx, "full", atoms, array(INT if isinstance(x.type, ty.SizeType) else x.type, *sizes), x.support, level, e
    )


def _one_size(cx: Context, e: ast.Call, name: str) -> Size | None:
    bound = bind(cx, signature_of(name), [("n", False)], e.args, e.span, e.function.span)
    return None if bound is None else size_of(cx, bound["n"], f"the argument of `{name}`")


def _eye(cx: Context, e: ast.Call) -> Value:
    n = _one_size(cx, e, "eye")
    if n is None:
        return unknown(e.span)
    return _prim(cx, "eye", (cx.size_value(n, e.span).atom,), array(REAL, n, n), Structured("corr"), _level([n]), e)


def _arange(cx: Context, e: ast.Call) -> Value:
    n = _one_size(cx, e, "arange")
    if n is None:
        return unknown(e.span)
    return _prim(cx, "arange", (cx.size_value(n, e.span).atom,), array(ty.IndexType(n), n), COUNTS, _level([n]), e)


def _linspace(cx: Context, e: ast.Call) -> Value:
    from ppl.compiler.check.expressions import check_as

    bound = bind(
        cx,
        signature_of("linspace"),
        [("lower", False), ("upper", False), ("n", False)],
        e.args,
        e.span,
        e.function.span,
    )
    if bound is None:
        return unknown(e.span)
    lower, upper = (check_as(cx, bound[b], REAL, f"`{b}`") for b in ("lower", "upper"))
    n = size_of(cx, bound["n"], "the length of `linspace`")
    if n is None or lower.unknown or upper.unknown:
        return unknown(e.span)
    support = rules.join(lower.support, upper.support)
    return _prim(
        cx,
        "linspace",
        (lower.atom, upper.atom, cx.size_value(n, e.span).atom),
        array(REAL, n),
        support,
        max(_level([n]), joined_level(lower, upper)),
        e,
    )


def _length(cx: Context, e: ast.Call) -> Value:
    from ppl.compiler.check.expressions import check

    bound = bind(cx, "length(x)", [("x", False)], e.args, e.span, e.function.span)
    if bound is None:
        return unknown(e.span)
    x = check(cx, bound["x"])
    if x.unknown:
        return unknown(e.span)
    if not shape(x.type):
        cx.error("E204", f"{describe(x.type)} has no length", x.span, "not an array")
        return unknown(e.span)
    return cx.size_value(shape(x.type)[0], e.span, ty.SizeType())


def _joined(name: str):
    """``concat`` along the leading axis; ``stack`` along a new one."""

    def make(cx: Context, e: ast.Call) -> Value:
        from ppl.compiler.check.expressions import check

        values = [check(cx, a.value) for a in e.args]
        if not values:
            cx.error("E203", f"`{name}` needs at least one array", e.span, "no argument")
            return unknown(e.span)
        if any(v.unknown for v in values):
            return unknown(e.span)
        if len(values) == 1 and name == "stack":
            return values[0]
        lead = [shape(v.type)[:1] for v in values]
        if name == "concat" and not all(lead):
            bad = next(v for v, n in zip(values, lead, strict=True) if not n)
            cx.error(
                "E204",
                f"`concat` joins arrays, not {describe(bad.type)}",
                bad.span,
                "not an array",
                helps=(Help("`[a, b]` makes an array of single values"),),
            )
            return unknown(e.span)
        inner = [array(ty.element(v.type), *shape(v.type)[1:]) if name == "concat" else v.type for v in values]
        common = inner[0]
        for t, v in zip(inner[1:], values[1:], strict=True):
            merged = common_type(cx, common, t, v.span, f"the arguments of `{name}`")
            if merged is None:
                cx.error(
                    "E202",
                    f"`{name}` joins arrays of one type: {t} does not agree with {common}",
                    v.span,
                    f"this is {v.type}",
                    ((values[0].span, f"this is {values[0].type}"),),
                )
                return unknown(e.span)
            common = merged
        total = sum((n[0] for n in lead), Size()) if name == "concat" else Size.const(len(values))
        type_ = array(common, total)
        atoms = tuple(
            promote(cx, v, array(common, *n) if name == "concat" else common) for v, n in zip(values, lead, strict=True)
        )
        support = rules.join(*(rules.scaled(v.support) if name == "concat" else v.support for v in values))
        return _prim(cx, name, atoms, type_, support, joined_level(*values), e)

    return make


def _reshape(cx: Context, e: ast.Call) -> Value:
    from ppl.compiler.check.expressions import check

    if len(e.args) < 2:
        cx.error(
            "E203", "`reshape` takes an array and sizes", e.span, "", notes=("its signature is `reshape(x, n, …)`",)
        )
        return unknown(e.span)
    x, sizes = check(cx, e.args[0].value), _sizes(cx, e.args[1:], "an argument of `reshape`")
    if sizes is None or x.unknown:
        return unknown(e.span)
    if not shape(x.type):
        cx.error("E204", f"`reshape` takes an array, not {describe(x.type)}", x.span, "not an array")
        return unknown(e.span)
    have, want = Size.const(1), Size.const(1)
    for n in shape(x.type):
        have = have * n
    for n in sizes:
        want = want * n
    if not cx.require_sizes(have, want, "reshape keeps the number of elements", e.span):
        cx.error("E202", f"`reshape` from {have} elements to {want}", e.span, "", ((x.span, f"this is {x.type}"),))
        return unknown(e.span)
    atoms = (x.atom, *(cx.size_value(s, e.span).atom for s in sizes))
    return _prim(cx, "reshape", atoms, array(ty.element(x.type), *sizes), rules.scaled(x.support), x.level, e)


# --- higher order -----------------------------------------------------------------------------------------------------


def _ode_solve(cx: Context, e: ast.Call) -> Value:
    from ppl.compiler.check.expressions import check, check_as, conform

    bound = bind(
        cx, "ode_solve(f, y0, t0, ts)", [(p, False) for p in ("f", "y0", "t0", "ts")], e.args, e.span, e.function.span
    )
    if bound is None:
        return unknown(e.span)
    y0 = check(cx, bound["y0"])
    if y0.unknown:
        return unknown(e.span)
    if len(shape(y0.type)) != 1:
        cx.error(
            "E201",
            f"the initial state must be a vector, not {describe(y0.type)}",
            y0.span,
            "",
            helps=(Help("write `[y0]` for a single state"),),
        )
        return unknown(e.span)
    state = array(REAL, *shape(y0.type))
    y0 = conform(cx, y0, state, "the initial state")
    f = check_as(cx, bound["f"], ty.Function((REAL, state), state), "the right-hand side")
    t0 = check_as(cx, bound["t0"], REAL, "the initial time")
    ts = check(cx, bound["ts"])
    if any(v.unknown for v in (f, y0, t0, ts)):
        return unknown(e.span)
    if len(shape(ts.type)) != 1:
        cx.error("E201", f"the times must be a vector, not {describe(ts.type)}", ts.span, f"this is {ts.type}")
        return unknown(e.span)
    ts = conform(cx, ts, array(REAL, *shape(ts.type)), "the times")
    type_ = array(REAL, *shape(ts.type), *shape(state))
    return _prim(cx, "ode_solve", (f.atom, y0.atom, t0.atom, ts.atom), type_, REALS, joined_level(f, y0, t0, ts), e)


def _fori(cx: Context, e: ast.Call) -> Value:
    from ppl.compiler.check.expressions import check, check_as

    bound = bind(
        cx,
        "fori(lower, upper, f, init)",
        [(p, False) for p in ("lower", "upper", "f", "init")],
        e.args,
        e.span,
        e.function.span,
    )
    if bound is None:
        return unknown(e.span)
    lower, upper = (check_as(cx, bound[b], INT, f"`{b}`") for b in ("lower", "upper"))
    init = check(cx, bound["init"])
    if init.unknown:
        return unknown(e.span)
    f = check(cx, bound["f"], ty.Function((INT, init.type), UNKNOWN))
    state = f.type.result if isinstance(f.type, ty.Function) else init.type
    if state == REAL and init.type == INT:
        init = replace(init, atom=promote(cx, init, REAL), type=REAL)
    f = check_as(cx, bound["f"], ty.Function((INT, init.type), init.type), "the body of `fori`") if f.unknown else f
    from ppl.compiler.check.expressions import conform

    f = conform(cx, f, ty.Function((INT, init.type), init.type), "the body of `fori`")
    if any(v.unknown for v in (lower, upper, f)):
        return unknown(e.span)
    return _prim(
        cx,
        "fori",
        (lower.atom, upper.atom, f.atom, init.atom),
        init.type,
        ANYTHING,
        joined_level(lower, upper, f, init),
        e,
    )


_SPECIAL = {
    "zeros": _filled("zeros"),
    "ones": _filled("ones"),
    "full": _full,
    "eye": _eye,
    "arange": _arange,
    "linspace": _linspace,
    "length": _length,
    "concat": _joined("concat"),
    "stack": _joined("stack"),
    "reshape": _reshape,
    "ode_solve": _ode_solve,
    "fori": _fori,
}
