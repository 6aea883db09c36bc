"""What a condition says about loop indices: in ``if t > 0 { … }`` the index starts at 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ppl.compiler.check.context import Context
from ppl.compiler.ir.sizes import Size
from ppl.compiler.syntax import ast

Ranges = dict[str, tuple[Size, Size]]
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@contextmanager
def refined(cx: Context, ranges: Ranges) -> Iterator[None]:
    before = cx.refined
    cx.refined = {**before, **ranges}
    cx.guarded += 1
    try:
        yield
    finally:
        cx.refined = before
        cx.guarded -= 1


def refinements(cx: Context, e: ast.Expr) -> tuple[Ranges, Ranges]:
    """The narrower index ranges where the condition holds, and where it does not."""
    if not cx.ranges:
        return {}, {}
    return _holds(cx, e, True), _holds(cx, e, False)


def _holds(cx: Context, e: ast.Expr, positive: bool) -> Ranges:
    match e:
        case ast.Unary("not", operand):
            return _holds(cx, operand, not positive)
        case ast.Binary("and" | "or" as op, left, right) if (op == "and") == positive:
            return {**_holds(cx, left, positive), **_holds(cx, right, positive)}
        case ast.Binary(op, left, right) if op in _NEGATED:
            return _comparison(cx, op if positive else _NEGATED[op], left, right)
    return {}


def _comparison(cx: Context, op: str, left: ast.Expr, right: ast.Expr) -> Ranges:
    a, b = polynomial(cx, left), polynomial(cx, right)
    if a is None or b is None:
        return {}
    difference = a - b  # compared with 0
    indices = [v for v in difference.variables if v in cx.ranges]
    if len(indices) != 1:
        return {}
    index = indices[0]
    coefficient = dict(difference.terms).get((index,), 0)
    rest = difference - Size.var(index) * Size.const(coefficient)
    if coefficient not in (1, -1) or index in rest.variables:
        return {}
    # the index is compared with `limit`
    limit = -rest if coefficient == 1 else rest
    if coefficient == -1:
        op = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
    lower, upper = cx.extent(index)
    match op:
        case ">" | ">=":
            start = limit + (1 if op == ">" else 0)
            lower = start if (start - lower).provably_nonnegative() else lower
        case "<" | "<=":
            end = limit + (1 if op == "<=" else 0)
            upper = end if (upper - end).provably_nonnegative() else upper
        case "==":
            lower, upper = limit, limit + 1
        case "!=":
            if limit == lower:
                lower = lower + 1
            elif limit == upper - 1:
                upper = limit
    return {index: (lower, upper)}


def polynomial(cx: Context, e: ast.Expr) -> Size | None:
    """An affine expression of indices and sizes, read without emitting anything."""
    match e:
        case ast.IntLit(value):
            return Size.const(value)
        case ast.Name(id):
            local = cx.peek(id)
            if local is not None:
                return local.value.affine
            return Size.var(id) if id in cx.generics.sizes else None
        case ast.Unary("-", operand):
            inner = polynomial(cx, operand)
            return None if inner is None else -inner
        case ast.Binary("+" | "-" | "*" as op, left, right):
            b = polynomial(cx, right)
            a = polynomial(cx, left) if b is not None else None
            if a is None or b is None:
                return None
            return a + b if op == "+" else a - b if op == "-" else a * b
    return None
