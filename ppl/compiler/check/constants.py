"""Constants read straight from the syntax."""

from __future__ import annotations

from ppl.compiler.syntax import ast


def constant(e: ast.Expr) -> float | None:
    """A literal number, with its sign."""
    match e:
        case ast.IntLit(value) | ast.FloatLit(value):
            return float(value)
        case ast.Unary("-", operand):
            inner = constant(operand)
            return None if inner is None else -inner
        case ast.Binary("/", left, right):
            a, b = constant(left), constant(right)
            return None if a is None or not b else a / b
    return None


def constant_vector(e: ast.Expr) -> list[float] | None:
    """The numbers of an array literal of literals, at least one."""
    if not isinstance(e, ast.ArrayLit) or not e.elements:
        return None
    numbers = [constant(x) for x in e.elements]
    return None if any(n is None for n in numbers) else [n for n in numbers if n is not None]
