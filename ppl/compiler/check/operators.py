"""Operators: constants are folded, sizes stay polynomials, everything else is a builtin."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from ppl.compiler.check import schemes
from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.indexing import index_support
from ppl.compiler.check.unify import describe, is_numeric, plain
from ppl.compiler.check.values import Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import Integers
from ppl.compiler.ir.types import BOOL, INT, REAL, Dist, Function, element
from ppl.compiler.syntax import ast

Number = int | float | bool

LARGEST_INT = 2**63 - 1


def _power(a: Number, b: Number) -> Number:
    if isinstance(a, int) and isinstance(b, int) and abs(a) > 1 and b > 63:
        raise OverflowError
    return a**b


_BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "^": lambda a, b: _power(a, b),
    "atan2": math.atan2,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "min": min,
    "max": max,
}
_UNARY: dict[str, Callable[[float], Number]] = {
    **{
        n: getattr(math, n)
        for n in (
            "exp",
            "log",
            "log1p",
            "expm1",
            "sqrt",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
            "gamma",
            "lgamma",
            "erf",
            "floor",
            "ceil",
        )
    },
    "abs": abs,
    "neg": lambda a: -a,
    "not": lambda a: not a,
    "round": round,
}


def fold(name: str, values: list[Value], span: Span) -> Value | None:
    """The application to constants, computed now; None where an argument is no constant or the result no finite
    number."""
    f: Callable[..., Number] | None = (_UNARY if len(values) == 1 else _BINARY).get(name)
    if f is None or len(values) > 2 or any(v.const is None for v in values):
        return None
    try:
        result = f(*(v.const for v in values))
    except (ValueError, OverflowError, ZeroDivisionError, TypeError):
        return None
    if isinstance(result, int) and abs(result) > LARGEST_INT:
        return None
    if isinstance(result, complex) or (isinstance(result, float) and not math.isfinite(result) and name != "neg"):
        return None
    return literal(result, span)


def literal(value: Number, span: Span) -> Value:
    type_ = BOOL if isinstance(value, bool) else INT if isinstance(value, int) else REAL
    affine = Size.const(int(value)) if type_ == INT else None
    return Value(ir.Lit(value, type_, span=span), type_, rules.constant(value), span=span, affine=affine, const=value)


def unary(cx: Context, e: ast.Unary) -> Value:
    from ppl.compiler.check.expressions import check

    a = check(cx, e.operand)
    if e.op == "+":
        return a.at(e.span)
    return apply(cx, "neg" if e.op == "-" else e.op, [a], e.span)


def binary(cx: Context, e: ast.Binary) -> Value:
    """A chain ``a + b + c + …``, from its left end: however long, without recursion."""
    from ppl.compiler.check.expressions import check

    chain = [e]
    while isinstance(chain[-1].left, ast.Binary):
        chain.append(chain[-1].left)
    value = check(cx, chain[-1].left)
    for link in reversed(chain):
        value = _link(cx, link, value, check(cx, link.right))
    return value


def _link(cx: Context, e: ast.Binary, a: Value, b: Value) -> Value:
    if e.op in ("==", "!=") and (_bool_against_number(cx, e, a, b) or _functions(cx, e, a, b)):
        return unknown(e.span)
    if e.op in ("/", "%") and b.const == 0 and not isinstance(b.const, bool):
        label = "this is 0"
        what = "a division by zero" if e.op == "/" else "a remainder modulo zero"
        cx.error("E401", what, e.right.span, label, notes=("no number is the result, whatever stands on the left",))
        return unknown(e.span)
    return apply(cx, e.op, [a, b], e.span)


def apply(cx: Context, name: str, values: list[Value], span: Span) -> Value:
    """A builtin with a scheme, operators included."""
    values = [
        replace(v, type=plain(v.type)) if is_numeric(element(v.type)) and name not in ("argsort",) else v
        for v in values
    ]
    if name != "^" or not all(v.type == INT for v in values) or (values[1].const or 0) >= 0:
        folded = fold(name, values, span)
        if folded is not None:
            return folded
    polynomial = _polynomial(name, values)
    if polynomial is not None:
        if not any(cx.is_loop_index(v) for v in polynomial.variables):
            return replace(cx.size_value(polynomial, span), level=joined_level(*values))
        result = schemes.apply(cx, name, values, span)
        return replace(result, affine=polynomial, support=index_support(cx, polynomial))
    if (
        name == "^"
        and all(element(v.type) == INT for v in values)
        and not (isinstance(values[1].const, int) and values[1].const >= 0)
    ):
        values = [replace(v, atom=_as_real(cx, v), type=REAL) if v.type == INT else v for v in values]
    result = schemes.apply(cx, name, values, span)
    if name == "*" and values[0].atom == values[1].atom and isinstance(values[0].atom, ir.Var) and not result.unknown:
        return replace(result, support=rules.apply("power", [values[0].support, Integers(2, 2)]))
    return result


def _as_real(cx: Context, v: Value) -> ir.Atom:
    from ppl.compiler.check.unify import promote

    return promote(cx, v, REAL)


def _polynomial(name: str, values: list[Value]) -> Size | None:
    known = [v.affine for v in values if v.affine is not None]
    if len(known) != len(values):
        return None
    match name, known:
        case "neg", [a]:
            return -a
        case "+", [a, b]:
            return a + b
        case "-", [a, b]:
            return a - b
        case "*", [a, b]:
            return a * b
    return None


def _functions(cx: Context, e: ast.Binary, a: Value, b: Value) -> bool:
    found = next((v for v in (a, b) if isinstance(element(v.type), (Function, Dist))), None)
    if found is None:
        return False
    what = "functions" if isinstance(element(found.type), Function) else "distributions"
    cx.error("E214", f"{what} can't be compared", e.span, "", ((found.span, f"this is {describe(found.type)}"),))
    return True


def _bool_against_number(cx: Context, e: ast.Binary, a: Value, b: Value) -> bool:
    """``coin == 1`` for a bool: said here with the edit that works; the scheme then reports nothing more."""
    for x, y, other in ((a, b, e.left), (b, a, e.right)):
        if element(x.type) == BOOL and y.const in (0, 1) and y.type == INT:
            positive = (y.const == 1) == (e.op == "==")
            text = cx.text(other.span)
            cx.error(
                "E201",
                "a bool is compared with a number",
                e.span,
                "",
                ((x.span, "this is a bool"), (y.span, "this is an int")),
                helps=(Help("a bool is a condition by itself", (Edit(e.span, text if positive else f"not {text}"),)),),
            )
            return True
    return False
