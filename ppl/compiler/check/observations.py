"""Conditioning: observe, factor, require."""

from __future__ import annotations

from ppl.compiler.check.arguments import support_fits
from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.expressions import check, conform
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import UNKNOWN, DistFacts, Value
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.types import BOOL, REAL, array, element, shape
from ppl.compiler.syntax import ast


def _allowed(cx: Context, stmt: ast.Stmt, word: str) -> bool:
    if cx.kind in ("model", "infer"):
        return True
    where = {
        "fn": "a function",
        "lambda": "a lambda",
        "guide": "a guide",
        "expect": "an expectation",
        "sample": "a sampler",
    }.get(cx.kind, f"a {cx.kind}")
    cx.error("E312", f"`{word}` stands in models and `infer` only, not in {where}", stmt.span, "not allowed here")
    return False


def observe(cx: Context, stmt: ast.Observe) -> None:
    value = check(cx, stmt.value)
    dist = check(cx, stmt.dist)
    if not _allowed(cx, stmt, "observe") or dist.unknown:
        return
    if not isinstance(dist.type, ty.Dist):
        cx.error(
            "E201",
            f"behind `~` stands a distribution, not {describe(dist.type)}",
            dist.span,
            f"this is {describe(dist.type)}",
        )
        return
    if value.unknown or _is_random_variable(cx, stmt, value) or _twice(cx, stmt, value):
        return
    own = dist.type.value
    wanted = array(element(own), *shape(value.type)) if shape(value.type) and not shape(own) else own
    value = conform(cx, value, wanted, "the observed value")
    if value.unknown or own == UNKNOWN:
        return
    support_fits(cx, value, dist.support, "the observed value", "E403", ((dist.span, f"draws {dist.support}"),))
    _measure(cx, stmt, value, dist)
    atom = dist.atom
    if shape(value.type) and not shape(own):
        from ppl.compiler.check.declared_draws import copies

        atom = copies(cx, dist, shape(value.type)).atom
    cx.emit(ir.Observe(value.atom, atom, span=stmt.span))


def _is_random_variable(cx: Context, stmt: ast.Observe, value: Value) -> bool:
    site = cx.site(value.origin) if value.origin is not None else None
    if site is None or site.kind not in ("latent", "data", "aux"):
        return False
    if site.kind == "data":
        cx.error(
            "E311",
            f"`{site.name}` is observed twice",
            stmt.span,
            "again here",
            ((site.span, "`data`: already observed where it is drawn"),),
            ("its likelihood would count twice",),
            (Help("drop this statement"),),
        )
        return True
    helps = (Help(f"draw it as data instead: `data {site.name} ~ …`", ()),)
    if site.rank == 0 and cx.text(site.span) == site.name:
        helps = (suggestion("make the draw itself observable", site.span, f"data {site.name}"),)
    cx.error(
        "E310",
        f"`{site.name}` is a random variable: it is drawn, not observed",
        stmt.value.span,
        "a latent variable",
        ((site.span, "drawn here"),),
        ("`observe` conditions on data or on values computed from them",),
        helps,
    )
    return True


def _twice(cx: Context, stmt: ast.Observe, value: Value) -> bool:
    """The same entry of the data observed by two statements of one path."""
    if value.level > Level.DATA or isinstance(value.atom, ir.Lit):
        return False
    text = cx.text(stmt.value.span)
    earlier = next((f.observed[text] for f in cx.own_frames if text in f.observed), None)
    if earlier is not None:
        cx.error(
            "E311",
            f"`{text}` is observed twice",
            stmt.span,
            "again here",
            ((earlier, "first here"),),
            ("its likelihood would count twice",),
        )
        return True
    cx.frames[-1].observed[text] = stmt.span
    return False


def _measure(cx: Context, stmt: ast.Observe, value: Value, dist: Value) -> None:
    facts = dist.dist or DistFacts()
    if facts.atom and facts.density and facts.name != "mixture":
        cx.error(
            "E313",
            "an observation with an atom on one path and a density on another",
            dist.span,
            "mixed measure",
            notes=("the probability of a point and the density of a continuum can't be compared",),
        )
    elif facts.atom:
        at = facts.argument("x")
        if max(value.level, at.level if at is not None else value.level) == Level.CONTINUOUS:
            cx.error(
                "E313",
                "a continuous random variable is asked to equal a value",
                stmt.span,
                "an event of probability 0",
                helps=(Help("observe it with noise: `Normal(…, s)`"),),
            )
    if facts.improper:
        cx.error("E314", "`Flat` is improper: it is no distribution of data", dist.span, "never drawn from")


def factor(cx: Context, stmt: ast.Factor) -> None:
    value = check(cx, stmt.value)
    if not _allowed(cx, stmt, "factor") or value.unknown:
        return
    if shape(value.type) and element(value.type) in (REAL, ty.INT):
        cx.error(
            "E201",
            f"a factor is one real, not {describe(value.type)}",
            value.span,
            f"this is {value.type}",
            helps=(suggestion("add them up", value.span, f"sum({cx.text(value.span)})"),),
        )
        return
    value = conform(cx, value, REAL, "a factor")
    if not value.unknown:
        cx.emit(ir.Factor(value.atom, span=stmt.span))


def require(cx: Context, stmt: ast.Require) -> None:
    value = check(cx, stmt.condition)
    if not _allowed(cx, stmt, "require") or value.unknown:
        return
    if element(value.type) != BOOL:
        cx.error(
            "E201", f"`require` takes a bool, not {describe(value.type)}", value.span, f"this is {describe(value.type)}"
        )
        return
    bad = _continuous_equality(cx, value.atom)
    if bad is not None:
        cx.error(
            "E313",
            "a continuous random variable is required to equal a value",
            value.span,
            "an event of probability 0",
            notes=("conditioning on such an event has no meaning of its own: it needs a density",),
            helps=(Help("observe it with noise: `observe e ~ Normal(…, s)`"),),
        )
        return
    if value.const is False:
        cx.error("E404", "this requirement never holds", value.span, "always false")
    cx.emit(ir.Require(value.atom, span=stmt.span))


def _continuous_equality(cx: Context, atom: ir.Atom) -> ir.Prim | None:
    """An ``==`` between continuous values that the condition is made of."""
    ops = {s.var.id: s.op for b in cx.blocks for s in b if isinstance(s, ir.Let)}
    todo = [atom]
    while todo:
        a = todo.pop()
        op = ops.get(a.id) if isinstance(a, ir.Var) else None
        if isinstance(op, ir.Prim) and op.name == "==":
            if any(isinstance(x, ir.Var) and x.level == Level.CONTINUOUS and element(x.type) == REAL for x in op.args):
                return op
        elif isinstance(op, ir.Prim) and op.name in ("and", "copy"):
            todo += op.args
    return None
