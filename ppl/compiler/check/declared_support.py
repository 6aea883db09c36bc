"""W107: a declared type that allows values which the place of their use does not."""

from __future__ import annotations

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir.supports import REALS, Interval, Support
from ppl.compiler.ir.types import REAL, element
from ppl.compiler.syntax import ast

_BETTER = {(0.0, float("inf")): "pos", (0.0, 1.0): "prob"}


def wider_than_needed(cx: Context, expr: ast.Expr, needed: Support, what: str) -> None:
    """``sigma: real`` used as a scale: a warning with the type to declare."""
    base = expr.base if isinstance(expr, ast.Index) else expr
    if not isinstance(base, ast.Name) or not isinstance(needed, Interval) or needed == REALS:
        return
    local = cx.peek(base.id)
    if local is None or local.kind != "parameter" or local.value.support != REALS or element(local.value.type) != REAL:
        return
    bounds = rules.interval(needed)
    better = _BETTER.get((bounds.lower, bounds.upper))
    declared = cx.parameter_types.get(base.id)
    helps: tuple[Help, ...] = ()
    named = next((t for t in _named(declared) if t.name == "real"), None)
    if better is not None and named is not None and not named.bounds:
        helps = (suggestion(f"declare it `{better}`", named.span, better),)
    elif better is not None:
        helps = (Help(f"declare it `{better}`"),)
    cx.error(
        "W107",
        f"`{base.id}` is declared `real`, but {what} must be {needed}",
        local.span,
        "allows more than is valid",
        ((expr.span, "used here"),),
        ("data outside would only be found when the density is computed",),
        helps,
    )


def _named(t: ast.TypeExpr | None):
    if isinstance(t, ast.NamedType):
        yield t
    elif isinstance(t, (ast.ArrayType, ast.MissingType)):
        yield from _named(t.element)
